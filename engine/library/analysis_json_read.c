// SPDX-License-Identifier: MIT
#include "engine/library/analysis_json.h"
#include "engine/library/analysis_json_members.h"
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// What is missing or of the wrong type sets the flag and reads as something harmless.
struct reader {
    int bad;
};

static double number_of(struct reader *reader, const json_t *value)
{
    if (json_is_null(value))
        return NAN;
    if (!json_is_number(value))
        reader->bad = 1;
    return json_number_value(value);
}

static uint64_t count(struct reader *reader, const json_t *object, const char *name, uint64_t most)
{
    const json_t *value = json_object_get(object, name);
    const json_int_t x = json_integer_value(value);
    if (!json_is_integer(value) || x < 0 || (uint64_t)x > most) {
        reader->bad = 1;
        return 0;
    }
    return (uint64_t)x;
}

static const char *string(struct reader *reader, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!text)
        reader->bad = 1;
    return text ? text : "";
}

static void members(struct reader *reader, const json_t *object, const struct json_member *table,
                    size_t members_count, void *base)
{
    for (size_t i = 0; i < members_count; ++i)
        *json_member_at(&table[i], base) =
            number_of(reader, json_object_get(object, table[i].name));
}

static void numbers(struct reader *reader, const json_t *array, double *values, size_t expected)
{
    if (!json_is_array(array) || json_array_size(array) != expected) {
        reader->bad = 1;
        return;
    }
    for (size_t i = 0; i < expected; ++i)
        values[i] = number_of(reader, json_array_get(array, i));
}

// Index of `name` among `count` names given by `name_of`; -1 and the flag if it is none of them.
static int index_of(struct reader *reader, const char *name, int names_count,
                    const char *(*name_of)(int index))
{
    for (int i = 0; i < names_count; ++i)
        if (strcmp(name_of(i), name) == 0)
            return i;
    reader->bad = 1;
    return -1;
}

static const char *shortfall_name(int index)
{
    return json_shortfall_names[index];
}

static void read_key(struct reader *reader, const json_t *object, struct key *key)
{
    key->tonic =
        json_is_null(json_object_get(object, "tonic"))
            ? -1
            : index_of(reader, string(reader, object, "tonic"), PITCH_CLASS_COUNT, key_tonic_name);
    key->mode =
        json_is_null(json_object_get(object, "mode"))
            ? KEY_MODE_UNKNOWN
            : index_of(reader, string(reader, object, "mode"), KEY_MODE_UNKNOWN, key_mode_name);
    key->strength = number_of(reader, json_object_get(object, "strength"));
}

static void read_genre(struct reader *reader, const json_t *object, struct genre *genre)
{
    const json_t *scores = json_object_get(object, "scores");
    genre->label = index_of(reader, string(reader, object, "label"), GENRE_COUNT + 1, genre_name);
    for (int i = 0; i < GENRE_COUNT; ++i)
        genre->scores[i] = number_of(reader, json_object_get(scores, genre_name(i)));
}

static void read_details(struct reader *reader, const json_t *object, struct analysis *analysis)
{
    const json_t *short_term = json_object_get(object, "short_term_lufs");
    float *loudness = analysis_short_term_mutable(analysis);
    assert(json_array_size(short_term) == analysis->loudness_count); // it was sized by it
    for (uint32_t i = 0; i < analysis->loudness_count; ++i) {
        const double lufs = number_of(reader, json_array_get(short_term, i));
        loudness[i] = isnan(lufs) ? -HUGE_VALF : (float)lufs;
    }
    analysis->frames = count(reader, object, "frames", INT64_MAX);
    analysis->replaced_samples_reported =
        (uint32_t)count(reader, object, "replaced_samples_reported", 1);
    members(reader, object, json_details, JSON_DETAILS_COUNT, analysis);
    numbers(reader, json_object_get(object, "chroma"), analysis->key.chroma, PITCH_CLASS_COUNT);
}

static void leave_out_details(struct reader *reader, struct analysis *analysis)
{
    const double frames = round(analysis->duration_s * analysis->sample_rate_hz);
    if (!(frames >= 0 && frames < 0x1p63)) {
        reader->bad = 1;
        return;
    }
    analysis->frames = (uint64_t)frames;
    for (unsigned i = 0; i < PITCH_CLASS_COUNT; ++i)
        analysis->key.chroma[i] = NAN;
    for (unsigned i = 0; i < JSON_DETAILS_COUNT; ++i)
        *json_member_at(&json_details[i], analysis) = NAN;
}

// There is no beat at an unknown time.
static void read_beats(struct reader *reader, const json_t *array, struct analysis *analysis)
{
    numbers(reader, array, analysis->beats_s, analysis->beat_count);
    for (uint32_t i = 0; i < analysis->beat_count; ++i)
        if (!isfinite(analysis->beats_s[i]))
            reader->bad = 1;
}

static void read_analysis(struct reader *reader, const json_t *object, struct analysis *analysis)
{
    const json_t *fingerprint = json_object_get(object, "fingerprint");
    const json_t *tempo = json_object_get(object, "tempo");
    const json_t *details = json_object_get(object, "details");
    analysis->algorithm_version = (uint32_t)count(reader, object, "algorithm_version", UINT32_MAX);
    analysis->sample_rate_hz = (uint32_t)count(reader, object, "sample_rate_hz", UINT32_MAX);
    analysis->channels = (uint32_t)count(reader, object, "channels", UINT32_MAX);
    analysis->duration_s = number_of(reader, json_object_get(object, "duration_s"));
    for (unsigned i = 0; i < FINGERPRINT_DIMENSIONS; ++i)
        analysis->fingerprint[i] = number_of(
            reader, json_object_get(fingerprint, fingerprint_name((enum fingerprint_dimension)i)));
    members(reader, json_object_get(object, "loudness"), json_loudness, JSON_LOUDNESS_COUNT,
            &analysis->loudness);
    members(reader, tempo, json_tempo, JSON_TEMPO_COUNT, &analysis->tempo);
    read_beats(reader, json_object_get(tempo, "beats_s"), analysis);
    read_key(reader, json_object_get(object, "key"), &analysis->key);
    read_genre(reader, json_object_get(object, "genre"), &analysis->genre);
    members(reader, json_object_get(object, "profile"), json_profile, JSON_PROFILE_COUNT,
            &analysis->profile);
    if (details)
        read_details(reader, details, analysis);
    else
        leave_out_details(reader, analysis);
}

static void read_targets(struct reader *reader, const json_t *object, struct mastering_targets *t)
{
    const json_t *bypass = json_object_get(object, "bypass");
    members(reader, object, json_targets, JSON_TARGETS_COUNT, t);
    numbers(reader, json_object_get(object, "eq_db"), t->eq_db, EQ_BAND_COUNT);
    members(reader, json_object_get(object, "compressor"), json_compressor, JSON_COMPRESSOR_COUNT,
            &t->compressor);
    members(reader, json_object_get(object, "limiter"), json_limiter, JSON_LIMITER_COUNT,
            &t->limiter);
    t->shortfall =
        index_of(reader, string(reader, object, "shortfall"), JSON_SHORTFALL_COUNT, shortfall_name);
    t->bypass = json_is_true(bypass);
    if (!json_is_boolean(bypass))
        reader->bad = 1;
}

// Copy a word that may be missing.
static void read_word(struct reader *reader, const json_t *object, const char *name, char *word,
                      size_t size)
{
    const char *text = json_object_get(object, name) ? string(reader, object, name) : "";
    if (strlen(text) >= size)
        reader->bad = 1;
    else
        strcpy(word, text);
}

static int read_object(struct analysis_json_record *record, const json_t *object)
{
    const json_t *beats = json_object_get(json_object_get(object, "tempo"), "beats_s");
    const json_t *loudness = json_object_get(json_object_get(object, "details"), "short_term_lufs");
    const json_t *targets = json_object_get(object, "targets");
    struct reader reader = {0};
    if (!json_is_object(object) || json_object_get(object, "error"))
        return -EBADMSG;
    record->analysis =
        analysis_create((uint32_t)json_array_size(beats), (uint32_t)json_array_size(loudness));
    if (!record->analysis)
        return -ENOMEM;
    read_analysis(&reader, object, record->analysis);
    if (targets)
        read_targets(&reader, targets, &record->targets);
    record->has_targets = targets != NULL;
    read_word(&reader, object, "codec", record->codec, sizeof record->codec);
    read_word(&reader, object, "backend", record->backend, sizeof record->backend);
    return reader.bad ? -EBADMSG : 0;
}

int analysis_json_read_object(struct analysis_json_record *record, const json_t *object)
{
    assert(record && object);
    memset(record, 0, sizeof *record);
    const int error = read_object(record, object);
    if (error) {
        free(record->analysis);
        record->analysis = NULL;
    }
    return error;
}

int analysis_json_parse(json_t **object, const char *text, size_t bytes)
{
    json_error_t cause = {0}; // Jansson does not set all of it at once
    *object = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &cause);
    if (*object)
        return 0;
    // Where Jansson has no memory for what it reads, it does not always say why it ends.
    const enum json_error_code code = json_error_code(&cause);
    return code == json_error_out_of_memory || code == json_error_unknown ? -ENOMEM : -EBADMSG;
}

int analysis_json_read(struct analysis_json_record *record, const char *text, size_t bytes)
{
    assert(record && text);
    memset(record, 0, sizeof *record);
    json_t *object;
    int error = analysis_json_parse(&object, text, bytes);
    if (error)
        return error;
    error = analysis_json_read_object(record, object);
    json_decref(object);
    return error;
}
