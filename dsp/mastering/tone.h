// SPDX-License-Identifier: MIT
// Everything ahead of the limiter: EQ, compressor, width, makeup, with their ramps.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/compressor.h"
#include "dsp/mastering/eq.h"
#include "dsp/mastering/mastering.h"
#include "dsp/mastering/width.h"
#include <stdint.h>

/// One setting of all stages as numbers that may be mixed.
struct tone_numbers {
    double eq[EQ_NUMBERS];
    struct compressor_numbers compressor;
    double side_gain;
    double makeup; // linear
};

/// Thread-safety: one thread at a time. No heap memory.
struct tone {
    // --- immutable after init
    double rate_hz;
    double width_coefficient;
    const struct eq_impl *eq_impl;
    const struct width_impl *width_impl;
    // --- state
    struct eq eq;
    struct compressor compressor;
    struct width width;
    // --- settings: `now` is in force; while ramp_done < ramp_frames it is a mixture of both others
    struct tone_numbers now, from, to;
    uint32_t ramp_done, ramp_frames;
};

/// At unity. RT safe.
RT_SAFE void tone_init(struct tone *tone, double rate_hz);
/// Forget all audio and take `targets` at once. RT safe.
RT_SAFE void tone_reset(struct tone *tone, const struct mastering_targets *targets);
/// Move from what is in force to `targets` over `ramp_frames` (at least 50 ms is used). RT safe.
RT_SAFE void tone_ramp_to(struct tone *tone, const struct mastering_targets *targets,
                          uint32_t ramp_frames);
/// Process interleaved stereo in place, without delay. RT safe.
RT_SAFE void tone_process(struct tone *tone, double *stereo, uint32_t frames);
