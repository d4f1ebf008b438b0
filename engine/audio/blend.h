// SPDX-License-Identifier: MIT
// What is heard of mastered and plain audio: a gain for each, which go over to others without a corner.
#pragma once
#include "dsp/annotate.h"
#include <stdbool.h>
#include <stdint.h>

/// Linear gains; at rest one of them is 0. The sides are the same music at the same instant, so that on the way their
/// gains add, not their powers.
struct blend_gains {
    float mastered, plain;
};

/// Plain data. Thread-safety: one thread at a time.
struct blend {
    struct blend_gains from, to;
    uint32_t frames, left; // of the way from one to the other; 0 left: it is done
};

/// Take gains at once. RT safe.
RT_SAFE void blend_jump(struct blend *blend, struct blend_gains to);
/// Go over to gains in `frames` frames (more than 0), from wherever the last way is. On the way there already:
/// nothing. RT safe.
RT_SAFE void blend_go(struct blend *blend, struct blend_gains to, uint32_t frames);
/// Blend stereo into `out`. At rest at a gain of 1 the result is that side's bits, and the other side is not read;
/// `plain` may be NULL where its gain was and stays 0. RT safe.
RT_SAFE void blend_process(struct blend *blend, float *out, const float *mastered,
                           const float *plain, uint32_t frames);
