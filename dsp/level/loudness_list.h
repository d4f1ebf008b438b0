// SPDX-License-Identifier: MIT
// The gated figures of loudness, and the short-term list, from mean powers of every 100 ms, in bounded memory.
#pragma once
#include "dsp/annotate.h"
#include "dsp/level/loudness_tally.h"
#include <stdint.h>

enum {
    LOUDNESS_LIST_STEPS = 36000, // that are kept: an hour
    LOUDNESS_WINDOW_STEPS = 30,  // of a short-term window: 3 s
    LOUDNESS_LATEST_STEPS = LOUDNESS_WINDOW_STEPS - 1,
};

/// Mean powers of every 100 ms, weighted as loudness is. Up to an hour each is kept (4 bytes) and every figure is
/// exact. Of a longer track whole windows are counted by their loudness, and of their list one in two, four and so
/// on is kept, so that memory stays below 0.5 MB: integrated loudness is within 0.001 LU then, range and variation
/// within 0.01. Thread-safety: one thread at a time.
struct loudness_list {
    float *powers; // of every step; over an hour, of one short-term window in `stride`
    uint32_t count;
    // --- over an hour
    struct loudness_tally blocks, short_terms; // windows of 400 ms and of 3 s
    uint32_t counted, stride;                  // short-term windows
    float latest[LOUDNESS_LATEST_STEPS];       // steps that begin windows to come
};

/// Start empty. No memory is taken.
void loudness_list_init(struct loudness_list *list);
/// Free the memory. A zeroed list is fine.
void loudness_list_deinit(struct loudness_list *list);
/// Take all the memory now that a track of any length needs, and touch it. For an empty list. @return 0; -ENOMEM.
MUST_CHECK int loudness_list_reserve(struct loudness_list *list);
/// @return 0; -ENOMEM.
MUST_CHECK int loudness_list_add(struct loudness_list *list, double power);

/// What the integrated loudness of a track is made of.
struct loudness_steps {
    const struct loudness_tally *earlier; // blocks before those of the powers; NULL: none
    const float *powers;                  // of every 100 ms
    uint32_t count;
};

/// They belong to the list and hold until the next addition.
struct loudness_steps loudness_list_steps(const struct loudness_list *list);
/// Integrated loudness of `count` tracks, one after another, as if they were one: of an album. Blocks run on across the
/// joins, but into a track of over an hour. -70 where none passed the gates.
double loudness_steps_integrated_lufs(const struct loudness_steps *tracks, uint32_t count);

/// Loudness range of the short-term list by EBU Tech 3342; 0 where nothing passes its gates.
double loudness_list_range_lu(const struct loudness_list *list);
/// Standard deviation of the short-term list under the same gates, in LU; 0 under two values.
double loudness_list_variation_lu(const struct loudness_list *list);
/// How many values the short-term list has: one every 100 ms, or one every 200 ms over an hour, 400 ms over two
/// and so on.
uint32_t loudness_list_short_term_count(const struct loudness_list *list);
/// Write them in LUFS; -HUGE_VALF for digital silence.
void loudness_list_short_term_fill(const struct loudness_list *list, float *out_lufs);
