// SPDX-License-Identifier: MIT
// The render thread: turns tracks into finished blocks in the ring, joins them sample-exactly, obeys seeks.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/audio/ring.h"
#include "engine/prepare/track.h"
#include "io/sink/sink.h"
#include <stdint.h>

/// Thread-safety: Safe from any thread but the audio thread.
struct render;

/// What the render thread asks of the player, without a lock held.
struct render_events {
    /// The track after `track` in the queue as it stands now, a new reference, or NULL at the end and where
    /// `epoch` is out of date. `serial` is the number that its blocks will carry.
    struct track *(*next)(void *context, struct track *track, uint32_t epoch, uint32_t serial);
    /// A track could not be played, or not to its end. `text` says why.
    void (*failed)(void *context, struct track *track, const char *text);
    /// A track's stream has begun: `length_frames` at the device's rate.
    void (*begun)(void *context, struct track *track, uint32_t serial, uint64_t length_frames);
    /// A block was committed; for patient sinks, may be NULL.
    void (*committed)(void *context);
    void *context;
};

struct render_config {
    struct ring *ring;   // borrowed; of two sides if it masters, else of one
    uint32_t rate_hz;    // of the device
    double speed;        // of the device's clock, 1 is real time; of no meaning on a patient sink
    enum sink_pace pace; // patient: wait for the analysis instead of provisional targets
    const struct mastering_settings *settings; // NULL: no mastering
    int has_albums; // 1: each track is told of its album, see track_set_album()
    struct render_events events;
};

/// Create and start the thread. @return 0; -ENOMEM; -EAGAIN. On error *out is NULL.
MUST_CHECK int render_create(struct render **out, const struct render_config *config);
/// End the thread, give its tracks back, set *render to NULL. NULL is fine. Cancels the track it waits for.
void render_destroy(struct render **render);
/// From now on render `track` (a reference is taken; NULL: nothing) from `start_frame` of the device's
/// rate, in blocks of `epoch`, the first of them with `serial`. Replaces a command not yet begun. If the thread
/// waits for another track's bytes or analysis, that track is cancelled.
void render_play(struct render *render, uint32_t epoch, uint32_t serial, struct track *track,
                 uint64_t start_frame);
/// The reader has made room: look again. Needed on patient sinks only.
void render_wake(struct render *render);
