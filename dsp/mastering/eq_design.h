// SPDX-License-Identifier: MIT
// Biquads whose response is that of an analogue prototype up to 20 kHz, without cramping.
#pragma once
#include "dsp/annotate.h"

enum eq_shape { EQ_LOW_SHELF, EQ_BELL, EQ_HIGH_SHELF };

/// Analogue second-order prototype, as in R. Bristow-Johnson's cookbook: with w = f/center,
/// A = 10^(gain/40): bell (s^2 + sA/Q + 1)/(s^2 + s/(AQ) + 1); low shelf
/// A(s^2 + s sqrt(A)/Q + A)/(As^2 + s sqrt(A)/Q + 1); high shelf its mirror image.
struct eq_band {
    enum eq_shape shape;
    double center_hz;
    double q;
};

/// Minimum-phase biquad (b0 + b1/z + b2/z^2)/(1 + a1/z + a2/z^2).
struct biquad {
    double b0, b1, b2, a1, a2;
};

/// Design `band` with `gain_db` (-24..24) for a rate. Exactly {1, 0, 0, 0, 0} for 0 dB. RT safe.
RT_SAFE void eq_design(struct biquad *out, const struct eq_band *band, double gain_db,
                       double rate_hz);
