// SPDX-License-Identifier: MIT
#include "engine/library/library_columns.h"
#include "engine/library/library_fields.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct store_value number(const struct library_field *field, const void *base)
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

static struct store_value value_of(const struct library_field *field,
                                   const struct track_record *record)
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
        track->values[i] = value_of(&library_analysis_fields[i], record);
}

void library_columns_from_targets(struct store_targets *targets,
                                  const struct mastering_targets *from)
{
    for (unsigned i = 0; i < STORE_TARGETS_COLUMNS; ++i)
        targets->values[i] = number(&library_targets_fields[i], from);
}

// --- from the database

// Only what would not fit: what is too much is for library_fields_check().
static int read_number(const struct library_field *field, const struct store_value *value,
                       void *base)
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
        return !value->is_null && (value->integer < 0 || value->integer != index) ? -EBADMSG : 0;
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

static int read_value(const struct library_field *field, const struct store_value *value,
                      struct track_record *record, struct analysis *analysis)
{
    switch (field->kind) {
    case KIND_CODEC:
        return read_codec(record, value);
    case KIND_BACKEND:
        record->on_cuda = is_text(value, "cuda");
        return record->on_cuda || is_text(value, "cpu") ? 0 : -EBADMSG;
    case KIND_BEATS:
        memcpy(analysis->beats_s, value->bytes.data, value->bytes.count);
        return 0;
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
        const enum library_field_kind kind = library_analysis_fields[i].kind;
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
        error = read_number(&library_targets_fields[i], &targets->values[i], out);
    return error;
}

int library_columns_to_record(struct record **out, const struct store_track *track,
                              const struct store_targets *targets)
{
    *out = NULL;
    struct track_record head = {.cost_ns = track->cost_ns, .has_targets = targets != NULL};
    struct analysis *analysis = NULL;
    int error = create_analysis(&analysis, track);
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS && !error; ++i)
        error = read_value(&library_analysis_fields[i], &track->values[i], &head, analysis);
    if (!error && targets)
        error = read_targets(&head.targets, targets);
    if (!error) {
        analysis->algorithm_version = track->algorithm_version;
        error = library_fields_check(&head, analysis);
    }
    if (!error) {
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
