// SPDX-License-Identifier: MIT
// The one body of every variant of intake.h: each .c that includes it compiles it for its instruction set.
#pragma once
#include "dsp/level/intake.h"
#include "dsp/vectors.h"
#include <math.h>

// Samples of the blocks after this one are asked for while it is looked at, as the processor does not look beyond
// a page by itself: 157 to 151 ms of a whole track that lies in memory. Asking for what is beyond the caller's
// buffer does no harm.
enum { AHEAD_BYTES = 1 << 14 };

// The odd ones of samples that have some.
static struct intake replace_odd(float *samples, size_t count)
{
    struct intake intake = {.has_odd = 1};
    for (size_t i = 0; i < count; ++i) {
        const float magnitude = fabsf(samples[i]);
        if (magnitude <= INTAKE_LARGEST) // false for NaN
            intake.peak = magnitude > intake.peak ? magnitude : intake.peak;
        else
            samples[i] = 0.0F;
    }
    return intake;
}

// Hardly any track has odd samples, so all are copied as they are, and looked at again where there was one.
static inline struct intake intake_clean(float *restrict out, const float *restrict in,
                                         size_t samples)
{
    wide_mask largest = {0}; // magnitudes
    size_t i = 0;
    for (; i + WIDE_LANES <= samples; i += WIDE_LANES) {
        wide_mask x;
        memcpy(&x, in + i, sizeof x);
        __builtin_prefetch((const void *)((uintptr_t)(in + i) + AHEAD_BYTES));
        memcpy(out + i, &x, sizeof x);
        x &= INT32_MAX;
        wide_mask_higher(&largest, &x);
    }
    wide_mask rest = {0};
    memcpy(&rest, in + i, (samples - i) * sizeof *in);
    memcpy(out + i, in + i, (samples - i) * sizeof *in);
    rest &= INT32_MAX;
    wide_mask_higher(&largest, &rest);
    int32_t top = 0;
    for (int lane = 0; lane < WIDE_LANES; ++lane)
        top = largest[lane] > top ? largest[lane] : top;
    struct intake intake = {.has_odd = 0};
    memcpy(&intake.peak, &top, sizeof top);
    return intake.peak <= INTAKE_LARGEST ? intake : replace_odd(out, samples);
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
