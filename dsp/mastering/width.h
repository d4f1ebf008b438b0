// SPDX-License-Identifier: MIT
// Mid/side width above the bass: low frequencies keep the width they have.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// Zero it to forget all audio. Thread-safety: one thread at a time.
struct width {
    double low[2]; // what two one-pole high-passes in series have taken off the side signal
};

/// Coefficient of the crossover for a rate. RT safe.
RT_SAFE double width_coefficient(double rate_hz);
/// Scale the side signal above 150 Hz by `side_gain` (1: untouched, bit for bit), in place. RT safe.
RT_SAFE void width_process(struct width *width, double coefficient, double side_gain,
                           double *stereo, uint32_t frames);
