// SPDX-License-Identifier: MIT
#include "engine/library_columns.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    KIND_DOUBLE, // NaN is NULL
    KIND_UINT32,
    KIND_UINT64,
    KIND_INDEX, // int32_t; -1 is NULL
    KIND_CODEC,
    KIND_BACKEND,
    KIND_BEATS,
    KIND_CHROMA,
    KIND_LOUDNESS,
};

struct field {
    enum kind kind;
    size_t offset;      // in struct analysis or struct mastering_targets
    int32_t index_most; // of KIND_INDEX
};

#define REAL(member)                                                                               \
    {                                                                                              \
        KIND_DOUBLE, offsetof(struct analysis, member), 0                                          \
    }
#define FINGERPRINT(dimension)                                                                     \
    {                                                                                              \
        KIND_DOUBLE, offsetof(struct analysis, fingerprint) + sizeof(double) * (dimension), 0      \
    }
#define SCORE(label)                                                                               \
    {                                                                                              \
        KIND_DOUBLE, offsetof(struct analysis, genre.scores) + sizeof(double) * (label), 0         \
    }

// In the order of store_analysis_columns.
static const struct field analysis_fields[STORE_ANALYSIS_COLUMNS] = {
    {KIND_CODEC, 0, 0},
    {KIND_BACKEND, 0, 0},
    REAL(duration_s),
    {KIND_UINT32, offsetof(struct analysis, sample_rate_hz), 0},
    {KIND_UINT32, offsetof(struct analysis, channels), 0},
    {KIND_UINT64, offsetof(struct analysis, frames), 0},
    {KIND_UINT32, offsetof(struct analysis, replaced_samples_reported), 0},
    REAL(silence_head_s),
    REAL(silence_tail_s),
    FINGERPRINT(FINGERPRINT_SUB_BASS_PCT),
    FINGERPRINT(FINGERPRINT_BASS_PCT),
    FINGERPRINT(FINGERPRINT_LOW_MID_PCT),
    FINGERPRINT(FINGERPRINT_MID_PCT),
    FINGERPRINT(FINGERPRINT_UPPER_MID_PCT),
    FINGERPRINT(FINGERPRINT_PRESENCE_PCT),
    FINGERPRINT(FINGERPRINT_AIR_PCT),
    FINGERPRINT(FINGERPRINT_LUFS),
    FINGERPRINT(FINGERPRINT_CREST_DB),
    FINGERPRINT(FINGERPRINT_BASS_MID_RATIO),
    FINGERPRINT(FINGERPRINT_TEMPO_BPM),
    FINGERPRINT(FINGERPRINT_RHYTHM_STABILITY),
    FINGERPRINT(FINGERPRINT_TRANSIENT_DENSITY),
    FINGERPRINT(FINGERPRINT_SILENCE_RATIO),
    FINGERPRINT(FINGERPRINT_SPECTRAL_CENTROID),
    FINGERPRINT(FINGERPRINT_SPECTRAL_ROLLOFF),
    FINGERPRINT(FINGERPRINT_SPECTRAL_FLATNESS),
    FINGERPRINT(FINGERPRINT_HARMONIC_RATIO),
    FINGERPRINT(FINGERPRINT_PITCH_STABILITY),
    FINGERPRINT(FINGERPRINT_CHROMA_ENERGY),
    FINGERPRINT(FINGERPRINT_DYNAMIC_RANGE_VARIATION),
    FINGERPRINT(FINGERPRINT_LOUDNESS_VARIATION_STD),
    FINGERPRINT(FINGERPRINT_PEAK_CONSISTENCY),
    FINGERPRINT(FINGERPRINT_STEREO_WIDTH),
    FINGERPRINT(FINGERPRINT_PHASE_CORRELATION),
    REAL(loudness.integrated_lufs),
    REAL(loudness.range_lu),
    REAL(loudness.true_peak_dbtp),
    REAL(loudness.sample_peak_dbfs),
    REAL(loudness.momentary_max_lufs),
    REAL(loudness.short_term_max_lufs),
    REAL(tempo.bpm),
    REAL(tempo.alternative_bpm),
    REAL(tempo.confidence),
    REAL(tempo.first_beat_s),
    REAL(tempo.salience),
    REAL(tempo.alternative_salience),
    REAL(tempo.onsets_per_s),
    {KIND_BEATS, 0, 0},
    {KIND_INDEX, offsetof(struct analysis, key.tonic), PITCH_CLASS_COUNT - 1},
    {KIND_INDEX, offsetof(struct analysis, key.mode), KEY_MODE_UNKNOWN},
    REAL(key.strength),
    {KIND_CHROMA, 0, 0},
    {KIND_INDEX, offsetof(struct analysis, genre.label), GENRE_UNKNOWN},
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
    REAL(profile.energy),
    REAL(profile.dynamic_range),
    REAL(profile.brightness),
    REAL(profile.warmth),
    REAL(profile.rhythm),
    REAL(profile.harmony),
    {KIND_LOUDNESS, 0, 0},
};

#define TARGET(member)                                                                             \
    {                                                                                              \
        KIND_DOUBLE, offsetof(struct mastering_targets, member), 0                                 \
    }
#define TARGET_EQ(band)                                                                            \
    {                                                                                              \
        KIND_DOUBLE, offsetof(struct mastering_targets, eq_db) + sizeof(double) * (band), 0        \
    }

// In the order of store_targets_columns.
static const struct field targets_fields[STORE_TARGETS_COLUMNS] = {
    TARGET(target_lufs),
    TARGET(ceiling_dbtp),
    TARGET_EQ(0),
    TARGET_EQ(1),
    TARGET_EQ(2),
    TARGET_EQ(3),
    TARGET_EQ(4),
    TARGET(compressor.threshold_db),
    TARGET(compressor.ratio),
    TARGET(compressor.knee_db),
    TARGET(compressor.attack_s),
    TARGET(compressor.release_s),
    TARGET(compressor.mix),
    TARGET(width),
    TARGET(makeup_db),
    TARGET(limiter.lookahead_s),
    TARGET(limiter.release_s),
    TARGET(predicted_lufs),
    TARGET(predicted_dbtp),
    TARGET(limiter_reduction_db),
    {KIND_INDEX, offsetof(struct mastering_targets, shortfall), SHORTFALL_SILENCE},
    {KIND_INDEX, offsetof(struct mastering_targets, bypass), 1},
};

// --- to the database

static struct store_value real(double x)
{
    return (struct store_value){.is_null = !isfinite(x), .real = isfinite(x) ? x : 0.0};
}

static struct store_value bytes(const void *data, size_t count)
{
    struct store_value value = {.is_null = false};
    value.bytes.data = data;
    value.bytes.count = count;
    return value;
}

static struct store_value chroma(const struct analysis *analysis)
{
    for (unsigned i = 0; i < PITCH_CLASS_COUNT; ++i)
        if (!isfinite(analysis->key.chroma[i]))
            return (struct store_value){.is_null = true};
    return bytes(analysis->key.chroma, sizeof(analysis->key.chroma));
}

static struct store_value number(const struct field *field, const void *base)
{
    const char *at = (const char *)base + field->offset;
    double x;
    uint32_t u32;
    uint64_t u64;
    int32_t index;
    switch (field->kind) {
    case KIND_DOUBLE:
        memcpy(&x, at, sizeof(x));
        return real(x);
    case KIND_UINT32:
        memcpy(&u32, at, sizeof(u32));
        return (struct store_value){.integer = u32};
    case KIND_UINT64:
        memcpy(&u64, at, sizeof(u64));
        return (struct store_value){.integer = (int64_t)u64};
    default:
        assert(field->kind == KIND_INDEX);
        memcpy(&index, at, sizeof(index));
        return (struct store_value){.is_null = index < 0, .integer = index < 0 ? 0 : index};
    }
}

static struct store_value value_of(const struct field *field, const struct track_record *record)
{
    const struct analysis *a = track_record_analysis(record);
    switch (field->kind) {
    case KIND_CODEC:
        return bytes(record->codec, strlen(record->codec));
    case KIND_BACKEND:
        return record->on_cuda ? bytes("cuda", 4) : bytes("cpu", 3);
    case KIND_BEATS:
        return bytes(a->beats_s, a->beat_count * sizeof(a->beats_s[0]));
    case KIND_CHROMA:
        return chroma(a);
    case KIND_LOUDNESS:
        return bytes(analysis_short_term(a), a->loudness_count * sizeof(float));
    default:
        return number(field, a);
    }
}

void library_columns_from_record(struct store_track *track, const struct track_record *record)
{
    track->algorithm_version = track_record_analysis(record)->algorithm_version;
    track->cost_ns = record->cost_ns;
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i)
        track->values[i] = value_of(&analysis_fields[i], record);
}

void library_columns_from_targets(struct store_targets *targets,
                                  const struct mastering_targets *from)
{
    for (unsigned i = 0; i < STORE_TARGETS_COLUMNS; ++i)
        targets->values[i] = number(&targets_fields[i], from);
}

// --- from the database

static int read_number(const struct field *field, const struct store_value *value, void *base)
{
    char *at = (char *)base + field->offset;
    const double x = value->is_null ? NAN : value->real;
    const uint32_t u32 = value->is_null ? 0 : (uint32_t)value->integer;
    const int32_t index = value->is_null ? -1 : (int32_t)value->integer;
    switch (field->kind) {
    case KIND_DOUBLE:
        memcpy(at, &x, sizeof(x));
        return 0;
    case KIND_UINT32:
        memcpy(at, &u32, sizeof(u32));
        return value->is_null || value->integer != u32 ? -EBADMSG : 0;
    case KIND_UINT64:
        memcpy(at, &value->integer, sizeof(value->integer));
        return value->is_null || value->integer < 0 ? -EBADMSG : 0;
    default:
        assert(field->kind == KIND_INDEX);
        memcpy(at, &index, sizeof(index));
        return !value->is_null && (value->integer < 0 || value->integer > field->index_most)
                   ? -EBADMSG
                   : 0;
    }
}

static bool is_text(const struct store_value *value, const char *text)
{
    return !value->is_null && value->bytes.count == strlen(text) &&
           memcmp(value->bytes.data, text, value->bytes.count) == 0;
}

static int read_codec(struct track_record *record, const struct store_value *value)
{
    if (value->is_null || value->bytes.count >= sizeof(record->codec))
        return -EBADMSG;
    memcpy(record->codec, value->bytes.data, value->bytes.count);
    return 0;
}

static int read_beats(struct analysis *analysis, const struct store_value *value)
{
    memcpy(analysis->beats_s, value->bytes.data, value->bytes.count);
    for (uint32_t i = 0; i < analysis->beat_count; ++i)
        if (!isfinite(analysis->beats_s[i]))
            return -EBADMSG;
    return 0;
}

static int read_chroma(struct analysis *analysis, const struct store_value *value)
{
    for (unsigned i = 0; i < PITCH_CLASS_COUNT; ++i)
        analysis->key.chroma[i] = NAN;
    if (value->is_null)
        return 0;
    if (value->bytes.count != sizeof(analysis->key.chroma))
        return -EBADMSG;
    memcpy(analysis->key.chroma, value->bytes.data, value->bytes.count);
    return 0;
}

static int read_value(const struct field *field, const struct store_value *value,
                      struct track_record *record, struct analysis *analysis)
{
    switch (field->kind) {
    case KIND_CODEC:
        return read_codec(record, value);
    case KIND_BACKEND:
        record->on_cuda = is_text(value, "cuda");
        return record->on_cuda || is_text(value, "cpu") ? 0 : -EBADMSG;
    case KIND_BEATS:
        return read_beats(analysis, value);
    case KIND_CHROMA:
        return read_chroma(analysis, value);
    case KIND_LOUDNESS:
        memcpy(analysis_short_term_mutable(analysis), value->bytes.data, value->bytes.count);
        return 0;
    default:
        return read_number(field, value, analysis);
    }
}

// Room for the two lists, by the sizes of their blobs.
static int create_analysis(struct analysis **out, const struct store_track *track)
{
    size_t beats = 0, loudness = 0;
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i) {
        const struct store_value *value = &track->values[i];
        const enum kind kind = analysis_fields[i].kind;
        if (kind != KIND_BEATS && kind != KIND_LOUDNESS)
            continue;
        const size_t each = kind == KIND_BEATS ? sizeof(double) : sizeof(float);
        if (value->is_null || value->bytes.count % each || value->bytes.count / each > UINT32_MAX)
            return -EBADMSG;
        *(kind == KIND_BEATS ? &beats : &loudness) = value->bytes.count / each;
    }
    *out = analysis_create((uint32_t)beats, (uint32_t)loudness);
    return *out ? 0 : -ENOMEM;
}

static int read_targets(struct mastering_targets *out, const struct store_targets *targets)
{
    int error = 0;
    for (unsigned i = 0; i < STORE_TARGETS_COLUMNS && !error; ++i)
        error = read_number(&targets_fields[i], &targets->values[i], out);
    return out->shortfall < 0 || out->bypass < 0 ? -EBADMSG : error;
}

int library_columns_to_record(struct record **out, const struct store_track *track,
                              const struct store_targets *targets)
{
    *out = NULL;
    struct track_record head = {.cost_ns = track->cost_ns, .has_targets = targets != NULL};
    struct analysis *analysis = NULL;
    int error = create_analysis(&analysis, track);
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS && !error; ++i)
        error = read_value(&analysis_fields[i], &track->values[i], &head, analysis);
    if (!error && analysis->genre.label < 0)
        error = -EBADMSG;
    if (!error && targets)
        error = read_targets(&head.targets, targets);
    if (!error) {
        analysis->algorithm_version = track->algorithm_version;
        *out = track_record_create(&head, analysis);
        error = *out ? 0 : -ENOMEM;
    }
    free(analysis);
    return error;
}

// --- settings

void library_columns_settings(struct store_settings *settings, char target[LIBRARY_TARGET_BYTES],
                              const struct mastering_settings *from)
{
    if (from->goal == LOUDNESS_FIXED)
        snprintf(target, LIBRARY_TARGET_BYTES, "%.17g", from->target_lufs);
    else
        snprintf(target, LIBRARY_TARGET_BYTES, "%s",
                 from->goal == LOUDNESS_AS_IS ? "asis" : "preset");
    *settings = (struct store_settings){.preset = mastering_preset_name((int)from->preset),
                                        .target = target,
                                        .intensity = from->intensity};
}

int library_columns_settings_read(struct mastering_settings *settings,
                                  const struct store_settings *from)
{
    *settings = (struct mastering_settings){.intensity = from->intensity};
    const int preset = mastering_preset_parse(from->preset);
    if (preset < 0)
        return -EBADMSG;
    settings->preset = (enum mastering_preset)preset;
    char *end = NULL;
    if (strcmp(from->target, "asis") == 0) {
        settings->goal = LOUDNESS_AS_IS;
    } else if (strcmp(from->target, "preset") != 0) {
        settings->goal = LOUDNESS_FIXED;
        settings->target_lufs = strtod(from->target, &end);
    }
    return (end && *end) || mastering_settings_check(settings) ? -EBADMSG : 0;
}
