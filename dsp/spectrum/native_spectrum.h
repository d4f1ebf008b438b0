// SPDX-License-Identifier: MIT
// The short-time spectra of both sides at the track's own rate: bands and median shape.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include "dsp/spectrum/spectral_shape.h"
#include <stdint.h>

/// Hann frames of about 85 ms, half overlapping. Memory grows as that of shape_medians, by some 170
/// bytes a second up to 1.8 MB. Thread-safety: one thread at a time.
struct native_spectrum;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int native_spectrum_create(struct native_spectrum **out, uint32_t rate_hz);
/// Destroy and set *spectrum to NULL. NULL is fine.
void native_spectrum_destroy(struct native_spectrum **spectrum);
/// @return 0; -ENOMEM.
MUST_CHECK int native_spectrum_feed(struct native_spectrum *spectrum, const float *left,
                                    const float *right, uint32_t frames);
/// End of the track: energies of the seven bands (not normalised) and, over the frames that are not
/// silent, the median of each shape (zeros without such frames). @return 0; -ENOMEM.
MUST_CHECK int native_spectrum_finish(struct native_spectrum *spectrum, double bands[BAND_COUNT],
                                      struct spectral_shape *median);
