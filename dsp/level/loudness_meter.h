// SPDX-License-Identifier: MIT
// Loudness by ITU-R BS.1770-5 and EBU Tech 3341 and 3342: integrated, maxima, and the list for the rest.
#pragma once
#include "dsp/annotate.h"
#include "dsp/level/loudness_list.h"
#include "dsp/pcm.h"
#include <stdint.h>

/// Measures all channels of one track. A mono file counts on both sides, an LFE not at all. Thread-safety: one
/// thread at a time.
struct loudness_meter;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int loudness_meter_create(struct loudness_meter **out, const struct pcm_format *format);
/// Destroy and set *meter to NULL. NULL is fine.
void loudness_meter_destroy(struct loudness_meter **meter);
/// Take all the memory now that a track of any length needs, before anything is fed. @return 0; -ENOMEM.
MUST_CHECK int loudness_meter_reserve(struct loudness_meter *meter);
/// @return 0; -ENOMEM.
MUST_CHECK int loudness_meter_feed(struct loudness_meter *meter, const float *interleaved,
                                   uint32_t frames);
/// Integrated loudness of the whole 400 ms blocks so far; -70 where none passed the gates.
double loudness_meter_integrated_lufs(const struct loudness_meter *meter);

/// What the other gated figures and the short-term list are read from; it holds until the next feed.
const struct loudness_list *loudness_meter_list(const struct loudness_meter *meter);
/// Highest loudness of any 400 ms and 3 s on a 10 ms grid; NaN for a shorter track or silence.
double loudness_meter_momentary_max_lufs(const struct loudness_meter *meter);
double loudness_meter_short_term_max_lufs(const struct loudness_meter *meter);
