// SPDX-License-Identifier: MIT
// Tempo, beats, their steadiness and the density of onsets, from a track's low spectrogram.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include <stdint.h>

/// The spectra pushed here and into dsp/tonality/key.h: frame t is the power spectrum |X|² (bins 0..1024) of
/// the mono signal around its sample 512 t, under a periodic Hann window of 2048, zeros outside.
enum { RHYTHM_HOP = 512, RHYTHM_WINDOW = 2048, RHYTHM_BINS = RHYTHM_WINDOW / 2 + 1 };

/// One track under way. Tempo and beats are those of its first hour, onsets are counted to its end. Memory: 0.7 MB,
/// all taken at the start.
/// Thread-safety: one thread at a time; any number of objects side by side.
struct rhythm;

/// What a track's rhythm comes to. Every figure is indifferent to the gain of the track.
struct rhythm_result {
    struct tempo tempo;  // bpm in 40..240, or 0 with confidence 0 where there is no pulse
    double stability;    // 1/(1+CV) of the inter-beat intervals, 0..1; under 3 beats: 0
    double density;      // onsets per second / 10, 0..1
    uint32_t beat_count; // length of beats_s
    double *beats_s;     // ascending; owned; NULL without beats
};

/// @param rate_hz sample rate of the mono signal, 1000..50,000.
/// @return 0; -EINVAL: rate out of range; -ENOMEM. On error *out is NULL.
MUST_CHECK int rhythm_create(struct rhythm **out, double rate_hz);
/// Take the next frame.
void rhythm_push(struct rhythm *rhythm, const float power[1025]);
/// What the `length_samples` mono samples pushed so far come to, at the end of a track or before. The caller
/// owns *out and ends it with rhythm_result_deinit(). @return 0; -ENOMEM (*out is then a result without a pulse).
MUST_CHECK int rhythm_finish(const struct rhythm *rhythm, uint64_t length_samples,
                             struct rhythm_result *out);
/// Free what a result owns. A zeroed or already ended result is fine.
void rhythm_result_deinit(struct rhythm_result *result);
/// Destroy and set *rhythm to NULL. NULL is fine.
void rhythm_destroy(struct rhythm **rhythm);
