// SPDX-License-Identifier: MIT
// Sets makeup_db so that the chain's output, measured, lands on target_lufs.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering.h"
#include "dsp/pcm.h"

/// Run the chain over the audio of `reader` (opened as often as needed, closed at the end) and fix
/// targets->makeup_db, predicted_lufs, predicted_dbtp, limiter_reduction_db and shortfall.
/// Deterministic. Blocks as long as the reader does. `analysis` is of the same audio.
/// @return 0; -ENOMEM; -ECANCELED and other errors of the reader (targets unchanged then), but
/// -EBADMSG ends the audio: what is sound is calibrated.
MUST_CHECK int calibrate(struct mastering_targets *targets, const struct analysis *analysis,
                         const struct pcm_reader *reader);
