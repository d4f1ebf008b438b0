// SPDX-License-Identifier: MIT
// Writing. The reader is analysis_json_read.c.
#include "engine/library/analysis_json.h"
#include "engine/escape.h"
#include "engine/library/analysis_json_members.h"
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// A failed allocation leaves a NULL behind, which jansson's setters refuse: one flag gathers them.
struct writer {
    int failed;
};

static void set(struct writer *writer, json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value))
        writer->failed = 1;
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *escaped(const char *text)
{
    char *copy = escape_dup(text);
    json_t *value = copy ? json_string(copy) : NULL;
    free(copy);
    return value;
}

static void set_number(struct writer *writer, json_t *object, const char *name, double x)
{
    set(writer, object, name, number(x));
}

static void set_count(struct writer *writer, json_t *object, const char *name, uint64_t count)
{
    set(writer, object, name, json_integer((json_int_t)count));
}

static json_t *numbers(struct writer *writer, const double *values, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; ++i)
        if (json_array_append_new(array, number(values[i])))
            writer->failed = 1;
    return array;
}

static json_t *members(struct writer *writer, const struct json_member *table, size_t count,
                       const void *base)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; ++i)
        set_number(writer, object, table[i].name, *json_member_at_const(&table[i], base));
    return object;
}

static json_t *fingerprint(struct writer *writer, const struct analysis *analysis)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < FINGERPRINT_DIMENSIONS; ++i)
        set_number(writer, object, fingerprint_name((enum fingerprint_dimension)i),
                   analysis->fingerprint[i]);
    return object;
}

static json_t *tempo(struct writer *writer, const struct analysis *analysis)
{
    json_t *object = members(writer, json_tempo, JSON_TEMPO_COUNT, &analysis->tempo);
    set(writer, object, "beats_s", numbers(writer, analysis->beats_s, analysis->beat_count));
    return object;
}

static json_t *key(struct writer *writer, const struct key *key)
{
    json_t *object = json_object();
    set(writer, object, "tonic", text_or_null(key_tonic_name(key->tonic)));
    set(writer, object, "mode", text_or_null(key_mode_name(key->mode)));
    set_number(writer, object, "strength", key->strength);
    return object;
}

static json_t *genre(struct writer *writer, const struct genre *genre)
{
    json_t *object = json_object(), *scores = json_object();
    for (int i = 0; i < GENRE_COUNT; ++i)
        set_number(writer, scores, genre_name(i), genre->scores[i]);
    set(writer, object, "label", json_string(genre_name(genre->label)));
    set(writer, object, "scores", scores);
    return object;
}

static json_t *targets(struct writer *writer, const struct mastering_targets *t)
{
    json_t *object = members(writer, json_targets, JSON_TARGETS_COUNT, t);
    assert(t->shortfall >= 0 && t->shortfall < JSON_SHORTFALL_COUNT);
    set(writer, object, "eq_db", numbers(writer, t->eq_db, EQ_BAND_COUNT));
    set(writer, object, "compressor",
        members(writer, json_compressor, JSON_COMPRESSOR_COUNT, &t->compressor));
    set(writer, object, "limiter", members(writer, json_limiter, JSON_LIMITER_COUNT, &t->limiter));
    set(writer, object, "shortfall", json_string(json_shortfall_names[t->shortfall]));
    set(writer, object, "bypass", json_boolean(t->bypass));
    return object;
}

static json_t *timing(struct writer *writer, const struct extraction_timing *t)
{
    const double ns_in_ms = 1e6;
    json_t *object = json_object();
    set_number(writer, object, "load", (double)t->load_ns / ns_in_ms);
    set_number(writer, object, "decode", (double)t->decode_ns / ns_in_ms);
    set_number(writer, object, "fingerprint", (double)t->fingerprint_ns / ns_in_ms);
    set_number(writer, object, "profile", (double)t->profile_ns / ns_in_ms);
    set_number(writer, object, "targets", (double)t->targets_ns / ns_in_ms);
    set_number(writer, object, "total", (double)t->total_ns / ns_in_ms);
    return object;
}

// What analyze does not print. Short-term loudness is null where it is minus infinity: silence.
static json_t *details(struct writer *writer, const struct analysis *analysis)
{
    json_t *object = json_object(), *short_term = json_array();
    const float *loudness = analysis_short_term(analysis);
    for (uint32_t i = 0; i < analysis->loudness_count; ++i)
        if (json_array_append_new(short_term, number((double)loudness[i])))
            writer->failed = 1;
    set_count(writer, object, "frames", analysis->frames);
    set_count(writer, object, "replaced_samples_reported", analysis->replaced_samples_reported);
    for (size_t i = 0; i < JSON_DETAILS_COUNT; ++i)
        set_number(writer, object, json_details[i].name,
                   *json_member_at_const(&json_details[i], analysis));
    set(writer, object, "chroma", numbers(writer, analysis->key.chroma, PITCH_CLASS_COUNT));
    set(writer, object, "short_term_lufs", short_term);
    return object;
}

static void set_analysis(struct writer *writer, json_t *object, const struct analysis *analysis,
                         const char *codec)
{
    set_number(writer, object, "duration_s", analysis->duration_s);
    set_count(writer, object, "sample_rate_hz", analysis->sample_rate_hz);
    set_count(writer, object, "channels", analysis->channels);
    if (codec)
        set(writer, object, "codec", json_string(codec));
    set(writer, object, "fingerprint", fingerprint(writer, analysis));
    set(writer, object, "loudness",
        members(writer, json_loudness, JSON_LOUDNESS_COUNT, &analysis->loudness));
    set(writer, object, "tempo", tempo(writer, analysis));
    set(writer, object, "key", key(writer, &analysis->key));
    set(writer, object, "genre", genre(writer, &analysis->genre));
    set(writer, object, "profile",
        members(writer, json_profile, JSON_PROFILE_COUNT, &analysis->profile));
}

static json_t *error(struct writer *writer, const char *code, const char *message)
{
    json_t *object = json_object();
    set(writer, object, "code", json_string(code));
    set(writer, object, "message", escaped(message ? message : code));
    return object;
}

static void set_report(struct writer *writer, json_t *object, const struct analysis_report *report,
                       enum analysis_json_extent extent)
{
    if (report->path)
        set(writer, object, "path", escaped(report->path));
    if (report->analysis)
        set_analysis(writer, object, report->analysis, report->codec);
    if (report->targets)
        set(writer, object, "targets", targets(writer, report->targets));
    if (report->timing)
        set(writer, object, "timing_ms", timing(writer, report->timing));
    if (report->source)
        set(writer, object, "source", json_string(report->source));
    if (report->backend)
        set(writer, object, "backend", json_string(report->backend));
    if (report->analysis)
        set_count(writer, object, "algorithm_version", report->analysis->algorithm_version);
    if (report->analysis && extent == ANALYSIS_JSON_COMPLETE)
        set(writer, object, "details", details(writer, report->analysis));
    if (report->error_code)
        set(writer, object, "error", error(writer, report->error_code, report->error_message));
}

char *analysis_json_dump(const json_t *value)
{
    // Not json_dumps(): without memory for its buffer it may leave out a key and go on (Jansson 2.14).
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17);
    const size_t bytes = json_dumpb(value, NULL, 0, flags);
    char *text = bytes ? malloc(bytes + 1) : NULL;
    if (!text)
        return NULL;
    if (json_dumpb(value, text, bytes, flags) != bytes) {
        free(text);
        return NULL;
    }
    text[bytes] = '\0';
    return text;
}

char *analysis_json_print(const struct analysis_report *report, enum analysis_json_extent extent)
{
    assert(report && (report->analysis || report->error_code));
    struct writer writer = {0};
    json_t *object = json_object();
    if (!object)
        return NULL;
    set_report(&writer, object, report, extent);
    char *line = writer.failed ? NULL : analysis_json_dump(object);
    json_decref(object);
    return line;
}
