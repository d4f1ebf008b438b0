// SPDX-License-Identifier: MIT
// The one body of every variant of intake.h: each .c that includes it compiles it for its instruction set.
#pragma once
#include "dsp/level/intake.h"
#include "dsp/vectors.h"

// Samples of the blocks after this one are asked for while it is looked at, as the processor does not look beyond
// a page by itself: 157 to 151 ms of a whole track that lies in memory. Asking for what is beyond the caller's
// buffer does no harm.
enum { AHEAD_BYTES = 1 << 14 };

static inline int32_t bits_of_magnitude(float value)
{
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & INT32_MAX;
}

// Keep what is neither odd nor too faint, and raise the largest magnitudes by all. Their bits order as magnitudes do,
// those of NaN above all.
static inline void keep_sound(wide_mask *x, wide_mask *largest)
{
    wide_mask magnitude = *x & INT32_MAX;
    *x &= (magnitude >= bits_of_magnitude(INTAKE_LEAST)) &
          (magnitude <= bits_of_magnitude(INTAKE_LARGEST));
    wide_mask_higher(largest, &magnitude);
}

// Copy sound. @return the bits of the largest magnitude of all samples.
static inline int32_t copy_sound(float *out, const float *in, size_t samples)
{
    wide_mask largest = {0};
    size_t i = 0;
    for (; i + WIDE_LANES <= samples; i += WIDE_LANES) {
        wide_mask x;
        memcpy(&x, in + i, sizeof x);
        __builtin_prefetch((const void *)((uintptr_t)(in + i) + AHEAD_BYTES));
        keep_sound(&x, &largest);
        memcpy(out + i, &x, sizeof x);
    }
    wide_mask rest = {0};
    memcpy(&rest, in + i, (samples - i) * sizeof *in);
    keep_sound(&rest, &largest);
    memcpy(out + i, &rest, (samples - i) * sizeof *out);
    int32_t top = 0;
    for (int lane = 0; lane < WIDE_LANES; ++lane)
        top = largest[lane] > top ? largest[lane] : top;
    return top;
}

// Hardly any track has odd samples: where there was one, what is left is looked at again for its peak.
static inline struct intake intake_clean(float *out, const float *in, size_t samples)
{
    int32_t top = copy_sound(out, in, samples);
    struct intake intake = {.has_odd = top > bits_of_magnitude(INTAKE_LARGEST)};
    if (intake.has_odd)
        top = copy_sound(out, out, samples);
    if (top >= bits_of_magnitude(INTAKE_LEAST))
        memcpy(&intake.peak, &top, sizeof top);
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
