// SPDX-License-Identifier: MIT
// The bars beside a report's figures: from where they grow, how far, and where a scale ends.
#include "engine/desktop/report_tables.h"
#include "support/near.h"
#include <string.h>

struct tables {
    char *text;
    struct analysis *analysis;
    struct mastering_targets targets;
};

static int set_up(void **state)
{
    struct tables *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->analysis = analysis_create(0, 0);
    assert_non_null(t->analysis);
    t->targets.width = 1;
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct tables *t = *state;
    free(t->text);
    free(t->analysis);
    free(t);
    return 0;
}

static void write(struct tables *t)
{
    size_t bytes;
    FILE *out = open_memstream(&t->text, &bytes);
    assert_non_null(out);
    const struct report_track track = {
        .analysis = t->analysis, .targets = &t->targets, .preset = "adaptive", .intensity = 0.75};
    report_tables_write(out, &track);
    assert_int_equal(fclose(out), 0);
}

static const char *row_of(const struct tables *t, const char *name)
{
    char start[64];
    snprintf(start, sizeof start, "<tr><td>%s</td>", name);
    const char *row = strstr(t->text, start);
    assert_non_null(row);
    return row;
}

static void assert_bar(const struct tables *t, const char *name, const char *left_and_width)
{
    const char *row = row_of(t, name), *bar = strstr(row, "<i style=\""), *end = strstr(row, "/tr");
    char expected[64];
    assert_true(bar && bar < end);
    const int length = snprintf(expected, sizeof expected, "<i style=\"%s\">", left_and_width);
    if (strncmp(bar, expected, (size_t)length) != 0)
        fail_msg("%s: %.40s, not %s", name, bar, expected);
}

static void assert_figure(const struct tables *t, const char *name, const char *figure)
{
    const char *row = row_of(t, name), *found = strstr(row, figure);
    assert_true(found && found < strstr(row, "/tr"));
}

static void gain_grows_from_the_middle_to_its_side_and_ends_with_the_scale(void **state)
{
    struct tables *t = *state;
    static const double eq_db[EQ_BAND_COUNT] = {3, -3, -9, 0, 7.5};
    memcpy(t->targets.eq_db, eq_db, sizeof eq_db);
    t->targets.makeup_db = 30;
    t->targets.width = 0.5;
    write(t);
    assert_bar(t, "EQ low shelf 120 Hz", "left:50.0%;width:25.0%");
    assert_bar(t, "EQ 300 Hz", "left:25.0%;width:25.0%");
    assert_bar(t, "EQ 1.2 kHz", "left:0.0%;width:50.0%");
    assert_bar(t, "EQ 3.5 kHz", "left:50.0%;width:0.0%");
    assert_bar(t, "EQ high shelf 9 kHz", "left:50.0%;width:50.0%");
    assert_bar(t, "makeup", "left:50.0%;width:50.0%");
    assert_bar(t, "side gain", "left:25.0%;width:25.0%");
    assert_bar(t, "intensity", "left:0.0%;width:75.0%");
    assert_figure(t, "EQ 1.2 kHz", "-9.0 dB"); // the figure is the value's all the same
    assert_figure(t, "makeup", "+30.0 dB");
}

static void fingerprint_stays_within_its_scales(void **state)
{
    struct tables *t = *state;
    static const struct {
        enum fingerprint_dimension dimension;
        double value;
        const char *bar;
    } cases[] = {{FINGERPRINT_LUFS, -50, "left:0.0%;width:0.0%"},
                 {FINGERPRINT_LUFS, -30, "left:0.0%;width:25.0%"},
                 {FINGERPRINT_LUFS, 3, "left:0.0%;width:100.0%"},
                 {FINGERPRINT_BASS_MID_RATIO, -30, "left:25.0%;width:25.0%"},
                 {FINGERPRINT_BASS_MID_RATIO, 90, "left:50.0%;width:50.0%"},
                 {FINGERPRINT_TEMPO_BPM, 60, "left:0.0%;width:25.0%"},
                 {FINGERPRINT_PHASE_CORRELATION, -1, "left:0.0%;width:50.0%"},
                 {FINGERPRINT_PHASE_CORRELATION, 0.5, "left:50.0%;width:25.0%"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        t->analysis->fingerprint[cases[i].dimension] = cases[i].value;
        write(t);
        assert_bar(t, fingerprint_name(cases[i].dimension), cases[i].bar);
        free(t->text);
        t->text = NULL;
    }
}

static void the_strongest_pitch_class_fills_its_bar(void **state)
{
    struct tables *t = *state;
    t->analysis->key.chroma[0] = 0.125;
    t->analysis->key.chroma[9] = 0.25;
    write(t);
    assert_bar(t, "A", "left:0.0%;width:100.0%");
    assert_bar(t, "C", "left:0.0%;width:50.0%");
    assert_bar(t, "C#", "left:0.0%;width:0.0%");
}

static void what_is_not_known_has_neither_figure_nor_bar(void **state)
{
    struct tables *t = *state;
    t->analysis->fingerprint[FINGERPRINT_LUFS] = -HUGE_VAL;
    write(t);
    const char *row = row_of(t, fingerprint_name(FINGERPRINT_LUFS));
    assert_figure(t, fingerprint_name(FINGERPRINT_LUFS), "–");
    assert_true(strstr(row, "/tr") < strstr(row, "<i "));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(gain_grows_from_the_middle_to_its_side_and_ends_with_the_scale),
        TEST(fingerprint_stays_within_its_scales),
        TEST(the_strongest_pitch_class_fills_its_bar),
        TEST(what_is_not_known_has_neither_figure_nor_bar),
    };
    return cmocka_run_group_tests_name("report_tables", tests, NULL, NULL);
}
