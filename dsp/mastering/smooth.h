// SPDX-License-Identifier: MIT
// The loops of a limiter's envelope: sliding minimum, release, cascaded boxes.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    SMOOTH_GAIN_BITS = 30, // fixed point: 1 = 2^30
    SMOOTH_BOXES = 3,
    SMOOTH_TICK = 16,   // frames that the sliding minimum takes at once
    SMOOTH_GROUP = 8,   // the most frames that the release takes at once
    SMOOTH_PIECE = 256, // the most frames of one call
};

/// A sliding minimum's state. A window of `ticks` SMOOTH_TICK + 1 frames that ends at a frame of the running tick
/// is the rest of an old tick from that frame's place on, the ticks between, and the running one so far:
///
///      | . . o o | o o o o | o o o o | o o o . |
///        suffixes     lowest, middle    running
struct smooth_window {
    float *
        suffixes; // of each tick: the least of each gain and of those behind it in the tick; a ring
    float *
        lowest; // the least of each tick from the ring's begin, of each other and all behind it; then a 1
    float front;                // the least of those from the ring's begin
    uint32_t ticks;             // in the ring
    uint32_t slot;              // of the oldest tick, where the running one goes
    uint32_t phase;             // frames in the running tick
    float running[SMOOTH_TICK]; // gains, 1 for those to come
};

/// The release between two calls. Frames are taken in groups that are counted from the first frame of all, so that
/// they are the same however the stream is cut: one that a call ends within is taken again by the next, and gives
/// what it gave before, since it ends at the share that it began at.
struct smooth_release {
    double value;   // of the last frame before the running group, in fixed-point units
    double share;   // of the running group, if a frame of it is taken
    uint32_t phase; // frames in the running group
};

/// Variants give the same minima, and agree to 2 units of fixed point in the rest; each gives the same bits however the
/// stream is cut. RT safe.
struct smooth_impl {
    const char *name;
    uint32_t cpu_flags;
    /// held[i] = the least of the window that ends with wanted[i], at most 1.
    void (*hold)(struct smooth_window *window, float *held, const float *wanted, uint32_t frames);
    /// out[i] = the fixed-point gain that falls with held[i] and rises by `share` of the way a frame, never above
    /// it. A new share counts from the next group on, if not at once.
    /// Both have SMOOTH_GROUP older elements, of which out's are written as they were, and as many spare ones behind.
    void (*release)(struct smooth_release *state, int32_t *out, const float *held, double share,
                    uint32_t frames);
    /// gains[i] = the mean, over three boxes of `box` frames in a row, of the fixed-point gains, of which `newest` has
    /// 3 `box` older ones. sums[] are running ones, of which the last is the boxes': exact.
    void (*boxes)(int64_t sums[SMOOTH_BOXES], double *gains, const int32_t *newest, uint32_t box,
                  uint32_t frames);
};

extern const struct smooth_impl *const smooth_impls[]; // best first; the last is the reference
extern const size_t smooth_impl_count;
/// The best variant that `cpu_flags` allow.
const struct smooth_impl *smooth_select(uint32_t cpu_flags);
