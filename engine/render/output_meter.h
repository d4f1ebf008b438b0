// SPDX-License-Identifier: MIT
// Loudness and true peak of finished stereo audio: what a rendered file measures.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// Thread-safety: one thread at a time.
struct output_meter;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int output_meter_create(struct output_meter **out, uint32_t rate_hz);
/// Destroy and set *meter to NULL. NULL is fine.
void output_meter_destroy(struct output_meter **meter);
/// @return 0; -ENOMEM.
MUST_CHECK int output_meter_feed(struct output_meter *meter, const float *stereo, uint32_t frames);
/// Integrated loudness; -70 where nothing passed the gates.
double output_meter_lufs(const struct output_meter *meter);
/// True peak in dBTP, -HUGE_VAL for digital silence. Ends the measurement: no feed after it.
double output_meter_dbtp(struct output_meter *meter);
/// Whole 3 s windows so far, as many as an analysis would list.
uint32_t output_meter_short_term_count(const struct output_meter *meter);
/// Write their loudness in LUFS; -HUGE_VALF for digital silence.
void output_meter_short_term_fill(const struct output_meter *meter, float *out_lufs);
