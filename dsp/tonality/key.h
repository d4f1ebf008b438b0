// SPDX-License-Identifier: MIT
// Musical key of a track, from its low spectrogram.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include <stdint.h>

/// One track under way; constant memory. Thread-safety: one thread at a time.
struct key_tracker;

/// @param rate_hz sample rate of the mono signal, 1000..50,000.
/// @return 0; -EINVAL: rate out of range; -ENOMEM. On error *out is NULL.
MUST_CHECK int key_tracker_create(struct key_tracker **out, double rate_hz);
/// Take the next frame: bins 0..1024 of the power spectrum, as dsp/rhythm/rhythm.h describes them.
void key_tracker_push(struct key_tracker *tracker, const float power[1025]);
/// Key of what was pushed so far: tonic, mode and strength (0..1); chroma is left alone. Without
/// pitched sound: tonic -1, mode unknown, strength 0. Indifferent to gain.
void key_tracker_finish(const struct key_tracker *tracker, struct key *out);
/// Destroy and set *tracker to NULL. NULL is fine.
void key_tracker_destroy(struct key_tracker **tracker);
