// SPDX-License-Identifier: MIT
// Float to 16-bit samples, with triangular dither where a sample is between two steps.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// State of the noise: equal seeds give equal output. Plain data.
struct dither {
    uint64_t state;
    uint64_t clipped_samples; // outside the 16-bit range, set to its ends
};

void dither_init(struct dither *dither, uint64_t seed);
/// Convert `samples` samples, full scale at +-1. A sample on the 16-bit grid, or off it by less than any sound,
/// stays what it is; any other gets noise of triangular density, two steps wide (Lipshitz, Wannamaker and
/// Vanderkooy 1992: the mean and the variance of the error do not depend on the signal then). RT safe.
RT_SAFE void dither_to_s16(struct dither *dither, int16_t *out, const float *in, uint32_t samples);
