// SPDX-License-Identifier: MIT
// From wanted gains to a smooth gain that is never above any of them: the heart of the limiter.
#pragma once
#include "dsp/annotate.h"
#include "dsp/history.h"
#include <stdint.h>

enum { ENVELOPE_BOXES = 3, ENVELOPE_MAX_LEVELS = 16 };

struct envelope_config {
    uint32_t box_frames;  // length of each of the three smoothing boxes, 1..4096
    uint32_t hold_frames; // how long a gain is held beyond the boxes' common length
};

/// Sliding minimum, release, three cascaded boxes. For the gain out[n] and every wanted gain
/// in[n-k], k = envelope_lead(e) .. envelope_lead(e) + hold: out[n] <= in[n-k] but for one rounding. Sums are integers:
/// exact however the stream is cut. Thread-safety: one thread at a time.
struct envelope {
    // --- immutable after init
    uint32_t window_frames;
    uint32_t box_frames;
    uint32_t levels;
    double full; // what the last box holds at unity
    // --- state; gains are fixed point, 1 = 2^30
    struct history minima[ENVELOPE_MAX_LEVELS]; // minima over 1, 2, 4 .. frames
    struct history boxes[ENVELOPE_BOXES];
    int64_t sums[ENVELOPE_BOXES];
    int64_t released;
    uint32_t settled_frames; // for so long every gain wanted and released was unity, capped
};

/// @return 0; -ENOMEM: envelope_deinit() it still.
MUST_CHECK int envelope_init(struct envelope *envelope, const struct envelope_config *config);
/// Free the memory. A zeroed envelope is fine.
void envelope_deinit(struct envelope *envelope);
/// Back to unity. RT safe.
RT_SAFE void envelope_reset(struct envelope *envelope);
/// Frames from a wanted gain's arrival to the first output that is sure to respect it. RT safe.
RT_SAFE uint32_t envelope_lead(const struct envelope *envelope);
/// Fixed-point share of the way to the held minimum that each frame goes on release. RT safe.
RT_SAFE int64_t envelope_release(double time_s, double rate_hz);
/// Take `frames` (up to HISTORY_PIECE) wanted gains in 0..1, give as many smooth ones. RT safe.
RT_SAFE void envelope_process(struct envelope *envelope, int64_t release, const float *wanted,
                              double *gains, uint32_t frames);
