// SPDX-License-Identifier: MIT
// Sets makeup_db so that the chain's output, measured, lands on target_lufs.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "dsp/pcm.h"
#include <stdint.h>

/// Run the chain over the audio of `reader` (opened as often as needed, closed at the end) and fix
/// targets->makeup_db, predicted_lufs, predicted_dbtp, limiter_reduction_db and shortfall.
/// Deterministic. Blocks as long as the reader does. `analysis` is of the same audio.
/// @return 0; -ENOMEM; -ECANCELED and other errors of the reader (targets unchanged then), but
/// -EBADMSG ends the audio: what is sound is calibrated.
MUST_CHECK int calibrate(struct mastering_targets *targets, const struct analysis *analysis,
                         const struct pcm_reader *reader);

enum calibrate_join {
    CALIBRATE_FRESH, // the chain starts fresh at the track's first frame
    CALIBRATE_RUNS_ON, // it goes on from the track before, its parameters by a ramp of CHAIN_JOIN_SECONDS
};

/// A track of an album.
struct calibrate_track {
    struct mastering_targets *targets; // its own, as computed: EQ, compressor and width stay
    const struct analysis *analysis;   // of the same audio
    const struct pcm_reader *reader;
    enum calibrate_join join; // a track of another rate than the one before is always fresh
};

/// What an album measures as a whole, mastered.
struct calibrate_album {
    double target_lufs; // by the settings, from the album's own loudness where they ask for it
    double lufs;        // of its tracks one after another, as one; NaN where the chain is bypassed
    double dbtp;
};

/// Fix one makeup for all of `tracks`, in their order, so that the album's gated loudness lands on the target
/// that `settings` ask for, or below where a track's limiter would take more than it may. Each track's
/// predicted figures are its own; target and shortfall are the album's. All targets are computed by
/// `settings`. @return as calibrate(); on error all targets are unchanged.
MUST_CHECK int calibrate_album(const struct calibrate_track *tracks, uint32_t count,
                               const struct mastering_settings *settings,
                               struct calibrate_album *album);
