// SPDX-License-Identifier: MIT
// One band of the equaliser, left and right side by side: what every variant does for each frame.
#pragma once
#include "dsp/mastering/eq.h"

typedef double eq_pair __attribute__((vector_size(16)));

// A constant at -400 dB keeps the recursion's tails off the denormals, where some processors are a
// hundred times slower.
static const double EQ_DENORMAL_GUARD = 1e-20;

/// State and numbers of all bands as pairs.
struct eq_pairs {
    eq_pair s1[EQ_BAND_COUNT], s2[EQ_BAND_COUNT];
    eq_pair numbers[EQ_NUMBERS];
};

/// Put *x through `band`.
__attribute__((always_inline)) static inline void eq_step(struct eq_pairs *pairs, int band,
                                                          eq_pair *x)
{
    const eq_pair *n = pairs->numbers + 1 + band * EQ_BAND_NUMBERS;
    const eq_pair y = *x + pairs->s1[band];
    pairs->s1[band] = (n[0] * *x + pairs->s2[band]) - n[2] * y;
    pairs->s2[band] = (n[1] * *x + EQ_DENORMAL_GUARD) - n[3] * y;
    *x = y;
}
