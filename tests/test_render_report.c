// SPDX-License-Identifier: MIT
// What is said of a rendered file: to people on a line, to programs as JSON.
#include "engine/desktop/render_report.h"
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_BYTES = 1024 };

static struct render_outcome outcome(void)
{
    return (struct render_outcome){
        .before_lufs = -18.2,
        .after_lufs = -14.04,
        .after_dbtp = -1.02,
        .limiter_db = 2.12,
        .album_lufs = NAN,
        .mastered = true,
        .targets = {.target_lufs = -14, .makeup_db = 4.2, .eq_db = {1}, .width = 1}};
}

/// As mastered before: neither tone nor dynamics nor width.
static struct render_outcome again(void)
{
    struct render_outcome o = outcome();
    o.targets.eq_db[0] = 0;
    o.was_mastered = true;
    return o;
}

static void assert_line(const struct render_outcome *o, const char *wanted)
{
    char line[LINE_BYTES] = "";
    FILE *to = fmemopen(line, sizeof(line), "w");
    assert_non_null(to);
    render_report_line(to, "a.flac", "b.wav", o);
    fclose(to);
    assert_string_equal(line, wanted);
}

static void a_line_tells_loudness_before_and_after(void **state)
{
    (void)state;
    struct render_outcome o = outcome();
    assert_line(&o,
                "a.flac -> b.wav: -18.2 -> -14.0 LUFS (target -14.0), -1.0 dBTP, makeup +4.2 dB, "
                "limiting at most 2.1 dB\n");
    o.targets.makeup_db = -0.04; // is no less than nothing
    assert_line(&o,
                "a.flac -> b.wav: -18.2 -> -14.0 LUFS (target -14.0), -1.0 dBTP, makeup +0.0 dB, "
                "limiting at most 2.1 dB\n");
    o.mastered = false;
    assert_line(&o, "a.flac -> b.wav: -14.0 LUFS, not mastered\n");
}

#define FIGURES                                                                                    \
    "a.flac -> b.wav: -18.2 -> -15.3 LUFS (target -14.0), -1.0 dBTP, makeup +4.2 dB, limiting at " \
    "most 2.1 dB, "

static void a_shortfall_is_told_with_its_reason(void **state)
{
    (void)state;
    struct render_outcome o = outcome();
    o.after_lufs = -15.3;
    o.targets.shortfall = SHORTFALL_LIMITER;
    assert_line(&o, FIGURES "1.3 LU below target: limiter reduction of 4 dB reached, brief peaks "
                            "aside: more would flatten the music\n");
    struct render_outcome before = again();
    before.after_lufs = -15.3;
    before.targets.shortfall = SHORTFALL_LIMITER;
    assert_line(&before,
                FIGURES "1.3 LU below target: mastered before, its peaks are at the ceiling\n");
    o.targets.shortfall = SHORTFALL_SILENCE;
    assert_line(&o, FIGURES "too quiet or too short to have a loudness\n");
}

// However loud a chunk is by itself.
static void a_chunks_shortfall_is_its_tracks(void **state)
{
    (void)state;
    struct render_outcome o = outcome();
    o.after_lufs = -15.3;
    o.is_part = true;
    o.targets.predicted_lufs = -14.6;
    o.targets.shortfall = SHORTFALL_LIMITER;
    assert_line(&o,
                "a.flac -> b.wav: -18.2 -> -15.3 LUFS (track's target -14.0), -1.0 dBTP, makeup "
                "+4.2 dB, limiting at most 2.1 dB, track 0.6 LU below target: limiter reduction of "
                "4 dB reached, brief peaks aside: more would flatten the music\n");
}

static void an_albums_shortfall_is_the_albums(void **state)
{
    (void)state;
    struct render_outcome o = outcome();
    o.after_lufs = -15.3;
    o.album_lufs = -14.5;
    o.targets.shortfall = SHORTFALL_LIMITER;
    assert_line(&o, FIGURES "album 0.5 LU below target: limiter reduction of 4 dB reached, brief "
                            "peaks aside: more would flatten the music\n");
    // Its makeup is the album's, in which a track that was mastered before may meet others that were not.
    struct render_outcome before = again();
    before.after_lufs = -15.3;
    before.album_lufs = -14.5;
    before.targets.shortfall = SHORTFALL_LIMITER;
    assert_line(&before, FIGURES "album 0.5 LU below target: limiter reduction of 4 dB reached, "
                                 "brief peaks aside: more would flatten the music\n");
}

static void json_has_the_same_figures(void **state)
{
    (void)state;
    char line[LINE_BYTES] = "";
    struct render_outcome o = outcome();
    o.targets.shortfall = SHORTFALL_LIMITER;
    FILE *to = fmemopen(line, sizeof(line), "w");
    assert_non_null(to);
    assert_int_equal(render_report_json(to, "a.flac", NULL, &o), 0);
    fclose(to);
    json_t *object = json_loads(line, 0, NULL);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "path")), "a.flac");
    assert_true(json_is_null(json_object_get(object, "output")));
    json_t *after = json_object_get(object, "after");
    assert_true(json_real_value(json_object_get(after, "integrated_lufs")) == -14.04);
    assert_true(json_real_value(json_object_get(object, "makeup_db")) == 4.2);
    assert_string_equal(json_string_value(json_object_get(object, "shortfall")), "limiter");
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_tells_loudness_before_and_after),
        cmocka_unit_test(a_shortfall_is_told_with_its_reason),
        cmocka_unit_test(a_chunks_shortfall_is_its_tracks),
        cmocka_unit_test(an_albums_shortfall_is_the_albums),
        cmocka_unit_test(json_has_the_same_figures),
    };
    return cmocka_run_group_tests_name("render_report", tests, NULL, NULL);
}
