// SPDX-License-Identifier: MIT
// Running sums of a stereo signal: peak, crest, one-second blocks, width, correlation, silent ends.
#pragma once
#include <stdint.h>

struct level_impl;

/// Sums over a stretch of frames.
struct level_block {
    uint64_t frames;
    double ll, rr, lr, l, r;
    float min_l, max_l, min_r, max_r;
};

/// Mean and spread of a list that is not kept (Welford's update).
struct level_spread {
    uint64_t count;
    double mean, squares;
};

/// Plain data; thread-safety: one thread at a time.
struct level_sums {
    const struct level_impl *kernel;
    uint32_t block_frames;     // one second
    struct level_block block;  // under way
    struct level_block total;  // of the blocks before it
    struct level_spread crest; // of whole blocks with sound, in dB
    struct level_spread peak;  // of whole blocks
};

void level_sums_init(struct level_sums *sums, uint32_t rate_hz);
/// Take `frames` frames of both sides.
void level_sums_feed(struct level_sums *sums, const float *left, const float *right,
                     uint32_t frames);

/// What the sums say about a whole track; each figure has its value for silence where it must. What is fainter than
/// -360 dBFS (RMS) counts as silence: denormal numbers have no shape.
struct level_result {
    double crest_db;
    double dynamic_range_variation;
    double peak_consistency;
    double stereo_width;
    double phase_correlation;
};
/// End of the track; no feed after it.
void level_sums_finish(struct level_sums *sums, struct level_result *out);
