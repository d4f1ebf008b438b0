// SPDX-License-Identifier: MIT
// The one body of every variant of interpolate.h: each .c that includes it compiles it for its
// instruction set. Lanes are places, so no sum changes its order and no result its bits.
#pragma once
#include "dsp/interpolate.h"
#include <math.h>
#include <string.h>

enum { LANES = 8, GROUPS = 2, TAPS = INTERPOLATE_TAPS };
typedef float lanes8 __attribute__((vector_size(32)));
typedef int32_t mask8 __attribute__((vector_size(32)));

static inline void make_positive(lanes8 *x)
{
    *x = (lanes8)((mask8)*x & INT32_MAX);
}

static inline void keep_larger(lanes8 *x, const lanes8 *y)
{
    const mask8 take = *y > *x;
    *x = (lanes8)(((mask8)*y & take) | ((mask8)*x & ~take));
}

static inline float largest_lane(const lanes8 *x)
{
    float largest = 0;
    for (int i = 0; i < LANES; ++i)
        largest = (*x)[i] > largest ? (*x)[i] : largest;
    return largest;
}

// Two groups of places: one alone would wait for its own sums.
static inline void raise_by_group(lanes8 *largest, const struct interpolate_bank *bank,
                                  const float *oldest, int with_quarters)
{
    lanes8 even[GROUPS] = {{0}}, odd[GROUPS] = {{0}}, middle[GROUPS] = {{0}};
    for (uint32_t k = 0; k < TAPS / 2; ++k)
        for (uint32_t g = 0; g < GROUPS; ++g) {
            lanes8 early, late;
            memcpy(&early, oldest + g * LANES + k, sizeof early);
            memcpy(&late, oldest + g * LANES + TAPS - 1 - k, sizeof late);
            const lanes8 sum = early + late, difference = early - late;
            middle[g] += bank->middle[k] * sum;
            if (with_quarters) {
                even[g] += bank->even[k] * sum;
                odd[g] += bank->odd[k] * difference;
            }
        }
    for (uint32_t g = 0; g < GROUPS; ++g) {
        make_positive(&middle[g]);
        make_positive(&even[g]);
        make_positive(&odd[g]);
        even[g] += odd[g];
        keep_larger(largest, &middle[g]);
        keep_larger(largest, &even[g]);
    }
}

static inline float interpolate_peak(const struct interpolate_bank *bank,
                                     const float line[INTERPOLATE_LINE])
{
    lanes8 largest = {0};
    for (uint32_t i = 0; i < INTERPOLATE_FRAMES; i += GROUPS * LANES) {
        if (bank->with_quarters)
            raise_by_group(&largest, bank, line + i, 1);
        else
            raise_by_group(&largest, bank, line + i, 0);
    }
    return largest_lane(&largest);
}

static inline float interpolate_sample_peak(const float *samples, uint32_t count)
{
    lanes8 largest = {0};
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes8 x;
        memcpy(&x, samples + i, sizeof x);
        make_positive(&x);
        keep_larger(&largest, &x);
    }
    float peak = largest_lane(&largest);
    for (; i < count; ++i)
        peak = fabsf(samples[i]) > peak ? fabsf(samples[i]) : peak;
    return peak;
}
