// SPDX-License-Identifier: MIT
#include "engine/library/library_fields.h"
#include "dsp/pcm.h"
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define ROUNDING      1e-3
#define LEVEL_MOST_DB 2000.0 // the least float is 897 dB below full scale
#define TIME_MOST_S   1e9
#define RATE_MOST     1e6
#define FRAMES_MOST   0x1p53

#define REAL(member, least, most, unknown)                                                         \
    {                                                                                              \
        KIND_DOUBLE, offsetof(struct analysis, member), least, most, unknown                       \
    }
#define SHARE(member)         REAL(member, -ROUNDING, 1.0 + ROUNDING, MAY_BE_UNKNOWN)
#define LEVEL(member)         REAL(member, -LEVEL_MOST_DB, LEVEL_MOST_DB, MAY_BE_UNKNOWN)
#define RATE(member)          REAL(member, 0.0, RATE_MOST, MAY_BE_UNKNOWN)
#define TIME(member, unknown) REAL(member, 0.0, TIME_MOST_S, unknown)
#define FINGERPRINT(dimension, least, most)                                                        \
    {                                                                                              \
        KIND_DOUBLE, offsetof(struct analysis, fingerprint) + sizeof(double) * (dimension), least, \
            most, MAY_BE_UNKNOWN                                                                   \
    }
#define SCORE(label)                                                                               \
    {                                                                                              \
        KIND_DOUBLE, offsetof(struct analysis, genre.scores) + sizeof(double) * (label),           \
            -ROUNDING, 1.0 + ROUNDING, MAY_BE_UNKNOWN                                              \
    }
#define COUNT(kind, member, least, most)                                                           \
    {                                                                                              \
        kind, offsetof(struct analysis, member), least, most, MUST_BE_KNOWN                        \
    }

const struct library_field library_analysis_fields[STORE_ANALYSIS_COLUMNS] = {
    {KIND_CODEC, 0, 0, 0, MUST_BE_KNOWN},
    {KIND_BACKEND, 0, 0, 0, MUST_BE_KNOWN},
    TIME(duration_s, MUST_BE_KNOWN),
    COUNT(KIND_UINT32, sample_rate_hz, PCM_MIN_RATE_HZ, PCM_MAX_RATE_HZ),
    COUNT(KIND_UINT32, channels, 1, PCM_MAX_CHANNELS),
    COUNT(KIND_UINT64, frames, 0, FRAMES_MOST),
    COUNT(KIND_UINT32, replaced_samples_reported, 0, 1),
    TIME(silence_head_s, MAY_BE_UNKNOWN),
    TIME(silence_tail_s, MAY_BE_UNKNOWN),
    FINGERPRINT(FINGERPRINT_SUB_BASS_PCT, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_BASS_PCT, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_LOW_MID_PCT, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_MID_PCT, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_UPPER_MID_PCT, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_PRESENCE_PCT, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_AIR_PCT, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_LUFS, -LEVEL_MOST_DB, LEVEL_MOST_DB),
    FINGERPRINT(FINGERPRINT_CREST_DB, -LEVEL_MOST_DB, LEVEL_MOST_DB),
    FINGERPRINT(FINGERPRINT_BASS_MID_RATIO, -LEVEL_MOST_DB, LEVEL_MOST_DB),
    FINGERPRINT(FINGERPRINT_TEMPO_BPM, 0.0, RATE_MOST),
    FINGERPRINT(FINGERPRINT_RHYTHM_STABILITY, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_TRANSIENT_DENSITY, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_SILENCE_RATIO, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_SPECTRAL_CENTROID, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_SPECTRAL_ROLLOFF, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_SPECTRAL_FLATNESS, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_HARMONIC_RATIO, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_PITCH_STABILITY, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_CHROMA_ENERGY, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_DYNAMIC_RANGE_VARIATION, 0.0, RATE_MOST),
    FINGERPRINT(FINGERPRINT_LOUDNESS_VARIATION_STD, -LEVEL_MOST_DB, LEVEL_MOST_DB),
    FINGERPRINT(FINGERPRINT_PEAK_CONSISTENCY, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_STEREO_WIDTH, -ROUNDING, 1.0 + ROUNDING),
    FINGERPRINT(FINGERPRINT_PHASE_CORRELATION, -1.0 - ROUNDING, 1.0 + ROUNDING),
    LEVEL(loudness.integrated_lufs),
    LEVEL(loudness.range_lu),
    LEVEL(loudness.true_peak_dbtp),
    LEVEL(loudness.sample_peak_dbfs),
    LEVEL(loudness.momentary_max_lufs),
    LEVEL(loudness.short_term_max_lufs),
    RATE(tempo.bpm),
    RATE(tempo.alternative_bpm),
    SHARE(tempo.confidence),
    TIME(tempo.first_beat_s, MAY_BE_UNKNOWN),
    SHARE(tempo.salience),
    SHARE(tempo.alternative_salience),
    RATE(tempo.onsets_per_s),
    {KIND_BEATS, 0, 0.0, TIME_MOST_S, MUST_BE_KNOWN},
    {KIND_INDEX, offsetof(struct analysis, key.tonic), 0, PITCH_CLASS_COUNT - 1, MAY_BE_UNKNOWN},
    {KIND_INDEX, offsetof(struct analysis, key.mode), 0, KEY_MODE_UNKNOWN, MAY_BE_UNKNOWN},
    SHARE(key.strength),
    {KIND_CHROMA, 0, -ROUNDING, 1.0 + ROUNDING, MAY_BE_UNKNOWN},
    {KIND_INDEX, offsetof(struct analysis, genre.label), 0, GENRE_UNKNOWN, MUST_BE_KNOWN},
    SCORE(GENRE_CLASSICAL),
    SCORE(GENRE_ROCK),
    SCORE(GENRE_ELECTRONIC),
    SCORE(GENRE_JAZZ),
    SCORE(GENRE_POP),
    SCORE(GENRE_HIP_HOP),
    SCORE(GENRE_ACOUSTIC),
    SCORE(GENRE_AMBIENT),
    SCORE(GENRE_METAL),
    SCORE(GENRE_COUNTRY),
    SHARE(profile.energy),
    SHARE(profile.dynamic_range),
    SHARE(profile.brightness),
    SHARE(profile.warmth),
    SHARE(profile.rhythm),
    SHARE(profile.harmony),
    {KIND_LOUDNESS, 0, -LEVEL_MOST_DB, LEVEL_MOST_DB, MAY_BE_UNKNOWN},
};

#define TARGET(member, least, most, unknown)                                                       \
    {                                                                                              \
        KIND_DOUBLE, offsetof(struct mastering_targets, member), least, most, unknown              \
    }
#define TARGET_EQ(band)                                                                            \
    {                                                                                              \
        KIND_DOUBLE, offsetof(struct mastering_targets, eq_db) + sizeof(double) * (band), -24.0,   \
            24.0, MUST_BE_KNOWN                                                                    \
    }

const struct library_field library_targets_fields[STORE_TARGETS_COLUMNS] = {
    TARGET(target_lufs, -100.0, 100.0, MUST_BE_KNOWN),
    TARGET(ceiling_dbtp, -24.0, 24.0, MUST_BE_KNOWN),
    TARGET_EQ(0),
    TARGET_EQ(1),
    TARGET_EQ(2),
    TARGET_EQ(3),
    TARGET_EQ(4),
    TARGET(compressor.threshold_db, -100.0, 100.0, MUST_BE_KNOWN),
    TARGET(compressor.ratio, 0.0, 100.0, MUST_BE_KNOWN),
    TARGET(compressor.knee_db, 0.0, 100.0, MUST_BE_KNOWN),
    TARGET(compressor.attack_s, 0.0, 10.0, MUST_BE_KNOWN),
    TARGET(compressor.release_s, 0.0, 10.0, MUST_BE_KNOWN),
    TARGET(compressor.mix, 0.0, 1.0, MUST_BE_KNOWN),
    TARGET(width, 0.0, 4.0, MUST_BE_KNOWN),
    TARGET(makeup_db, -100.0, 100.0, MUST_BE_KNOWN),
    TARGET(limiter.lookahead_s, 0.0, 1.0, MUST_BE_KNOWN),
    TARGET(limiter.release_s, 0.0, 10.0, MUST_BE_KNOWN),
    TARGET(predicted_lufs, -LEVEL_MOST_DB, LEVEL_MOST_DB, MAY_BE_UNKNOWN),
    TARGET(predicted_dbtp, -LEVEL_MOST_DB, LEVEL_MOST_DB, MAY_BE_UNKNOWN),
    TARGET(limiter_reduction_db, 0.0, LEVEL_MOST_DB, MAY_BE_UNKNOWN),
    {KIND_INDEX, offsetof(struct mastering_targets, shortfall), 0, SHORTFALL_SILENCE,
     MUST_BE_KNOWN},
    {KIND_INDEX, offsetof(struct mastering_targets, bypass), 0, 1, MUST_BE_KNOWN},
};

static int is_within(const struct library_field *field, double x)
{
    if (isnan(x))
        return field->unknown == MAY_BE_UNKNOWN;
    return x >= field->least && x <= field->most;
}

static int is_number_within(const struct library_field *field, const void *base)
{
    const char *at = (const char *)base + field->offset;
    double x;
    uint32_t u32;
    uint64_t u64;
    int32_t index;
    switch (field->kind) {
    case KIND_DOUBLE:
        memcpy(&x, at, sizeof(x));
        return is_within(field, x);
    case KIND_UINT32:
        memcpy(&u32, at, sizeof(u32));
        return is_within(field, u32);
    case KIND_UINT64:
        memcpy(&u64, at, sizeof(u64));
        return is_within(field, (double)u64);
    default:
        memcpy(&index, at, sizeof(index));
        return is_within(field, index == -1 ? (double)NAN : (double)index);
    }
}

static int are_within(const struct library_field *field, const double *values, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (!is_within(field, values[i]))
            return 0;
    return 1;
}

static int is_loudness_within(const struct library_field *field, const struct analysis *analysis)
{
    const float *lufs = analysis_short_term(analysis);
    for (uint32_t i = 0; i < analysis->loudness_count; ++i)
        if (lufs[i] != -HUGE_VALF && !is_within(field, lufs[i])) // silence
            return 0;
    return 1;
}

// A word of decoder.h: it is printed as it stands.
static int is_codec(const char *codec)
{
    const size_t bytes = strlen(codec);
    return bytes > 0 && strspn(codec, "abcdefghijklmnopqrstuvwxyz0123456789-_") == bytes;
}

static int is_field_within(const struct library_field *field, const struct track_record *head,
                           const struct analysis *analysis)
{
    switch (field->kind) {
    case KIND_CODEC:
        return is_codec(head->codec);
    case KIND_BACKEND:
        return 1; // one bit of the head
    case KIND_BEATS:
        return are_within(field, analysis->beats_s, analysis->beat_count);
    case KIND_CHROMA:
        return are_within(field, analysis->key.chroma, PITCH_CLASS_COUNT);
    case KIND_LOUDNESS:
        return is_loudness_within(field, analysis);
    default:
        return is_number_within(field, analysis);
    }
}

int library_fields_check(const struct track_record *head, const struct analysis *analysis)
{
    int is_good = head->cost_ns >= 0 && head->cost_ns <= LIBRARY_COST_MOST_NS &&
                  analysis->algorithm_version > 0;
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS && is_good; ++i)
        is_good = is_field_within(&library_analysis_fields[i], head, analysis);
    for (unsigned i = 0; i < STORE_TARGETS_COLUMNS && is_good && head->has_targets; ++i)
        is_good = is_number_within(&library_targets_fields[i], &head->targets);
    return is_good ? 0 : -EBADMSG;
}
