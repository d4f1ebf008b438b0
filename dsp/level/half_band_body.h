// SPDX-License-Identifier: MIT
// The one body of every variant of half_band.h: each .c that includes it compiles it for its
// instruction set. Lanes are outputs.
#pragma once
#include "dsp/level/half_band.h"
#include "dsp/vectors.h"

enum { LANES = WIDE_LANES, GROUPS = HALF_BAND_LANES / LANES, PAIRS = HALF_BAND_PAIRS };

static inline void half_band_group(float *out, const float *even, const float *line,
                                   const float taps[PAIRS])
{
    wide sums[GROUPS], rest;
    for (uint32_t g = 0; g < GROUPS; ++g) {
        wide_deal(&sums[g], &rest, line + HALF_BAND_CENTER + (size_t)2 * g * LANES);
        sums[g] *= 0.5F;
    }
    for (uint32_t i = 0; i < PAIRS; ++i)
        for (uint32_t g = 0; g < GROUPS; ++g) {
            wide left, right;
            memcpy(&left, even + g * LANES + i, sizeof left);
            memcpy(&right, even + g * LANES + 2 * PAIRS - 1 - i, sizeof right);
            sums[g] += taps[i] * (left + right);
        }
    for (uint32_t g = 0; g < GROUPS; ++g)
        memcpy(out + g * LANES, &sums[g], sizeof sums[g]);
}

// All taps but the centre fall on even places of the line: those are gathered first. @return the outputs in whole
// groups.
static inline uint32_t half_band_gather(float *restrict even, const float *restrict line,
                                        uint32_t outputs)
{
    const uint32_t whole = (outputs + HALF_BAND_LANES - 1) / HALF_BAND_LANES * HALF_BAND_LANES;
    for (uint32_t i = 0; i < whole + 2 * PAIRS; i += LANES) {
        wide evens, odds;
        wide_deal(&evens, &odds, line + (size_t)2 * i);
        memcpy(even + i, &evens, sizeof evens);
    }
    return whole;
}

static inline void half_band_filter(float *restrict out, const float *restrict line,
                                    const float taps[PAIRS], float *restrict even, uint32_t outputs)
{
    const uint32_t whole = half_band_gather(even, line, outputs);
    for (uint32_t m = 0; m < whole; m += HALF_BAND_LANES)
        half_band_group(out + m, even + m, line + (size_t)2 * m, taps);
}
