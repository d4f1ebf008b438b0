// SPDX-License-Identifier: MIT
// Signals that are hard on a limiter.
#pragma once
#include <stdint.h>

enum torture_item {
    TORTURE_CRUSHED_NOISE,
    TORTURE_QUARTER_TONE_0, // fs/4 at four phases
    TORTURE_QUARTER_TONE_1,
    TORTURE_QUARTER_TONE_2,
    TORTURE_QUARTER_TONE_3,
    TORTURE_SIXTH_TONE_0, // fs/6 likewise
    TORTURE_SIXTH_TONE_1,
    TORTURE_SIXTH_TONE_2,
    TORTURE_SIXTH_TONE_3,
    TORTURE_IMPULSES,
    TORTURE_SQUARE_BURSTS,
    TORTURE_HOT_MUSIC, // 12 dB over full scale
    TORTURE_ITEMS
};

/// "crushed-noise" ..
const char *torture_name(int item);

struct torture {
    enum torture_item item;
    uint32_t rate_hz;
    double gain;
    double burst_period_s; // 0: as given; else 4 ms of it so often, over itself at -50 dB
    uint32_t sound_frames; // silence behind them
};

/// Fill interleaved stereo; the right side is the left, turned over, at 0.7.
void torture_fill(const struct torture *torture, float *stereo, uint32_t frames);
