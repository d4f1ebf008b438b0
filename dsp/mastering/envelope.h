// SPDX-License-Identifier: MIT
// From wanted gains to a smooth gain that is never above any of them: the heart of the limiter.
#pragma once
#include "dsp/annotate.h"
#include "dsp/history.h"
#include "dsp/mastering/smooth.h"
#include <stdint.h>

struct envelope_config {
    uint32_t box_frames;  // length of each of the three smoothing boxes, 1..4096
    uint32_t hold_frames; // how long at least a gain is held beyond the boxes' common length
};

/// Sliding minimum, release, three cascaded boxes. For the gain out[n] and every wanted gain
/// in[n-k], k = envelope_lead(e) .. envelope_lead(e) + hold: out[n] <= in[n-k] but for one rounding. Sums are integers:
/// exact however the stream is cut. Thread-safety: one thread at a time.
struct envelope {
    // --- immutable after init
    uint32_t box_frames;
    const struct smooth_impl *loops;
    // --- state
    struct smooth_window window;
    struct history held;     // float
    struct history released; // int32_t, fixed point
    struct smooth_release release;
    int64_t sums[SMOOTH_BOXES];
    uint32_t settled_frames; // for so long every gain wanted and released was unity, capped
    uint32_t rested;         // pieces taken while settled
};

/// @return 0; -ENOMEM: envelope_deinit() it still.
MUST_CHECK int envelope_init(struct envelope *envelope, const struct envelope_config *config);
/// Free the memory. A zeroed envelope is fine.
void envelope_deinit(struct envelope *envelope);
/// Back to unity. RT safe.
RT_SAFE void envelope_reset(struct envelope *envelope);
/// Frames from a wanted gain's arrival to the first output that is sure to respect it. RT safe.
RT_SAFE uint32_t envelope_lead(const struct envelope *envelope);
/// Share of the way to the held minimum that each frame goes on release. RT safe.
RT_SAFE double envelope_release(double time_s, double rate_hz);
/// Take `frames` (up to HISTORY_PIECE) wanted gains in 0..1, give as many smooth ones. RT safe.
RT_SAFE void envelope_process(struct envelope *envelope, double release, const float *wanted,
                              double *gains, uint32_t frames);
