// SPDX-License-Identifier: MIT
// The tracks between queue and ear: what is heard, what is rendered ahead of it, what is planned after that.
#pragma once
#include "dsp/annotate.h"
#include "engine/prepare/track.h"
#include <stdbool.h>
#include <stdint.h>

enum { LINEUP_PLANNED_MAX = 2 };

/// A track whose rendering has begun.
struct lineup_track {
    struct track *track; // a reference
    uint32_t serial;     // in its blocks
    uint64_t length_frames;
    bool begun; // its stream could be opened
};

/// Plain data. Thread-safety: one thread at a time (the player's lock).
struct lineup {
    struct lineup_track *rendered; // in order; the first is heard, the last is being rendered
    uint32_t rendered_count, rendered_capacity;
    struct track *planned[LINEUP_PLANNED_MAX]; // references; what comes next
    uint32_t planned_count;
};

/// Take `track` (a reference is taken) as the next to be rendered. @return 0; -ENOMEM.
MUST_CHECK int lineup_push(struct lineup *lineup, struct track *track, uint32_t serial);
/// The entry of that serial, or NULL.
struct lineup_track *lineup_find(struct lineup *lineup, uint32_t serial);
/// Let go of all lineup before `serial`. @return how many of them had begun.
uint32_t lineup_pop_before(struct lineup *lineup, uint32_t serial);
/// Let go of all rendered ones. @return how many of them had begun.
uint32_t lineup_clear_rendered(struct lineup *lineup);
/// Take the planned track of queue entry `id` out of the plan. @return its reference, or NULL.
struct track *lineup_take_planned(struct lineup *lineup, uint64_t id);
/// Let go of everything.
void lineup_clear(struct lineup *lineup);
