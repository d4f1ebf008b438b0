// SPDX-License-Identifier: MIT
// The one body of every variant of interpolate.h: each .c that includes it compiles it for its
// instruction set. Lanes are places, so no sum changes its order and no result its bits.
#pragma once
#include "dsp/interpolate.h"
#include "dsp/vectors.h"
#include <math.h>

enum { LANES = VECTOR_LANES, GROUPS = 2, TAPS = INTERPOLATE_TAPS };

// Two groups of places: one alone would wait for its own sums.
static inline void raise_by_group(vector8 *largest, const struct interpolate_bank *bank,
                                  const float *oldest, int with_quarters)
{
    vector8 even[GROUPS] = {{0}}, odd[GROUPS] = {{0}}, middle[GROUPS] = {{0}};
    for (uint32_t k = 0; k < TAPS / 2; ++k)
        for (uint32_t g = 0; g < GROUPS; ++g) {
            vector8 early, late;
            memcpy(&early, oldest + g * LANES + k, sizeof early);
            memcpy(&late, oldest + g * LANES + TAPS - 1 - k, sizeof late);
            const vector8 sum = early + late, difference = early - late;
            middle[g] += bank->middle[k] * sum;
            if (with_quarters) {
                even[g] += bank->even[k] * sum;
                odd[g] += bank->odd[k] * difference;
            }
        }
    for (uint32_t g = 0; g < GROUPS; ++g) {
        vector8_magnitude(&middle[g]);
        vector8_magnitude(&even[g]);
        vector8_magnitude(&odd[g]);
        even[g] += odd[g];
        vector8_higher(largest, &middle[g]);
        vector8_higher(largest, &even[g]);
    }
}

static inline float interpolate_peak(const struct interpolate_bank *bank,
                                     const float line[INTERPOLATE_LINE])
{
    vector8 largest = {0};
    for (uint32_t i = 0; i < INTERPOLATE_FRAMES; i += GROUPS * LANES) {
        if (bank->with_quarters)
            raise_by_group(&largest, bank, line + i, 1);
        else
            raise_by_group(&largest, bank, line + i, 0);
    }
    return vector8_highest(&largest);
}

static inline float interpolate_sample_peak(const float *samples, uint32_t count)
{
    vector8 largest = {0};
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vector8 x;
        memcpy(&x, samples + i, sizeof x);
        vector8_magnitude(&x);
        vector8_higher(&largest, &x);
    }
    float peak = vector8_highest(&largest);
    for (; i < count; ++i)
        peak = fabsf(samples[i]) > peak ? fabsf(samples[i]) : peak;
    return peak;
}
