// SPDX-License-Identifier: MIT
// What is known of a track: 25 dimensions, loudness, tempo, key, genre, profile.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

/// Stored with every result; raised whenever any figure of any track may change.
enum { ANALYSIS_ALGORITHM_VERSION = 16 };

enum fingerprint_dimension {
    FINGERPRINT_SUB_BASS_PCT,
    FINGERPRINT_BASS_PCT,
    FINGERPRINT_LOW_MID_PCT,
    FINGERPRINT_MID_PCT,
    FINGERPRINT_UPPER_MID_PCT,
    FINGERPRINT_PRESENCE_PCT,
    FINGERPRINT_AIR_PCT,
    FINGERPRINT_LUFS,
    FINGERPRINT_CREST_DB,
    FINGERPRINT_BASS_MID_RATIO,
    FINGERPRINT_TEMPO_BPM,
    FINGERPRINT_RHYTHM_STABILITY,
    FINGERPRINT_TRANSIENT_DENSITY,
    FINGERPRINT_SILENCE_RATIO,
    FINGERPRINT_SPECTRAL_CENTROID,
    FINGERPRINT_SPECTRAL_ROLLOFF,
    FINGERPRINT_SPECTRAL_FLATNESS,
    FINGERPRINT_HARMONIC_RATIO,
    FINGERPRINT_PITCH_STABILITY,
    FINGERPRINT_CHROMA_ENERGY,
    FINGERPRINT_DYNAMIC_RANGE_VARIATION,
    FINGERPRINT_LOUDNESS_VARIATION_STD,
    FINGERPRINT_PEAK_CONSISTENCY,
    FINGERPRINT_STEREO_WIDTH,
    FINGERPRINT_PHASE_CORRELATION,
    FINGERPRINT_DIMENSIONS
};

enum { BAND_COUNT = 7, PITCH_CLASS_COUNT = 12 };

/// NaN stands for "not defined for this track" (printed as null) in every double below.
struct loudness {
    double integrated_lufs; // -70 where nothing passes the gate
    double range_lu;
    double true_peak_dbtp;   // NaN: digital silence
    double sample_peak_dbfs; // NaN: digital silence
    double momentary_max_lufs;
    double short_term_max_lufs;
};

struct tempo {
    double bpm; // 0: none
    double alternative_bpm;
    // 0..1: how likely bpm is the beat, by the evidence, and how straight the beats lie
    double confidence;
    double salience;             // of bpm, 0..1
    double alternative_salience; // 0..1
    double first_beat_s;         // NaN without beats
    double onsets_per_s;
};

enum key_mode { KEY_MAJOR, KEY_MINOR, KEY_MODE_UNKNOWN };

struct key {
    int32_t tonic; // 0 = C .. 11 = B; -1: none
    int32_t mode;  // enum key_mode
    double strength;
    double chroma[PITCH_CLASS_COUNT]; // mean over non-silent frames, sums to 1
};

enum genre_label {
    GENRE_CLASSICAL,
    GENRE_ROCK,
    GENRE_ELECTRONIC,
    GENRE_JAZZ,
    GENRE_POP,
    GENRE_HIP_HOP,
    GENRE_ACOUSTIC,
    GENRE_AMBIENT,
    GENRE_METAL,
    GENRE_COUNTRY,
    GENRE_COUNT,
    GENRE_UNKNOWN = GENRE_COUNT
};

struct genre {
    int32_t label; // enum genre_label
    int32_t reserved;
    double scores[GENRE_COUNT]; // 0..1 each
};

/// How a track feels, every member continuous in 0..1.
struct profile {
    double energy;
    double dynamic_range;
    double brightness;
    double warmth;
    double rhythm;
    double harmony;
};

/// One finished analysis: a single allocation without pointers, so that it can be copied, cached
/// and stored as bytes. Free with free(). Thread-safety: immutable once published.
struct analysis {
    uint32_t algorithm_version;
    uint32_t sample_rate_hz;
    uint32_t channels;
    uint32_t beat_count;
    uint32_t loudness_count;            // short-term loudness: see analysis_short_term()
    uint32_t replaced_samples_reported; // 1 if NaN, infinite or huge samples were read as 0
    uint64_t frames;
    double duration_s;
    double silence_head_s; // digital silence
    double silence_tail_s;
    double fingerprint[FINGERPRINT_DIMENSIONS];
    struct loudness loudness;
    struct tempo tempo;
    struct key key;
    struct genre genre;
    struct profile profile;
    double beats_s[]; // beat_count times of the first hour; then loudness_count floats
};

/// Allocate a zeroed analysis with room for its lists. @return NULL without memory.
MUST_CHECK struct analysis *analysis_create(uint32_t beat_count, uint32_t loudness_count);
/// Whole size in bytes, lists included.
size_t analysis_bytes(const struct analysis *analysis);
/// Short-term loudness in LUFS (3 s windows every 100 ms; of a track over an hour every 200 ms, over two hours every
/// 400 ms and so on), loudness_count values; silence is -HUGE_VALF.
const float *analysis_short_term(const struct analysis *analysis);
/// Same, to fill it before publication.
float *analysis_short_term_mutable(struct analysis *analysis);

/// Seconds from one of `count` values of short-term loudness to the next, by the length of their track.
double analysis_short_term_step_s(uint32_t count, double duration_s);

/// Name as printed in JSON, such as "sub_bass_pct".
const char *fingerprint_name(enum fingerprint_dimension dimension);
/// "C", "C#" .. "B"; NULL for -1.
const char *key_tonic_name(int tonic);
/// "major", "minor"; NULL if unknown.
const char *key_mode_name(int mode);
/// "classical" .. "country", "unknown".
const char *genre_name(int label);
