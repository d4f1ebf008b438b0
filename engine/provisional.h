// SPDX-License-Identifier: MIT
// Mastering targets for a track whose analysis is not there yet, from the audio at its head.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering.h"
#include <stdint.h>

enum provisional_kind {
    PROVISIONAL_FIRST, // as for any track
    PROVISIONAL_AGAIN, // it was mastered before: makeup alone
};

/// Targets for `frames` frames of interleaved stereo at `rate_hz` as if they were the whole track.
/// @return 0; -ENOMEM. Blocks for about a hundredth of the audio's time.
MUST_CHECK int provisional_targets(struct mastering_targets *out, const float *stereo,
                                   uint32_t frames, uint32_t rate_hz,
                                   const struct mastering_settings *settings,
                                   enum provisional_kind kind);
