// SPDX-License-Identifier: MIT
// Loudness by ITU-R BS.1770-5 and EBU Tech 3341 and 3342: integrated, range, maxima, short-term list.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include "dsp/pcm.h"
#include <stdint.h>

/// Measures all channels of one track. A mono file counts on both sides, an LFE not at all. Memory
/// grows by 40 bytes a second. Thread-safety: one thread at a time.
struct loudness_meter;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int loudness_meter_create(struct loudness_meter **out, const struct pcm_format *format);
/// Destroy and set *meter to NULL. NULL is fine.
void loudness_meter_destroy(struct loudness_meter **meter);
/// @return 0; -ENOMEM.
MUST_CHECK int loudness_meter_feed(struct loudness_meter *meter, const float *interleaved,
                                   uint32_t frames);
/// Integrated loudness of the whole 400 ms blocks so far; -70 where none passed the gates.
double loudness_meter_integrated_lufs(const struct loudness_meter *meter);

/// Mean powers of every 100 ms, weighted as loudness is: what the gated figures are made of.
struct loudness_steps {
    const float *powers;
    uint32_t count;
};

/// They belong to the meter and hold until the next feed.
struct loudness_steps loudness_meter_steps(const struct loudness_meter *meter);
/// Integrated loudness of the blocks of `count` tracks as if they were one's: of an album.
double loudness_steps_integrated_lufs(const struct loudness_steps *tracks, uint32_t count);

/// Loudness range of the short-term list by EBU Tech 3342; 0 where nothing passes its gates.
/// @return 0; -ENOMEM.
MUST_CHECK int loudness_meter_range_lu(const struct loudness_meter *meter, double *range_lu);
/// Standard deviation of the short-term list under the same gates, in LU; 0 under two values.
double loudness_meter_variation_lu(const struct loudness_meter *meter);
/// Highest loudness of any 400 ms and 3 s on a 10 ms grid; NaN for a shorter track or silence.
double loudness_meter_momentary_max_lufs(const struct loudness_meter *meter);
double loudness_meter_short_term_max_lufs(const struct loudness_meter *meter);
/// How many whole 3 s windows there are, one every 100 ms.
uint32_t loudness_meter_short_term_count(const struct loudness_meter *meter);
/// Write them in LUFS; -HUGE_VALF for digital silence.
void loudness_meter_short_term_fill(const struct loudness_meter *meter, float *out_lufs);
