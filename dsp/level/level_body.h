// SPDX-License-Identifier: MIT
// The one body of every variant of level_kernel.h: each .c that includes it compiles it for its
// instruction set.
#pragma once
#include "dsp/level/level_kernel.h"
#include "dsp/vectors.h"

enum { RUN = 16 }; // values of a lane that are summed in single precision, before double

struct level_extremes {
    wide min_l, max_l, min_r, max_r;
};

static inline float lower(float a, float b)
{
    return a < b ? a : b;
}

static inline float higher(float a, float b)
{
    return a > b ? a : b;
}

static inline void keep_extremes(wide *min, wide *max, const wide *x)
{
    wide_lower(min, x);
    wide_higher(max, x);
}

// Up to RUN registers of frames of either side. @return how many frames.
static inline uint32_t add_run(struct level_block *block, struct level_extremes *extremes,
                               const float *left, const float *right, uint32_t frames)
{
    wide ll = {0}, rr = {0}, lr = {0}, sum_l = {0}, sum_r = {0};
    uint32_t i = 0;
    for (uint32_t n = 0; n < RUN && i + WIDE_LANES <= frames; ++n, i += WIDE_LANES) {
        wide l, r;
        memcpy(&l, left + i, sizeof l);
        memcpy(&r, right + i, sizeof r);
        ll += l * l;
        rr += r * r;
        lr += l * r;
        sum_l += l;
        sum_r += r;
        keep_extremes(&extremes->min_l, &extremes->max_l, &l);
        keep_extremes(&extremes->min_r, &extremes->max_r, &r);
    }
    block->ll += (double)wide_sum(&ll);
    block->rr += (double)wide_sum(&rr);
    block->lr += (double)wide_sum(&lr);
    block->l += (double)wide_sum(&sum_l);
    block->r += (double)wide_sum(&sum_r);
    return i;
}

static void join_extremes(struct level_block *block, const struct level_extremes *extremes)
{
    for (int i = 0; i < WIDE_LANES; ++i) {
        block->min_l = lower(block->min_l, extremes->min_l[i]);
        block->max_l = higher(block->max_l, extremes->max_l[i]);
        block->min_r = lower(block->min_r, extremes->min_r[i]);
        block->max_r = higher(block->max_r, extremes->max_r[i]);
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
    struct level_extremes extremes = {block->min_l + (wide){0}, block->max_l + (wide){0},
                                      block->min_r + (wide){0}, block->max_r + (wide){0}};
    uint32_t i = 0;
    while (i + WIDE_LANES <= frames)
        i += add_run(block, &extremes, left + i, right + i, frames - i);
    join_extremes(block, &extremes);
    for (; i < frames; ++i)
        add_one(block, left[i], right[i]);
    block->frames += frames;
}
