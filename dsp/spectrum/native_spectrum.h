// SPDX-License-Identifier: MIT
// The short-time spectra of both sides at the track's own rate: bands and median shape.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include "dsp/spectrum/spectral_shape.h"
#include <stdint.h>

/// Hann frames of about 85 ms, half overlapping, in constant memory (shape_medians.h). Thread-safety: one thread at a
/// time.
struct native_spectrum;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int native_spectrum_create(struct native_spectrum **out, uint32_t rate_hz);
/// Destroy and set *spectrum to NULL. NULL is fine.
void native_spectrum_destroy(struct native_spectrum **spectrum);
void native_spectrum_feed(struct native_spectrum *spectrum, const float *left, const float *right,
                          uint32_t frames);
/// End of the track: energies of the seven bands (not normalised) and, over the frames that are not
/// silent, the median of each shape (zeros without such frames).
void native_spectrum_finish(struct native_spectrum *spectrum, double bands[BAND_COUNT],
                            struct spectral_shape *median);
