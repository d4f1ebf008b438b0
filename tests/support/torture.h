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

/// What a hostile burst is made of; each is told apart further by its number.
enum torture_burst_kind {
    BURST_BAND_NOISE,       // noise of a band
    BURST_CLIPPED_NOISE,    // the same, clipped hard
    BURST_SINC_SIGNS,       // signs of a sinc between its zeros, some turned: its tails add up
    BURST_TURNED_TONE,      // clipped tone that turns its polarity
    BURST_DIFFERENCE_SIGNS, // signs of differenced noise
    BURST_SWEEP,            // clipped, up to the Nyquist frequency
    BURST_KINDS
};

/// One of an endless set of bursts that short interpolators read too low.
struct torture_burst {
    enum torture_burst_kind kind;
    uint32_t frames;
    double level; // of its samples, about
    uint64_t seed;
};

/// The burst `index` at a rate: 1 to 8 ms, of each kind in turn, at 0.3 to 4.
struct torture_burst torture_burst_of(uint32_t index, uint32_t rate_hz);
/// Write its samples, `stride` apart.
void torture_burst_write(const struct torture_burst *burst, float *x, uint32_t stride);
/// Fill interleaved stereo with bursts from `first` on, one every 50 ms, over noise at -50 dB; the right side has other
/// bursts, a little later. @return how many.
uint32_t torture_fill_bursts(float *stereo, uint32_t frames, uint32_t rate_hz, uint32_t first);
