// SPDX-License-Identifier: MIT
#include "engine/library/analysis_json.h"
#include "support/failing_heap.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants setjmp.h, stdarg.h and their like before it
#include <cmocka.h>

enum { BEATS = 7, LOUDNESS = 11 };

// Numbers without a short decimal form, of all sizes: any digit lost on the way shows.
static double next_awkward(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return ldexp((double)(*state >> 11) + 1, (int)(*state >> 60) - 60);
}

static void fill(double *values, size_t count, uint64_t *seed)
{
    for (size_t i = 0; i < count; ++i)
        values[i] = next_awkward(seed);
}

static struct analysis *make_analysis(uint64_t seed)
{
    struct analysis *a = analysis_create(BEATS, LOUDNESS);
    assert_non_null(a);
    a->sample_rate_hz = 44100;
    a->channels = 2;
    a->frames = 123456789012;
    a->replaced_samples_reported = 1;
    fill(&a->duration_s, 3, &seed);
    fill(a->fingerprint, FINGERPRINT_DIMENSIONS, &seed);
    fill((double *)&a->loudness, sizeof a->loudness / sizeof(double), &seed);
    fill((double *)&a->tempo, sizeof a->tempo / sizeof(double), &seed);
    a->key.tonic = 6;
    a->key.mode = KEY_MINOR;
    fill(&a->key.strength, 1 + PITCH_CLASS_COUNT, &seed);
    a->genre.label = GENRE_HIP_HOP;
    fill(a->genre.scores, GENRE_COUNT, &seed);
    fill((double *)&a->profile, sizeof a->profile / sizeof(double), &seed);
    fill(a->beats_s, BEATS, &seed);
    for (int i = 0; i < LOUDNESS; ++i)
        analysis_short_term_mutable(a)[i] = (float)-next_awkward(&seed);
    return a;
}

static struct mastering_targets make_targets(uint64_t seed)
{
    struct mastering_targets t;
    memset(&t, 0, sizeof t);
    fill((double *)&t, offsetof(struct mastering_targets, shortfall) / sizeof(double), &seed);
    t.shortfall = SHORTFALL_LIMITER;
    t.bypass = 1;
    return t;
}

static const struct extraction_timing timing = {1000000, 2500000, 3, 4000000, 0, 7500003};

static struct analysis_report make_report(const struct analysis *a,
                                          const struct mastering_targets *t)
{
    return (struct analysis_report){.path = "dir/a b.flac",
                                    .codec = "flac",
                                    .analysis = a,
                                    .targets = t,
                                    .timing = &timing,
                                    .source = "computed",
                                    .backend = "cpu"};
}

static char *print(const struct analysis_report *report, enum analysis_json_extent extent)
{
    char *line = analysis_json_print(report, extent);
    assert_non_null(line);
    assert_null(strchr(line, '\n'));
    return line;
}

static json_t *load(const char *line)
{
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    return object;
}

// The names of an object's members, in their order, each followed by a space.
static void assert_names(const json_t *object, const char *expected)
{
    char names[1024] = "";
    const char *name;
    json_t *value, *writable = (json_t *)(size_t)object;
    assert_true(json_is_object(object));
    json_object_foreach(writable, name, value)
    {
        strcat(names, name);
        strcat(names, " ");
    }
    assert_string_equal(names, expected);
}

static void names_and_nesting_are_those_of_the_contract(void **state)
{
    (void)state;
    struct analysis *a = make_analysis(1);
    const struct mastering_targets t = make_targets(2);
    const struct analysis_report report = make_report(a, &t);
    char *line = print(&report, ANALYSIS_JSON_PRINTED);
    json_t *o = load(line);

    assert_names(o, "path duration_s sample_rate_hz channels codec fingerprint loudness tempo key "
                    "genre profile targets timing_ms source backend algorithm_version ");
    assert_names(json_object_get(o, "fingerprint"),
                 "sub_bass_pct bass_pct low_mid_pct mid_pct upper_mid_pct presence_pct air_pct "
                 "lufs crest_db bass_mid_ratio tempo_bpm rhythm_stability transient_density "
                 "silence_ratio spectral_centroid spectral_rolloff spectral_flatness "
                 "harmonic_ratio pitch_stability chroma_energy dynamic_range_variation "
                 "loudness_variation_std peak_consistency stereo_width phase_correlation ");
    assert_names(json_object_get(o, "loudness"),
                 "integrated_lufs range_lu true_peak_dbtp sample_peak_dbfs momentary_max_lufs "
                 "short_term_max_lufs ");
    assert_names(json_object_get(o, "tempo"),
                 "bpm alternative_bpm confidence first_beat_s beats_s ");
    assert_names(json_object_get(o, "key"), "tonic mode strength ");
    assert_names(json_object_get(o, "genre"), "label scores ");
    assert_names(json_object_get(json_object_get(o, "genre"), "scores"),
                 "classical rock electronic jazz pop hip_hop acoustic ambient metal country ");
    assert_names(json_object_get(o, "timing_ms"), "load decode fingerprint profile targets total ");

    json_decref(o);
    free(line);
    free(a);
}

static void values_stand_where_their_names_say(void **state)
{
    (void)state;
    struct analysis *a = make_analysis(3);
    const struct mastering_targets t = make_targets(4);
    const struct analysis_report report = make_report(a, &t);
    char *line = print(&report, ANALYSIS_JSON_PRINTED);
    json_t *o = load(line);
    const json_t *loudness = json_object_get(o, "loudness"), *key = json_object_get(o, "key"),
                 *targets = json_object_get(o, "targets");

    assert_string_equal(json_string_value(json_object_get(o, "path")), "dir/a b.flac");
    assert_true(json_real_value(json_object_get(loudness, "true_peak_dbtp")) ==
                a->loudness.true_peak_dbtp);
    assert_string_equal(json_string_value(json_object_get(key, "tonic")), "F#");
    assert_string_equal(json_string_value(json_object_get(key, "mode")), "minor");
    assert_true(json_real_value(json_object_get(json_object_get(targets, "compressor"), "ratio")) ==
                t.compressor.ratio);
    assert_true(json_real_value(json_object_get(json_object_get(targets, "limiter"),
                                                "release_s")) == t.limiter.release_s);
    assert_string_equal(json_string_value(json_object_get(targets, "shortfall")), "limiter");
    assert_true(json_real_value(json_object_get(json_object_get(o, "timing_ms"), "decode")) == 2.5);
    assert_int_equal(json_integer_value(json_object_get(o, "sample_rate_hz")), 44100);
    assert_int_equal(json_array_size(json_object_get(json_object_get(o, "tempo"), "beats_s")),
                     BEATS);

    json_decref(o);
    free(line);
    free(a);
}

static void what_is_not_defined_is_null(void **state)
{
    (void)state;
    struct analysis *a = analysis_create(0, 0);
    assert_non_null(a);
    a->key.tonic = -1;
    a->key.mode = KEY_MODE_UNKNOWN;
    a->tempo.first_beat_s = NAN;
    a->loudness.true_peak_dbtp = -INFINITY;
    a->genre.label = GENRE_UNKNOWN;
    const struct analysis_report report = make_report(a, NULL);
    char *line = print(&report, ANALYSIS_JSON_PRINTED);
    json_t *o = load(line);

    assert_true(json_is_null(json_object_get(json_object_get(o, "key"), "tonic")));
    assert_true(json_is_null(json_object_get(json_object_get(o, "key"), "mode")));
    assert_true(json_is_null(json_object_get(json_object_get(o, "tempo"), "first_beat_s")));
    assert_true(json_is_null(json_object_get(json_object_get(o, "loudness"), "true_peak_dbtp")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "genre"), "label")),
                        "unknown");
    assert_null(strstr(line, "nan"));

    json_decref(o);
    free(line);
    free(a);
}

static void a_failed_file_gives_path_and_error_alone(void **state)
{
    (void)state;
    const struct analysis_report report = {
        .path = "a\nb\xff", .error_code = "corrupt", .error_message = "bad header\x1b"};
    char *line = print(&report, ANALYSIS_JSON_PRINTED);
    assert_string_equal(line, "{\"path\":\"a\\\\nb\\\\xff\",\"error\":{\"code\":\"corrupt\","
                              "\"message\":\"bad header\\\\x1b\"}}");
    free(line);
}

static void a_damaged_file_gives_figures_and_error_and_is_not_read_back(void **state)
{
    (void)state;
    struct analysis *a = make_analysis(5);
    struct analysis_report report = make_report(a, NULL);
    report.error_code = "truncated";
    char *line = print(&report, ANALYSIS_JSON_COMPLETE);
    json_t *o = load(line);
    struct analysis_json_record record;

    assert_non_null(json_object_get(o, "fingerprint"));
    assert_non_null(json_object_get(o, "error"));
    assert_int_equal(analysis_json_read(&record, line, strlen(line)), -EBADMSG);
    assert_null(record.analysis);

    json_decref(o);
    free(line);
    free(a);
}

static void a_complete_object_reads_back_bit_for_bit(void **state)
{
    (void)state;
    for (uint64_t seed = 10; seed < 60; ++seed) {
        struct analysis *a = make_analysis(seed);
        const struct mastering_targets t = make_targets(seed + 1000);
        const struct analysis_report report = make_report(a, &t);
        struct analysis_json_record record;
        analysis_short_term_mutable(a)[3] = -HUGE_VALF;
        a->fingerprint[4] = -0.0;
        a->fingerprint[5] = 5e-324;
        a->fingerprint[6] = 1.7976931348623157e308;
        char *line = print(&report, ANALYSIS_JSON_COMPLETE);

        assert_int_equal(analysis_json_read(&record, line, strlen(line)), 0);
        assert_int_equal(analysis_bytes(record.analysis), analysis_bytes(a));
        assert_memory_equal(record.analysis, a, analysis_bytes(a));
        assert_int_equal(record.has_targets, 1);
        assert_memory_equal(&record.targets, &t, sizeof t);
        assert_string_equal(record.codec, "flac");
        assert_string_equal(record.backend, "cpu");
        free(record.analysis);
        free(line);
        free(a);
    }
}

static void a_printed_object_reads_back_what_it_says(void **state)
{
    (void)state;
    struct analysis *a = make_analysis(7);
    const struct analysis_report report = make_report(a, NULL);
    struct analysis_json_record record;
    a->duration_s = 2.5;
    a->loudness.true_peak_dbtp = NAN;
    char *line = print(&report, ANALYSIS_JSON_PRINTED);

    assert_int_equal(analysis_json_read(&record, line, strlen(line)), 0);
    const struct analysis *b = record.analysis;
    assert_memory_equal(b->fingerprint, a->fingerprint, sizeof a->fingerprint);
    assert_memory_equal(b->beats_s, a->beats_s, BEATS * sizeof(double));
    assert_memory_equal(&b->profile, &a->profile, sizeof a->profile);
    assert_true(isnan(b->loudness.true_peak_dbtp));
    assert_true(isnan(b->key.chroma[0]) && isnan(b->tempo.salience));
    assert_int_equal(b->loudness_count, 0);
    assert_int_equal(b->frames, 110250);
    assert_int_equal(record.has_targets, 0);

    free(record.analysis);
    free(line);
    free(a);
}

static void a_beat_without_a_time_is_refused(void **state)
{
    (void)state;
    struct analysis *a = make_analysis(8);
    const struct mastering_targets t = make_targets(9);
    const struct analysis_report report = make_report(a, &t);
    char *line = print(&report, ANALYSIS_JSON_COMPLETE);
    struct analysis_json_record record;
    json_t *o = load(line);
    json_t *beats = json_object_get(json_object_get(o, "tempo"), "beats_s");
    assert_int_equal(json_array_set_new(beats, 1, json_null()), 0);
    char *changed = json_dumps(o, JSON_COMPACT);

    assert_int_equal(analysis_json_read(&record, changed, strlen(changed)), -EBADMSG);

    assert_null(record.analysis);
    free(changed);
    json_decref(o);
    free(line);
    free(a);
}

static void an_object_that_lacks_a_member_or_has_a_wrong_one_is_refused(void **state)
{
    (void)state;
    struct analysis *a = make_analysis(8);
    const struct mastering_targets t = make_targets(9);
    const struct analysis_report report = make_report(a, &t);
    static const char *const needed[] = {
        "duration_s", "sample_rate_hz", "channels", "fingerprint",      "loudness", "tempo",
        "key",        "genre",          "profile",  "algorithm_version"};
    char *line = print(&report, ANALYSIS_JSON_COMPLETE);
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; ++i) {
        for (int is_wrong = 0; is_wrong < 2; ++is_wrong) {
            struct analysis_json_record record;
            json_t *o = load(line);
            if (is_wrong)
                json_object_set_new(o, needed[i], json_string("x"));
            else
                json_object_del(o, needed[i]);
            char *changed = json_dumps(o, JSON_COMPACT);
            assert_int_equal(analysis_json_read(&record, changed, strlen(changed)), -EBADMSG);
            assert_null(record.analysis);
            free(changed);
            json_decref(o);
        }
    }
    free(line);
    free(a);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct analysis *a = make_analysis(11);
    const struct analysis_report report = make_report(a, NULL);
    char *line = print(&report, ANALYSIS_JSON_COMPLETE);
    const size_t bytes = strlen(line);
    for (size_t cut = 0; cut < bytes; cut += 7) {
        struct analysis_json_record record;
        assert_int_equal(analysis_json_read(&record, line, cut), -EBADMSG);
    }
    free(line);
    free(a);
}

// jansson's allocator, told to fail at the nth call.
static size_t calls_left;

static void *failing_malloc(size_t bytes)
{
    return calls_left > 0 && calls_left-- > 1 ? malloc(bytes) : NULL;
}

static void running_out_of_memory_at_any_call_is_reported(void **state)
{
    (void)state;
    struct analysis *a = make_analysis(12);
    const struct mastering_targets t = make_targets(13);
    const struct analysis_report report = make_report(a, &t);
    char *whole = print(&report, ANALYSIS_JSON_COMPLETE), *line = NULL;
    size_t n = 0, failures = 0;
    json_malloc_t usual_malloc;
    json_free_t usual_free;
    json_get_alloc_funcs(&usual_malloc, &usual_free);
    json_set_alloc_funcs(failing_malloc, free);
    while (!line && ++n < 100000) {
        calls_left = n;
        line = analysis_json_print(&report, ANALYSIS_JSON_COMPLETE);
        failures += !line;
    }
    json_set_alloc_funcs(usual_malloc, usual_free);
    assert_non_null(line);
    assert_string_equal(line, whole);
    assert_true(failures > 100);
    free(line);
    free(whole);
    free(a);
}

// The first allocation that is not jansson's own is the analysis itself.
static void no_memory_for_what_is_read_is_reported(void **state)
{
    (void)state;
    struct analysis *a = make_analysis(14);
    const struct analysis_report report = make_report(a, NULL);
    char *line = print(&report, ANALYSIS_JSON_COMPLETE);
    struct analysis_json_record record;
    failing_heap_arm(0);
    const int error = analysis_json_read(&record, line, strlen(line));
    assert_true(failing_heap_has_failed());
    failing_heap_arm(SIZE_MAX);
    assert_int_equal(error, -ENOMEM);
    assert_null(record.analysis);
    free(line);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_nesting_are_those_of_the_contract),
        cmocka_unit_test(values_stand_where_their_names_say),
        cmocka_unit_test(what_is_not_defined_is_null),
        cmocka_unit_test(a_failed_file_gives_path_and_error_alone),
        cmocka_unit_test(a_damaged_file_gives_figures_and_error_and_is_not_read_back),
        cmocka_unit_test(a_complete_object_reads_back_bit_for_bit),
        cmocka_unit_test(a_printed_object_reads_back_what_it_says),
        cmocka_unit_test(a_beat_without_a_time_is_refused),
        cmocka_unit_test(an_object_that_lacks_a_member_or_has_a_wrong_one_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(running_out_of_memory_at_any_call_is_reported),
        cmocka_unit_test(no_memory_for_what_is_read_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
