// SPDX-License-Identifier: MIT
// Pitch by YIN (de Cheveigne and Kawahara 2002) and how steady it is.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// Window 1024, hop 512, frame t from sample 512 t - 1024 on; threshold 0.1; 65.4 to 2093 Hz.
/// Constant memory. Thread-safety: one thread at a time.
struct yin;

/// @return 0; -ENOMEM. On error *out is NULL. `rate_hz` is of the mono signal, under 50,000.
MUST_CHECK int yin_create(struct yin **out, double rate_hz);
/// Destroy and set *yin to NULL. NULL is fine.
void yin_destroy(struct yin **yin);
void yin_feed(struct yin *yin, const float *mono, uint32_t count);
/// End of the signal. @return share of voiced frames times exp(-median step in cents / 100), 0..1.
double yin_finish(struct yin *yin);
/// Period in samples of the latest frame; 0: unvoiced or no frame yet.
double yin_latest_period(const struct yin *yin);
