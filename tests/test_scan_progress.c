// SPDX-License-Identifier: MIT
#include "engine/desktop/scan_progress.h"
#include "engine/utf8.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// cmocka wants the four above before it
#include <cmocka.h>

#define SECOND 1000000000LL
enum { BEGUN = 5 }; // the clock reads this many seconds when a run begins

static struct scan_progress begin(enum scan_total state, uint64_t total)
{
    return (struct scan_progress){.total = total, .total_state = state, .begun_ns = BEGUN * SECOND};
}

// `count` files of `audio_s` each, one every `step_s` from `from_s` of the run on. Returns when the last was done.
static int64_t add_files(struct scan_progress *p, unsigned count, double audio_s,
                         enum scan_step_kind kind, int64_t from_s, int64_t step_s)
{
    int64_t now_s = BEGUN + from_s;
    for (unsigned i = 0; i < count; ++i) {
        now_s = BEGUN + from_s + step_s * (i + 1);
        const struct scan_step step = {.audio_s = audio_s, .kind = kind};
        scan_progress_add(p, &step, now_s * SECOND);
    }
    return now_s * SECOND;
}

static void a_wide_line_shows_files_time_left_hours_speed_and_a_bar(void **state)
{
    (void)state;
    struct scan_progress p = begin(SCAN_TOTAL_COUNTED, 40);
    const int64_t now = add_files(&p, 10, 360, SCAN_STEP_COMPUTED, 0, 3);
    char line[SCAN_LINE_BYTES];

    scan_progress_line(line, &p, now, 79);

    // 10 files in 30 s: 30 more take 90 s. An hour of audio in 30 s is 120 x real time. A quarter of 22 columns of
    // bar, rounded.
    assert_string_equal(line,
                        "10/40 files  1:30 left  1.0 h of audio  120 x real time  "
                        "\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81"
                        "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80"
                        "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80"
                        "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80");
}

static void what_does_not_fit_goes_as_a_whole(void **state)
{
    (void)state;
    struct scan_progress p = begin(SCAN_TOTAL_COUNTED, 40);
    const int64_t now = add_files(&p, 10, 360, SCAN_STEP_COMPUTED, 0, 3);
    char line[SCAN_LINE_BYTES];
    scan_progress_line(line, &p, now, 60);
    assert_string_equal(line, "10/40 files  1:30 left  1.0 h of audio  120 x real time");
    scan_progress_line(line, &p, now, 40);
    assert_string_equal(line, "10/40 files  1:30 left  1.0 h of audio");
    scan_progress_line(line, &p, now, 24);
    assert_string_equal(line, "10/40 files  1:30 left");
    for (unsigned columns = 0; columns <= SCAN_LINE_COLUMNS; ++columns) {
        scan_progress_line(line, &p, now, columns);
        assert_true(utf8_text_columns(line) <= columns);
    }
}

static void a_total_that_still_grows_promises_no_time(void **state)
{
    (void)state;
    struct scan_progress p = begin(SCAN_TOTAL_GROWS, 3000);
    const int64_t now = add_files(&p, 2, 360, SCAN_STEP_COMPUTED, 0, 1);
    char line[SCAN_LINE_BYTES];
    scan_progress_line(line, &p, now, 30);
    assert_string_equal(line, "2/3000+ files  -:-- left");
    assert_true(isnan(scan_progress_left_s(&p, now)));
}

static void paths_from_standard_input_have_no_total(void **state)
{
    (void)state;
    struct scan_progress p = begin(SCAN_TOTAL_UNKNOWN, 0);
    const int64_t now = add_files(&p, 2, 360, SCAN_STEP_COMPUTED, 0, 1);
    char line[SCAN_LINE_BYTES];
    scan_progress_line(line, &p, now, 200);
    assert_string_equal(line, "2 files  0.2 h of audio  360 x real time");
}

static void a_scan_taken_up_again_is_timed_by_what_it_computes(void **state)
{
    (void)state;
    struct scan_progress p = begin(SCAN_TOTAL_COUNTED, 1000);
    add_files(&p, 900, 360, SCAN_STEP_KNOWN, 0, 0);
    const int64_t now = add_files(&p, 10, 360, SCAN_STEP_COMPUTED, 0, 2);

    // 10 in 20 s, so the last 90 take 180 s, however fast 900 came out of the cache.
    assert_true(fabs(scan_progress_left_s(&p, now) - 180) < 1e-9);
    char line[SCAN_LINE_BYTES];
    scan_progress_line(line, &p, now, 70);
    assert_non_null(strstr(line, "91.0 h of audio  180 x real time"));
}

static void a_run_of_known_files_has_a_pace_too(void **state)
{
    (void)state;
    struct scan_progress p = begin(SCAN_TOTAL_COUNTED, 8);
    const int64_t now = add_files(&p, 4, 10, SCAN_STEP_KNOWN, 0, 1);
    assert_true(fabs(scan_progress_left_s(&p, now) - 4) < 1e-9);
}

static void nothing_done_yet_is_shown_as_that(void **state)
{
    (void)state;
    struct scan_progress p = begin(SCAN_TOTAL_COUNTED, 0);
    char line[SCAN_LINE_BYTES];
    scan_progress_line(line, &p, BEGUN * SECOND, 50);
    assert_non_null(strstr(line, "0/0 files  -:-- left  0.0 h of audio"));
}

static void the_summary_counts_tracks_a_second(void **state)
{
    (void)state;
    struct scan_progress p = begin(SCAN_TOTAL_UNKNOWN, 0);
    add_files(&p, 5, 360, SCAN_STEP_KNOWN, 0, 0);
    add_files(&p, 2, 0, SCAN_STEP_FAILED, 0, 0);
    const int64_t now = add_files(&p, 13, 360, SCAN_STEP_COMPUTED, 0, 1);
    char text[256];
    scan_progress_summary(text, sizeof text, &p, now - 3 * SECOND);
    assert_string_equal(text, "20 tracks, 1.8 h of audio in 10.0 s, 5 known before, 2 failed: "
                              "2.0 tracks a second, 648 x real time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_line_shows_files_time_left_hours_speed_and_a_bar),
        cmocka_unit_test(what_does_not_fit_goes_as_a_whole),
        cmocka_unit_test(a_total_that_still_grows_promises_no_time),
        cmocka_unit_test(paths_from_standard_input_have_no_total),
        cmocka_unit_test(a_scan_taken_up_again_is_timed_by_what_it_computes),
        cmocka_unit_test(a_run_of_known_files_has_a_pace_too),
        cmocka_unit_test(nothing_done_yet_is_shown_as_that),
        cmocka_unit_test(the_summary_counts_tracks_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
