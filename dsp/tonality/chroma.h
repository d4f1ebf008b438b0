// SPDX-License-Identifier: MIT
// Pitch classes of a low spectrum, and their mean over the frames that are not silent.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include <stdint.h>

/// Averages whose gate, 40 dB under the loudest frame, is known only at the end: sums are kept by
/// level, for the 48 dB under the loudest frame so far. Constant memory. Thread-safety: one thread.
struct chroma;

/// What the frames come to.
struct chroma_result {
    double silence_ratio;                  // share of frames under the gate; silence: 1
    double concentration;                  // mean of the summed squares, 1/12..1
    double mean_chroma[PITCH_CLASS_COUNT]; // sums to 1; 0 = C
};

/// @return 0; -ENOMEM. On error *out is NULL. `rate_hz` is of the mono signal.
MUST_CHECK int chroma_create(struct chroma **out, double rate_hz);
/// Destroy and set *chroma to NULL. NULL is fine.
void chroma_destroy(struct chroma **chroma);
/// Weights of a pitch class: LOW_SPECTRUM_BINS values, as librosa.filters.chroma defines them.
const float *chroma_weights(const struct chroma *chroma, uint32_t pitch_class);
/// Take a frame: its power spectrum, and the mean square of its samples.
void chroma_push(struct chroma *chroma, const float *power, double mean_square);
void chroma_finish(struct chroma *chroma, struct chroma_result *out);
