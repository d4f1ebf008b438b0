// SPDX-License-Identifier: MIT
// A piece of audio in memory, analysed, calibrated and rendered as the program does it.
#pragma once
#include "dsp/analysis.h"
#include "dsp/mastering/mastering.h"
#include "dsp/pcm.h"

/// Audio as a reader; `at` is its own.
struct mastered_tape {
    const float *interleaved;
    struct pcm_format format;
    uint32_t frames;
    uint32_t at;
};

struct pcm_reader mastered_reader(struct mastered_tape *tape);
/// @return a new analysis to free(), or NULL without memory.
struct analysis *mastered_analyse(const struct mastered_tape *tape);
/// Targets, calibrated. @return 0 or -errno.
int mastered_calibrate(struct mastering_targets *targets, struct mastered_tape *tape,
                       const struct analysis *analysis, const struct mastering_settings *settings);
/// @return tape->frames stereo frames to free(), delay compensated, or NULL without memory.
float *mastered_render(const struct mastered_tape *tape, const struct mastering_targets *targets);
