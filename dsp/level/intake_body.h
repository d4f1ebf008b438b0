// SPDX-License-Identifier: MIT
// The one body of every variant of intake.h: each .c that includes it compiles it for its instruction set.
#pragma once
#include "dsp/level/intake.h"
#include "dsp/vectors.h"
#include <math.h>

// Samples of the blocks after this one are asked for while it is looked at, as the processor does not look beyond a page
// by itself: 157 to 151 ms of a whole track that lies in memory. Asking for what is beyond the caller's buffer does no harm.
enum { AHEAD_BYTES = 1 << 14 };

static inline struct intake intake_clean(float *restrict out, const float *restrict in,
                                         size_t samples)
{
    wide largest = {0};
    wide_mask changed = {0};
    size_t i = 0;
    for (; i + WIDE_LANES <= samples; i += WIDE_LANES) {
        wide x, before;
        memcpy(&x, in + i, sizeof x);
        __builtin_prefetch((const void *)((uintptr_t)(in + i) + AHEAD_BYTES));
        before = x;
        wide_clean(&x, INTAKE_LARGEST);
        memcpy(out + i, &x, sizeof x);
        changed |= (wide_mask)x ^ (wide_mask)before; // 0 where nothing was replaced
        wide_magnitude(&x);
        wide_higher(&largest, &x);
    }
    struct intake intake = {.peak = wide_highest(&largest)};
    for (int lane = 0; lane < WIDE_LANES; ++lane)
        intake.has_odd |= changed[lane] != 0 ? 1 : 0;
    for (; i < samples; ++i) {
        const float magnitude = fabsf(in[i]);
        out[i] = magnitude <= INTAKE_LARGEST ? in[i] : 0.0F; // false for NaN
        intake.has_odd |= magnitude <= INTAKE_LARGEST ? 0 : 1;
        intake.peak = fabsf(out[i]) > intake.peak ? fabsf(out[i]) : intake.peak;
    }
    return intake;
}

static inline void intake_split(float *restrict left, float *restrict right, float *restrict mono,
                                const float *restrict stereo, size_t frames)
{
    size_t i = 0;
    for (; i + WIDE_LANES <= frames; i += WIDE_LANES) {
        wide l, r;
        wide_deal(&l, &r, stereo + 2 * i);
        memcpy(left + i, &l, sizeof l);
        memcpy(right + i, &r, sizeof r);
        l = 0.5F * (l + r);
        memcpy(mono + i, &l, sizeof l);
    }
    for (; i < frames; ++i) {
        left[i] = stereo[2 * i];
        right[i] = stereo[2 * i + 1];
        mono[i] = 0.5F * (left[i] + right[i]);
    }
}
