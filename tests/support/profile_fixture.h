// SPDX-License-Identifier: MIT
// What the suites of dsp/profile.h share: the middle of all music.
#pragma once
#include "dsp/profile.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline struct analysis *make_analysis(void)
{
    static const double usual[FINGERPRINT_DIMENSIONS] = {
        0.08, 0.35, 0.20, 0.25, 0.06, 0.04, 0.02, -14.0, 14.0, 2.0, 115.0, 0.9, 0.35,
        0.02, 0.30, 0.40, 0.08, 0.65, 0.3,  0.2,  0.3,   3.0,  0.8, 0.2,   0.6,
    };
    struct analysis *analysis = analysis_create(0, 0);
    assert_non_null(analysis);
    memcpy(analysis->fingerprint, usual, sizeof(usual));
    analysis->duration_s = 200.0;
    analysis->tempo.bpm = 115.0;
    analysis->tempo.confidence = 0.83;
    analysis->key.strength = 0.7;
    return analysis;
}

static inline double uniform(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (double)*seed / 4294967296.0;
}

// A track somewhere in the ranges that music has, corners included.
static inline void draw_analysis(struct analysis *analysis, uint32_t *seed)
{
    static const double lowest[FINGERPRINT_DIMENSIONS] = {[FINGERPRINT_LUFS] = -70,
                                                          [FINGERPRINT_BASS_MID_RATIO] = -60,
                                                          [FINGERPRINT_CHROMA_ENERGY] = 0.0833};
    static const double widths[FINGERPRINT_DIMENSIONS] = {[FINGERPRINT_LUFS] = 75,
                                                          [FINGERPRINT_CREST_DB] = 40,
                                                          [FINGERPRINT_BASS_MID_RATIO] = 120,
                                                          [FINGERPRINT_TEMPO_BPM] = 240,
                                                          [FINGERPRINT_LOUDNESS_VARIATION_STD] =
                                                              20};
    for (int d = 0; d < FINGERPRINT_DIMENSIONS; d++) {
        const double width = widths[d] > 0 ? widths[d] : 1.0;
        analysis->fingerprint[d] = lowest[d] + width * uniform(seed);
    }
    analysis->tempo.confidence = uniform(seed);
    analysis->key.strength = uniform(seed);
    analysis->duration_s = 30.0 * uniform(seed);
}

static inline double logit(double share)
{
    return log(share / (1.0 - share));
}
