// SPDX-License-Identifier: MIT
#include "dsp/analysis.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>

static size_t bytes_for(uint32_t beat_count, uint32_t loudness_count)
{
    return sizeof(struct analysis) + beat_count * sizeof(double) + loudness_count * sizeof(float);
}

struct analysis *analysis_create(uint32_t beat_count, uint32_t loudness_count)
{
    struct analysis *analysis = calloc(1, bytes_for(beat_count, loudness_count));
    if (!analysis)
        return NULL;
    analysis->algorithm_version = ANALYSIS_ALGORITHM_VERSION;
    analysis->beat_count = beat_count;
    analysis->loudness_count = loudness_count;
    return analysis;
}

size_t analysis_bytes(const struct analysis *analysis)
{
    return bytes_for(analysis->beat_count, analysis->loudness_count);
}

const float *analysis_short_term(const struct analysis *analysis)
{
    return (const float *)(analysis->beats_s + analysis->beat_count);
}

float *analysis_short_term_mutable(struct analysis *analysis)
{
    return (float *)(analysis->beats_s + analysis->beat_count);
}

double analysis_short_term_step_s(uint32_t count, double duration_s)
{
    const double windows = (duration_s - 3.0) * 10.0;
    return count ? 0.1 * exp2(fmax(0.0, round(log2(fmax(1.0, windows) / count)))) : 0.1;
}

const char *fingerprint_name(enum fingerprint_dimension dimension)
{
    static const char *const names[FINGERPRINT_DIMENSIONS] = {
        "sub_bass_pct",
        "bass_pct",
        "low_mid_pct",
        "mid_pct",
        "upper_mid_pct",
        "presence_pct",
        "air_pct",
        "lufs",
        "crest_db",
        "bass_mid_ratio",
        "tempo_bpm",
        "rhythm_stability",
        "transient_density",
        "silence_ratio",
        "spectral_centroid",
        "spectral_rolloff",
        "spectral_flatness",
        "harmonic_ratio",
        "pitch_stability",
        "chroma_energy",
        "dynamic_range_variation",
        "loudness_variation_std",
        "peak_consistency",
        "stereo_width",
        "phase_correlation",
    };
    assert(dimension < FINGERPRINT_DIMENSIONS);
    return names[dimension];
}

const char *key_tonic_name(int tonic)
{
    static const char *const names[PITCH_CLASS_COUNT] = {"C",  "C#", "D",  "D#", "E",  "F",
                                                         "F#", "G",  "G#", "A",  "A#", "B"};
    return tonic < 0 || tonic >= PITCH_CLASS_COUNT ? NULL : names[tonic];
}

const char *key_mode_name(int mode)
{
    switch (mode) {
    case KEY_MAJOR:
        return "major";
    case KEY_MINOR:
        return "minor";
    default:
        return NULL;
    }
}

const char *genre_name(int label)
{
    static const char *const names[GENRE_COUNT + 1] = {
        "classical", "rock",    "electronic", "jazz",    "pop",     "hip_hop",
        "acoustic",  "ambient", "metal",      "country", "unknown",
    };
    return label < 0 || label > GENRE_COUNT ? "unknown" : names[label];
}
