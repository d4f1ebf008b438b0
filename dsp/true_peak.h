// SPDX-License-Identifier: MIT
// True peak: the largest magnitude of one channel between its samples.
#pragma once
#include <stdint.h>

enum {
    TRUE_PEAK_TAPS = 24,         // of each phase
    TRUE_PEAK_MAX_PHASES = 3,    // between two samples
    TRUE_PEAK_BLOCK_FRAMES = 64, // the grain of skipping
};

/// Interpolates 4 times, 2 times from 96 kHz, not at all from 192 kHz, by a windowed sinc. Pieces
/// that cannot reach the peak so far, by the filter's L1 norm, are skipped: that changes no result.
/// Plain data; thread-safety: one thread at a time.
struct true_peak {
    // --- fixed by init
    uint32_t phases; // 0, 1 or 3
    float taps[TRUE_PEAK_MAX_PHASES][TRUE_PEAK_TAPS];
    float gain_bound; // no output exceeds this many times the largest input
    // --- state: the last TAPS - 1 samples, then room for a block
    float line[TRUE_PEAK_TAPS - 1 + TRUE_PEAK_BLOCK_FRAMES];
    uint32_t fill; // samples of the block under way
    float peak;
};

/// Start a channel at `rate_hz`.
void true_peak_init(struct true_peak *meter, uint32_t rate_hz);
/// Take `frames` samples that lie `stride` floats apart.
void true_peak_feed(struct true_peak *meter, const float *samples, uint32_t stride,
                    uint32_t frames);
/// End of the channel. @return its true peak, linear; at least the sample peak.
float true_peak_finish(struct true_peak *meter);
