// SPDX-License-Identifier: MIT
// A track on its way through the render thread: which targets it is mastered by, better ones as they come, and how loud
// both sides of it are meanwhile.
#pragma once
#include "dsp/annotate.h"
#include "engine/prepare/track.h"
#include "engine/render/lift.h"
#include "engine/render/provisional.h"
#include "engine/render/render.h"
#include "engine/render/track_stream.h"
#include "engine/render/way.h"
#include <stdbool.h>
#include <stdint.h>

/// Thread-safety: the render thread's. Where it is copied to, it was not heard before.
struct playing {
    const struct render_config *config;
    struct track *track; // a reference
    struct track_stream *stream;
    uint32_t serial;
    uint64_t frame;                  // of the track, next to be rendered
    struct provisional *provisional; // its own targets are still to come
    struct lift lift;                // by those
    uint64_t looked_at_frames;       // that went into them before they are played
    bool has_news;                   // they have got better
    bool may_join_an_album;          // likewise an album's
    struct way way;                  // to the targets in force
};

/// The ladder: what its album says, the track's own targets, provisional ones. A patient sink waits for the highest.
/// @return 0; -ENOMEM; -ECANCELED; what the stream says.
MUST_CHECK int playing_choose_targets(struct playing *playing);
/// An album's targets take the place of all others, own ones that of provisional ones, and these get better.
void playing_use_better_targets(struct playing *playing);
/// What the block that begins at `frame` is to say of the levels of its sides.
void playing_label_levels(const struct playing *playing, struct ring_block *block);
/// The block is rendered, both sides of it. Nobody has calibrated provisional targets: what they do beyond their makeup
/// is measured, and goes into its levels.
void playing_keep_up(struct playing *playing, struct ring_block *block);
/// Give stream and provisional targets back. Empty is fine.
void playing_close(struct playing *playing);
