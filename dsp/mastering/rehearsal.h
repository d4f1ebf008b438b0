// SPDX-License-Identifier: MIT
// A run of the chain over whole tracks that is measured instead of heard.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/limiting_model.h"
#include "dsp/mastering/mastering.h"
#include "dsp/pcm.h"
#include <stdint.h>

enum rehearsal_mode {
    REHEARSE_INPUT,     // the audio as it is
    REHEARSE_UNLIMITED, // through everything ahead of the limiter
    REHEARSE_WHOLE,     // through the chain
};

/// What came out.
struct rehearsal_outcome {
    double lufs;         // integrated; -70 where nothing passes the gate
    double peak;         // true peak, linear
    double least_gain;   // of the limiter; 1: at rest
    double reduction_db; // 99.9 % of the samples that are not silence had no more
};

struct rehearsal_track {
    // --- given
    const struct mastering_targets *targets; // but for the makeup
    const struct pcm_reader *reader;
    int runs_on;     // the chain goes on from the track before, if both have one rate
    int wants_model; // of an unlimited run
    // --- found
    struct rehearsal_outcome outcome;
    // the caller destroys it; NULL: not wanted, or the track is too long for one
    struct limiting_model *model;
};

/// Scratch memory of many runs. Thread-safety: one thread at a time.
struct rehearsal;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int rehearsal_create(struct rehearsal **out);
/// Destroy and set *rehearsal to NULL. NULL is fine.
void rehearsal_destroy(struct rehearsal **rehearsal);
/// Run over `count` tracks in order, all with one makeup. Where the chain runs on, what it still holds of a
/// track counts to the next. @return 0 and each track's outcome, and in *whole that of all of them
/// as one: loudness of what comes out played one after another, its blocks across the joins too, the strongest peak
/// and reduction; -ENOMEM; an error of a reader, but -EBADMSG ends a track's audio.
MUST_CHECK int rehearsal_run(struct rehearsal *rehearsal, struct rehearsal_track *tracks,
                             uint32_t count, double makeup_db, enum rehearsal_mode mode,
                             struct rehearsal_outcome *whole);
