// SPDX-License-Identifier: MIT
// One band of the equaliser, left and right side by side: what every variant does for each frame.
// With y = x + s1 put into the transposed direct form, both states follow from the last ones alone, and
// y is on no path from frame to frame:
//    s1' = b1 x + s2 - a1 y = (b1 - a1) x + s2 - a1 s1,    s2' = b2 x - a2 y = (b2 - a2) x - a2 s1
#pragma once
#include "dsp/mastering/eq.h"
#include <string.h>

typedef double eq_pair __attribute__((vector_size(16)));

// A constant at -400 dB keeps the recursion's tails off the denormals, where some processors are a
// hundred times slower.
static const double EQ_DENORMAL_GUARD = 1e-20;

/// State and numbers of all bands as pairs.
struct eq_pairs {
    eq_pair s1[EQ_BAND_COUNT], s2[EQ_BAND_COUNT];
    eq_pair scale;
    eq_pair numbers[EQ_BAND_COUNT][EQ_BAND_NUMBERS]; // b1 - a1, b2 - a2, a1, a2
};

static inline void eq_load(struct eq_pairs *pairs, const struct eq *eq,
                           const double numbers[EQ_NUMBERS])
{
    pairs->scale = (eq_pair){numbers[0], numbers[0]};
    for (int band = 0; band < EQ_BAND_COUNT; ++band) {
        const double *n = numbers + 1 + band * EQ_BAND_NUMBERS;
        const double own[EQ_BAND_NUMBERS] = {n[0] - n[2], n[1] - n[3], n[2], n[3]};
        for (int i = 0; i < EQ_BAND_NUMBERS; ++i)
            pairs->numbers[band][i] = (eq_pair){own[i], own[i]};
    }
    memcpy(pairs->s1, eq->s1, sizeof pairs->s1);
    memcpy(pairs->s2, eq->s2, sizeof pairs->s2);
}

static inline void eq_store(struct eq *eq, const struct eq_pairs *pairs)
{
    memcpy(eq->s1, pairs->s1, sizeof pairs->s1);
    memcpy(eq->s2, pairs->s2, sizeof pairs->s2);
}

/// Put *x through `band`.
__attribute__((always_inline)) static inline void eq_step(struct eq_pairs *pairs, int band,
                                                          eq_pair *x)
{
    const eq_pair *n = pairs->numbers[band];
    const eq_pair s1 = pairs->s1[band];
    pairs->s1[band] = (n[0] * *x + pairs->s2[band]) - n[2] * s1;
    pairs->s2[band] = (n[1] * *x + EQ_DENORMAL_GUARD) - n[3] * s1;
    *x += s1;
}

/// Leave in *to what it has more than *from.
static inline void eq_take_off(struct eq_pairs *to, const struct eq_pairs *from)
{
    to->scale -= from->scale;
    for (int band = 0; band < EQ_BAND_COUNT; ++band)
        for (int k = 0; k < EQ_BAND_NUMBERS; ++k)
            to->numbers[band][k] -= from->numbers[band][k];
}

/// Frame by frame, with numbers of its own for each.
static inline void eq_glide_all(struct eq *eq, const struct eq_way *way, const double *shares,
                                double *stereo, uint32_t frames)
{
    struct eq_pairs now, from, more;
    eq_load(&from, eq, way->from);
    eq_load(&more, eq, way->to);
    eq_take_off(&more, &from);
    now = from;
    for (uint32_t i = 0; i < frames; ++i) {
        const eq_pair share = {shares[i], shares[i]};
        eq_pair x;
        memcpy(&x, stereo + (size_t)2 * i, sizeof x);
        x *= from.scale + share * more.scale;
        for (int band = 0; band < EQ_BAND_COUNT; ++band) {
            for (int k = 0; k < EQ_BAND_NUMBERS; ++k)
                now.numbers[band][k] = from.numbers[band][k] + share * more.numbers[band][k];
            eq_step(&now, band, &x);
        }
        memcpy(stereo + (size_t)2 * i, &x, sizeof x);
    }
    eq_store(eq, &now);
}
