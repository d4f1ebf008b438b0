// SPDX-License-Identifier: MIT
// What every variant of smooth.h has: each .c that includes it compiles it for its instruction set.
#pragma once
#include "dsp/mastering/smooth.h"
#include <assert.h>
#include <math.h>
#include <string.h>

static const double SMOOTH_UNITY = (double)(INT64_C(1) << SMOOTH_GAIN_BITS);
// The release aims this far above the held gain, so that it arrives instead of coming ever nearer: 0.00003 dB.
static const double SMOOTH_OVERSHOOT = 4096;

static inline float smooth_lower(float a, float b)
{
    return a < b ? a : b;
}

/// The least of the ticks between the oldest and the running one.
static inline float smooth_middle(const struct smooth_window *w)
{
    return smooth_lower(w->front, w->lowest[w->slot + 1]);
}

/// Put a tick's least in place of the oldest's, and go on to the next slot.
static inline void smooth_next_slot(struct smooth_window *w, float least)
{
    w->phase = 0;
    w->lowest[w->slot] = least;
    w->front = smooth_lower(w->front, least);
    if (++w->slot < w->ticks)
        return;
    for (uint32_t i = w->ticks; i > 0; --i)
        w->lowest[i - 1] = smooth_lower(w->lowest[i - 1], w->lowest[i]);
    w->front = 1.0F;
    w->slot = 0;
}

/// Three boxes in a row are the third difference over a box's length, summed three times.
static inline void smooth_differences(int64_t *restrict out, const int32_t *newest, uint32_t box,
                                      uint32_t frames)
{
    const int32_t *a = newest - box, *b = a - box, *c = b - box;
    for (uint32_t i = 0; i < frames; ++i) {
        // Gains are within 0..1, so that their differences fit: half as much to widen.
        const int32_t inner = b[i] - a[i], outer = newest[i] - c[i];
        out[i] = 3 * (int64_t)inner + outer;
    }
}

/// parts[] become the running sums of the running sums of the running sums. One frame after the other: in vectors the
/// shuffles take longer than this.
static inline void smooth_sum_up(int64_t sums[SMOOTH_BOXES], int64_t *parts, uint32_t frames)
{
    int64_t s0 = sums[0], s1 = sums[1], s2 = sums[2];
#pragma GCC unroll 4
    for (uint32_t i = 0; i < frames; ++i) {
        s0 += parts[i];
        s1 += s0;
        s2 += s1;
        parts[i] = s2;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
}

static void smooth_boxes(int64_t sums[SMOOTH_BOXES], double *restrict gains, const int32_t *newest,
                         uint32_t box, uint32_t frames)
{
    const double full = SMOOTH_UNITY * box * box * box, inverse = 1.0 / full;
    int64_t parts[SMOOTH_PIECE];
    assert(frames <= SMOOTH_PIECE);
    smooth_differences(parts, newest, box, frames);
    smooth_sum_up(sums, parts, frames);
    // As a distance from unity, so that unity comes out exactly.
    for (uint32_t i = 0; i < frames; ++i)
        gains[i] = 1.0 - (full - (double)parts[i]) * inverse;
}
