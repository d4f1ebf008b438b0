// SPDX-License-Identifier: MIT
// The one body of every variant of interpolate.h: each .c that includes it compiles it for its
// instruction set. Lanes are places.
#pragma once
#include "dsp/level/interpolate.h"
#include "dsp/vectors.h"
#include <math.h>

enum { LANES = WIDE_LANES, GROUPS = 2, TAPS = INTERPOLATE_TAPS };

// Two groups of places: one alone would wait for its own sums.
static inline void raise_by_group(wide *largest, const struct interpolate_bank *bank,
                                  const float *oldest, int with_quarters)
{
    wide even[GROUPS] = {{0}}, odd[GROUPS] = {{0}}, middle[GROUPS] = {{0}};
    for (uint32_t k = 0; k < TAPS / 2; ++k)
        for (uint32_t g = 0; g < GROUPS; ++g) {
            wide early, late;
            memcpy(&early, oldest + g * LANES + k, sizeof early);
            memcpy(&late, oldest + g * LANES + TAPS - 1 - k, sizeof late);
            const wide sum = early + late, difference = early - late;
            middle[g] += bank->middle[k] * sum;
            if (with_quarters) {
                even[g] += bank->even[k] * sum;
                odd[g] += bank->odd[k] * difference;
            }
        }
    for (uint32_t g = 0; g < GROUPS; ++g) {
        wide_magnitude(&middle[g]);
        wide_magnitude(&even[g]);
        wide_magnitude(&odd[g]);
        even[g] += odd[g];
        wide_higher(largest, &middle[g]);
        wide_higher(largest, &even[g]);
    }
}

static inline float interpolate_peak(const struct interpolate_bank *bank,
                                     const float line[INTERPOLATE_LINE])
{
    wide largest = {0};
    for (uint32_t i = 0; i < INTERPOLATE_FRAMES; i += GROUPS * LANES) {
        if (bank->with_quarters)
            raise_by_group(&largest, bank, line + i, 1);
        else
            raise_by_group(&largest, bank, line + i, 0);
    }
    return wide_highest(&largest);
}

static inline float interpolate_sample_peak(const float *samples, uint32_t count)
{
    wide largest = {0};
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        wide x;
        memcpy(&x, samples + i, sizeof x);
        wide_magnitude(&x);
        wide_higher(&largest, &x);
    }
    float peak = wide_highest(&largest);
    for (; i < count; ++i)
        peak = fabsf(samples[i]) > peak ? fabsf(samples[i]) : peak;
    return peak;
}

static inline uint32_t interpolate_quiet(const float *samples, uint32_t blocks, float limit)
{
    for (uint32_t b = 0; b < blocks; ++b, samples += INTERPOLATE_FRAMES) {
        wide largest = {0};
        for (uint32_t i = 0; i < INTERPOLATE_FRAMES; i += LANES) {
            wide x;
            memcpy(&x, samples + i, sizeof x);
            wide_magnitude(&x);
            wide_higher(&largest, &x);
        }
        if (wide_is_over(&largest, limit))
            return b;
    }
    return blocks;
}
