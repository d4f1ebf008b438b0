// SPDX-License-Identifier: MIT
// The one body of every variant of level_kernel.h: each .c that includes it compiles it for its
// instruction set.
#pragma once
#include "dsp/level_kernel.h"
#include <string.h>

enum { LANES = 8, HALF = 4 };
typedef float lanes8 __attribute__((vector_size(32)));
typedef int32_t mask8 __attribute__((vector_size(32)));
typedef float lanes4 __attribute__((vector_size(16)));
typedef double wide4 __attribute__((vector_size(32)));

// What the sums of a block are made of, by lane.
struct level_lanes {
    wide4 ll[2], rr[2], lr[2], l[2], r[2];
    lanes8 min_l, max_l, min_r, max_r;
};

static inline void widen(wide4 wide[2], const float *values)
{
    lanes4 low, high;
    memcpy(&low, values, sizeof low);
    memcpy(&high, values + HALF, sizeof high);
    wide[0] = __builtin_convertvector(low, wide4);
    wide[1] = __builtin_convertvector(high, wide4);
}

static inline void keep_extremes(lanes8 *min, lanes8 *max, const float *values)
{
    lanes8 x;
    memcpy(&x, values, sizeof x);
    const mask8 below = x<*min, above = x> * max;
    *min = (lanes8)(((mask8)x & below) | ((mask8)*min & ~below));
    *max = (lanes8)(((mask8)x & above) | ((mask8)*max & ~above));
}

static inline void add_eight(struct level_lanes *sums, const float *left, const float *right)
{
    wide4 l[2], r[2];
    widen(l, left);
    widen(r, right);
    for (int h = 0; h < 2; ++h) {
        sums->ll[h] += l[h] * l[h];
        sums->rr[h] += r[h] * r[h];
        sums->lr[h] += l[h] * r[h];
        sums->l[h] += l[h];
        sums->r[h] += r[h];
    }
    keep_extremes(&sums->min_l, &sums->max_l, left);
    keep_extremes(&sums->min_r, &sums->max_r, right);
}

static inline float lower(float a, float b)
{
    return a < b ? a : b;
}

static inline float higher(float a, float b)
{
    return a > b ? a : b;
}

static void join_lanes(struct level_block *block, const struct level_lanes *sums)
{
    for (int i = 0; i < LANES; ++i) {
        block->ll += sums->ll[i / HALF][i % HALF];
        block->rr += sums->rr[i / HALF][i % HALF];
        block->lr += sums->lr[i / HALF][i % HALF];
        block->l += sums->l[i / HALF][i % HALF];
        block->r += sums->r[i / HALF][i % HALF];
        block->min_l = lower(block->min_l, sums->min_l[i]);
        block->max_l = higher(block->max_l, sums->max_l[i]);
        block->min_r = lower(block->min_r, sums->min_r[i]);
        block->max_r = higher(block->max_r, sums->max_r[i]);
    }
}

static inline void add_one(struct level_block *block, float left, float right)
{
    const double l = (double)left, r = (double)right;
    block->ll += l * l;
    block->rr += r * r;
    block->lr += l * r;
    block->l += l;
    block->r += r;
    block->min_l = lower(block->min_l, left);
    block->max_l = higher(block->max_l, left);
    block->min_r = lower(block->min_r, right);
    block->max_r = higher(block->max_r, right);
}

static inline void level_add(struct level_block *block, const float *left, const float *right,
                             uint32_t frames)
{
    struct level_lanes sums = {.l = {{0}}};
    for (int i = 0; i < LANES; ++i) {
        sums.min_l[i] = block->min_l;
        sums.max_l[i] = block->max_l;
        sums.min_r[i] = block->min_r;
        sums.max_r[i] = block->max_r;
    }
    uint32_t i = 0;
    for (; i + LANES <= frames; i += LANES)
        add_eight(&sums, left + i, right + i);
    join_lanes(block, &sums);
    for (; i < frames; ++i)
        add_one(block, left[i], right[i]);
    block->frames += frames;
}
