// SPDX-License-Identifier: MIT
// The one body of every variant of level_kernel.h: each .c that includes it compiles it for its
// instruction set.
#pragma once
#include "dsp/level/level_kernel.h"
#include "dsp/vectors.h"

enum { LANES = VECTOR_LANES };

// What the sums of a block are made of, by lane.
struct level_lanes {
    struct vector8_wide ll, rr, lr, l, r;
    vector8 min_l, max_l, min_r, max_r;
};

static inline void keep_extremes(vector8 *min, vector8 *max, const float *values)
{
    vector8 x;
    memcpy(&x, values, sizeof x);
    vector8_lower(min, &x);
    vector8_higher(max, &x);
}

static inline void add_eight(struct level_lanes *sums, const float *left, const float *right)
{
    struct vector8_wide l, r;
    vector8_widen(&l, left);
    vector8_widen(&r, right);
    for (int h = 0; h < VECTOR_PARTS; ++h) {
        sums->ll.part[h] += l.part[h] * l.part[h];
        sums->rr.part[h] += r.part[h] * r.part[h];
        sums->lr.part[h] += l.part[h] * r.part[h];
        sums->l.part[h] += l.part[h];
        sums->r.part[h] += r.part[h];
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
        block->ll += sums->ll.part[i / VECTOR_PART][i % VECTOR_PART];
        block->rr += sums->rr.part[i / VECTOR_PART][i % VECTOR_PART];
        block->lr += sums->lr.part[i / VECTOR_PART][i % VECTOR_PART];
        block->l += sums->l.part[i / VECTOR_PART][i % VECTOR_PART];
        block->r += sums->r.part[i / VECTOR_PART][i % VECTOR_PART];
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
    struct level_lanes sums = {.l = {.part = {{0}}}};
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
