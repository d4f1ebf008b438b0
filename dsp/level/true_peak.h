// SPDX-License-Identifier: MIT
// True peak: the largest magnitude of one channel between its samples.
#pragma once
#include "dsp/level/interpolate.h"
#include <stdint.h>

/// Interpolates 4 times, 2 times from 96 kHz, not at all from 192 kHz, by a windowed sinc. Pieces
/// that cannot reach the peak so far, by the filter's L1 norm, are skipped: that changes no result.
/// Plain data; thread-safety: one thread at a time.
struct true_peak {
    // --- fixed by init
    const struct interpolate_impl *kernel;
    struct interpolate_bank bank;
    uint32_t phases;  // between two samples: 3, 1 or 0
    float gain_bound; // no output exceeds this many times the largest input; 1 from 192 kHz
    // --- state: the last samples before a block, then the block under way
    float line[INTERPOLATE_LINE];
    uint32_t fill;      // samples of the block under way
    float history_peak; // no sample before the block is larger
    float peak;
};

/// Start a channel at `rate_hz`.
void true_peak_init(struct true_peak *meter, uint32_t rate_hz);
/// Take `frames` samples that lie `stride` floats apart.
void true_peak_feed(struct true_peak *meter, const float *samples, uint32_t stride,
                    uint32_t frames);
/// End of the channel. @return its true peak, linear; at least the sample peak.
float true_peak_finish(struct true_peak *meter);
