// SPDX-License-Identifier: MIT
// Finds out, ahead of playing, which tracks of the queue are one album whose sound runs on, and their makeup.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/log.h"
#include "engine/prepare/scheduler.h"
#include "engine/prepare/track.h"
#include <stdint.h>

/// A thread of its own, below playback in priority. Thread-safety: Safe, except on the audio thread.
struct album_planner;

enum album_side { ALBUM_BEFORE, ALBUM_AFTER };

struct album_planner_config {
    struct scheduler *scheduler; // borrowed
    struct mastering_settings settings;
    struct log *log; // borrowed
    /// The entry before or after `id` in play order, and its path, the planner's to free(). @return its id; 0:
    /// none. Called on the planner's thread, which holds no lock.
    uint64_t (*neighbour)(void *context, uint64_t id, enum album_side side, char **path);
    void *context;
};

/// Create and start the thread. @return 0; -ENOMEM; -EAGAIN. On error *out is NULL.
MUST_CHECK int album_planner_create(struct album_planner **out,
                                    const struct album_planner_config *config);
/// Cancel what it does, end the thread, set *planner to NULL. NULL is fine. Before the scheduler is destroyed.
void album_planner_destroy(struct album_planner **planner);
/// Tracks whose answer is wanted, soonest first: the first ALBUM_PLANNER_TRACKS of them that have none yet get
/// track_set_album() (references are taken). What an earlier plan wanted and this one does not is given up.
void album_planner_plan(struct album_planner *planner, struct track *const *tracks, uint32_t count);

enum { ALBUM_PLANNER_TRACKS = 8 };
