// SPDX-License-Identifier: MIT
// What the equaliser is measured against: its analogue prototype, and the response of an impulse that went through.
#pragma once
#include "dsp/mastering/eq_design.h"
#include <complex.h>
#include <math.h>
#include <stdint.h>

/// The prototype of eq_design.h, evaluated in the s plane.
static inline double response_wanted_db(const struct eq_band *band, double gain_db, double hz)
{
    const double a = pow(10, gain_db / 40);
    const double complex s = I * hz / band->center_hz;
    const double complex mid = s * sqrt(a) / band->q;
    double complex h = 0;
    switch (band->shape) {
    case EQ_LOW_SHELF:
        h = a * (s * s + mid + a) / (a * s * s + mid + 1);
        break;
    case EQ_HIGH_SHELF:
        h = a * (a * s * s + mid + 1) / (s * s + mid + a);
        break;
    case EQ_BELL:
        h = (s * s + s * a / band->q + 1) / (s * s + s / (a * band->q) + 1);
        break;
    }
    return 20 * log10(cabs(h));
}

/// Response of the running filter: the discrete Fourier sum of its impulse response.
static inline double response_measured_db(const double *impulse, uint32_t frames, double hz,
                                          double rate_hz)
{
    const double complex step = cexp(-2 * M_PI * I * hz / rate_hz);
    double complex sum = 0, z = 1;
    for (uint32_t n = 0; n < frames; ++n, z *= step)
        sum += impulse[2 * n] * z;
    return 20 * log10(cabs(sum));
}
