// SPDX-License-Identifier: MIT
// Stereo sample-rate conversion of one track to exactly round(n * out / in) frames (soxr).
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// Thread-safety: one thread at a time.
struct resampler;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int resampler_create(struct resampler **out, uint32_t rate_in_hz, uint32_t rate_out_hz);
/// Destroy and set *resampler to NULL. NULL is fine.
void resampler_destroy(struct resampler **resampler);
/// Feed `frames_in` frames and take up to `frames_out`. `frames_in` == 0 says that the input has ended.
/// @return frames written; *used is how many of the input were taken. -EIO: the converter failed.
MUST_CHECK int64_t resampler_process(struct resampler *resampler, const float *in,
                                     uint32_t frames_in, uint32_t *used, float *out,
                                     uint32_t frames_out);
