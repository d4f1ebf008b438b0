// SPDX-License-Identifier: MIT
// The short-time spectrum of the decimated mono signal, which rhythm, HPSS, chroma and key share.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

enum { LOW_SPECTRUM_SIZE = 2048, LOW_SPECTRUM_HOP = 512, LOW_SPECTRUM_BINS = 1025 };

/// Frame t lies around sample 512 t, zeros outside the signal: 1 + floor(n / 512) frames in all.
struct low_frame {
    const float *power; // LOW_SPECTRUM_BINS, under a periodic Hann window; valid during the call
    double mean_square; // of the samples without window
};
/// Receives each frame in turn. @return 0, or an error that ends the feed.
typedef int (*low_frame_fn)(void *context, const struct low_frame *frame);

/// Thread-safety: one thread at a time. Constant memory.
struct low_spectrum;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int low_spectrum_create(struct low_spectrum **out, low_frame_fn on_frame, void *context);
/// Destroy and set *spectrum to NULL. NULL is fine.
void low_spectrum_destroy(struct low_spectrum **spectrum);
/// @return 0 or the receiver's error.
MUST_CHECK int low_spectrum_feed(struct low_spectrum *spectrum, const float *mono, uint32_t count);
/// End of the signal: the frames still due. @return 0 or the receiver's error.
MUST_CHECK int low_spectrum_finish(struct low_spectrum *spectrum);
