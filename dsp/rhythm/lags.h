// SPDX-License-Identifier: MIT
// After which times a track's onsets recur: autocorrelations of their strengths.
#pragma once
#include "dsp/annotate.h"
#include "dsp/rhythm/onset.h"

enum {
    LAGS_MAX = 640,                  // 6 seconds at 50 kHz
    LAGS_CURVES = ONSET_HARMONY + 1, // of the parts before ONSET_HARMONY and, last, of the whole
};

/// Autocorrelations by lag in frames, each 1 at lag 0, up to `count`.
struct lags {
    size_t count;
    size_t frames; // that the shortest of the curves was made of
    double of[LAGS_CURVES][LAGS_MAX];
};

/// Fill *out for lags up to 6 seconds. Memory does not grow with the length of the track.
/// @param frame_rate_hz onset frames per second. @return 0; -ENOMEM.
MUST_CHECK int lags_measure(struct lags *out, const struct onset *onset, double frame_rate_hz);
/// How much recurs after `lag` frames, at most 1: the whole (weight 1) and the parts (1/2 each)
/// together. Lags that were not measured: 0.
double lags_recurrence(const struct lags *lags, double lag);
/// By how many standard deviations the clearest recurrence, that of a period and its multiples up to half of the
/// track together, exceeds what strengths without any would show by chance; the period is of 40..240 BPM.
double lags_significance(const struct lags *lags, double frame_rate_hz);
