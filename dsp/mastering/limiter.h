// SPDX-License-Identifier: MIT
// Look-ahead true-peak limiter at the base rate, with a guard pass on its own product.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// Stereo, linked. Thread-safety: one thread at a time. Allocates at creation only.
struct limiter;

/// Of a whole run; the look-ahead is fixed, so that the delay is constant.
struct limiter_numbers {
    double ceiling; // linear, true peak, > 0
    double release_s;
};

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int limiter_create(struct limiter **out, double rate_hz);
/// Destroy and set *limiter to NULL. NULL is fine.
void limiter_destroy(struct limiter **limiter);
/// Forget all audio. RT safe.
RT_SAFE void limiter_reset(struct limiter *limiter);
/// RT safe.
RT_SAFE void limiter_set(struct limiter *limiter, const struct limiter_numbers *numbers);
/// RT safe.
RT_SAFE uint32_t limiter_delay_frames(const struct limiter *limiter);
/// Look-ahead for a rate: what mastering_targets reports.
double limiter_lookahead_s(void);
/// How long a gain is held behind the peak that wanted it.
double limiter_hold_s(void);
/// By how much the first stage stays under the ceiling.
double limiter_margin_db(void);
/// Process up to HISTORY_PIECE interleaved stereo frames in place; gains[i] becomes the linear gain
/// that output frame i got. @return the least of them, at most 1. RT safe.
RT_SAFE double limiter_process(struct limiter *limiter, double *stereo, double *gains,
                               uint32_t frames);
