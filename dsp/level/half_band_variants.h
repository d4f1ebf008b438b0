// SPDX-License-Identifier: MIT
// The compiled variants of half_band.h, for its table alone.
#pragma once
#include "dsp/level/half_band.h"

void half_band_filter_c(float *out, const float *line, const float taps[HALF_BAND_PAIRS],
                        float *even, uint32_t outputs);
/// x86-64 only, as the next.
void half_band_filter_avx2(float *out, const float *line, const float taps[HALF_BAND_PAIRS],
                           float *even, uint32_t outputs);
void half_band_filter_avx512(float *out, const float *line, const float taps[HALF_BAND_PAIRS],
                             float *even, uint32_t outputs);
