// SPDX-License-Identifier: MIT
// What the limiter would do at any makeup: a coarse picture of a track, taken in one run without it.
#pragma once
#include "dsp/annotate.h"
#include "dsp/level/loudness_meter.h"
#include "dsp/mastering/limiter.h"
#include <stdint.h>

/// Peak and energy of every millisecond, loudness of every tenth of a second: 12 kB a second. Thread-safety:
/// one thread at a time.
struct limiting_model;

/// What the model says of one makeup.
struct limiting_guess {
    double reduction_db; // as in rehearsal.h
};

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int limiting_model_create(struct limiting_model **out, double rate_hz);
/// Destroy and set *model to NULL. NULL is fine.
void limiting_model_destroy(struct limiting_model **model);
/// Take what comes in front of the limiter, at unity makeup, up to HISTORY_PIECE frames.
/// @return 0; -ENOMEM; -EFBIG: longer than a quarter of an hour, of no use any more.
MUST_CHECK int limiting_model_feed(struct limiting_model *model, const double *stereo,
                                   uint32_t frames);
/// End of the track, whose loudness `meter` has measured beside. @return 0; -ENOMEM.
MUST_CHECK int limiting_model_finish(struct limiting_model *model,
                                     const struct loudness_meter *meter);
/// Let the model run at `makeup_db`. *steps becomes the powers that the output would have; they belong to the
/// model and hold until the next call.
void limiting_model_guess(struct limiting_model *model, const struct limiter_numbers *numbers,
                          double makeup_db, struct limiting_guess *guess,
                          struct loudness_steps *steps);
