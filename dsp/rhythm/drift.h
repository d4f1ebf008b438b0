// SPDX-License-Identifier: MIT
// How a track's pulse speeds up and slows down: a ratio to its period for every few seconds.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

enum { DRIFT_PACES = 21, DRIFT_STEADY = DRIFT_PACES / 2 };

/// Paces over a track, each a period of drift_ratio() times the pulse's.
struct drift {
    size_t step_frames; // pace i holds from frame i * step_frames on
    uint32_t count;     // 0: steady throughout
    uint8_t *paces;     // owned; NULL without any
};

/// Periods from 0.78 to 1.28 of the pulse's, evenly spaced as logarithms; DRIFT_STEADY is 1.
double drift_ratio(int pace);
/// Follow a pulse of `period_frames` through `strength`. Most tracks are steady: *out has no paces then.
/// @return 0; -ENOMEM. On error *out is steady.
MUST_CHECK int drift_find(const uint16_t *strength, size_t frames, double frame_rate_hz,
                          double period_frames, struct drift *out);
/// Pace at a frame.
int drift_at(const struct drift *drift, size_t frame);
/// Free what it owns. A zeroed drift is fine.
void drift_deinit(struct drift *drift);
