// SPDX-License-Identifier: MIT
// Plays a score into memory: a small synthesiser of sines, plucked strings and noise.
#pragma once
#include "dsp/annotate.h"
#include "engine/desktop/demo_score.h"
#include <stdint.h>

/// Stereo, interleaved, the largest sample at 0.7; the caller frees it with free(). The same every time.
/// @return frames, or -ENOMEM (*stereo is NULL).
MUST_CHECK int64_t demo_synth_play(float **stereo, const struct demo_score *score);
