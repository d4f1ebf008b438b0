// SPDX-License-Identifier: MIT
// From one track's targets to better ones while it plays: how long the chain's ramp is, and how loud both sides
// are on it.
#pragma once
#include "dsp/mastering/mastering.h"
#include "engine/render/match.h"
#include <stdbool.h>
#include <stdint.h>

/// What match_of_lift() takes.
struct levels {
    double lift_db, headroom_db;
};

/// Thread-safety: one thread. Frames are the track's.
struct way {
    struct mastering_targets from, to;
    struct levels from_levels, to_levels;
    uint64_t start_frame;
    uint32_t frames; // 0: it is there already
};

/// Stand at targets that hold at once.
void way_stand(struct way *way, const struct mastering_targets *targets,
               const struct levels *levels);
/// Set out at `frame`, from wherever the way had come by then. @return frames of the ramp for chain_ramp_to(): as
/// provisional_ramp_s() has it.
uint32_t way_go(struct way *way, const struct mastering_targets *to, const struct levels *levels,
                uint64_t frame, uint32_t rate_hz);
/// In dB, at `frame`.
double way_lift_db(const struct way *way, uint64_t frame);
/// All along it both sides are found to be farther apart by so much.
void way_raise_lift(struct way *way, double db);
/// Whether it is there at `frame`, not before where it set out.
bool way_is_over(const struct way *way, uint64_t frame);
/// Gains at which both sides are equally loud at `frame`, and which never jump.
struct match way_match(const struct way *way, uint64_t frame);
