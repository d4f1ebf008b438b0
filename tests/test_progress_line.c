// SPDX-License-Identifier: MIT
#include "engine/desktop/progress_line.h"
#include "engine/utf8.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// cmocka wants the four above before it
#include <cmocka.h>

static const struct progress playing = {
    .state = PROGRESS_PLAYING,
    .track = 3,
    .track_count = 10,
    .title = "Nightswimming, a rather long title for forty columns",
    .elapsed_s = 83.9,
    .total_s = 225,
    .next = "bytes 100 % analysed",
};

static unsigned count(const char *text, const char *piece)
{
    unsigned n = 0;
    while ((text = strstr(text, piece))) {
        ++n;
        text += strlen(piece);
    }
    return n;
}

static void eighty_columns_show_everything(void **state)
{
    (void)state;
    char line[PROGRESS_LINE_BYTES];
    progress_line_format(line, &playing, 80);
    assert_int_equal(utf8_text_columns(line), 80);
    assert_memory_equal(line, "\xe2\x96\xb6 3/10 Night", 14);
    assert_non_null(strstr(line, "1:23 / 3:45"));
    assert_non_null(strstr(line, "  next: bytes 100 % analysed"));
    assert_true(count(line, "\xe2\x94\x81") + count(line, "\xe2\x94\x80") >= 10);
}

static void forty_columns_keep_title_and_time(void **state)
{
    (void)state;
    char line[PROGRESS_LINE_BYTES];
    progress_line_format(line, &playing, 40);
    assert_string_equal(line, "\xe2\x96\xb6 3/10 Nightswimming, a ra\xe2\x80\xa6  1:23 / 3:45");
}

static void bar_of_its_own_does_not_follow_the_time(void **state)
{
    (void)state;
    char line[PROGRESS_LINE_BYTES];
    struct progress of_all = playing;
    of_all.next = NULL;
    of_all.bar = 0.75;
    progress_line_format(line, &of_all, 120);
    const unsigned full = count(line, "\xe2\x94\x81"), empty = count(line, "\xe2\x94\x80");
    assert_true(full + empty >= 10 && full >= 3 * empty - 3 && full <= 3 * empty + 3);
    assert_non_null(strstr(line, "1:23 / 3:45"));
}

static void track_without_a_title_goes_by_its_files_name(void **state)
{
    (void)state;
    assert_string_equal(progress_file_name("/music/an album/01.flac"), "01.flac");
    assert_string_equal(progress_file_name("01.flac"), "01.flac");
    assert_string_equal(progress_file_name("music/"), "music/");
}

static void every_width_is_filled_exactly(void **state)
{
    (void)state;
    struct progress p = playing;
    char line[PROGRESS_LINE_BYTES];
    for (unsigned columns = 0; columns <= PROGRESS_LINE_COLUMNS; ++columns) {
        p.title = columns % 2 ? "\xe6\x9b\xb2\xe6\x9b\xb2 e\xcc\x81 \xff\n" : "x";
        p.next = columns % 3 ? playing.next : NULL;
        progress_line_format(line, &p, columns);
        assert_int_equal(utf8_text_columns(line), columns);
        assert_null(strchr(line, '\n'));
    }
}

static void the_bar_is_as_full_as_the_track_is_played(void **state)
{
    (void)state;
    struct progress p = playing;
    char line[PROGRESS_LINE_BYTES];
    p.elapsed_s = 0;
    progress_line_format(line, &p, 120);
    const unsigned all = count(line, "\xe2\x94\x80");
    assert_int_equal(count(line, "\xe2\x94\x81"), 0);
    p.elapsed_s = p.total_s / 2;
    progress_line_format(line, &p, 120);
    assert_in_range(count(line, "\xe2\x94\x81"), all / 2, all / 2 + 1);
    p.elapsed_s = p.total_s + 5;
    progress_line_format(line, &p, 120);
    assert_int_equal(count(line, "\xe2\x94\x81"), all);
}

static void unknown_times_and_long_ones_are_shown_as_such(void **state)
{
    (void)state;
    struct progress p = playing;
    char line[PROGRESS_LINE_BYTES];
    p.elapsed_s = 36061;
    p.total_s = NAN;
    p.state = PROGRESS_PAUSED;
    p.track = 0;
    progress_line_format(line, &p, 60);
    assert_non_null(strstr(line, "10:01:01 / -:--"));
    assert_memory_equal(line, "\xe2\x80\x96 Night", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eighty_columns_show_everything),
        cmocka_unit_test(bar_of_its_own_does_not_follow_the_time),
        cmocka_unit_test(forty_columns_keep_title_and_time),
        cmocka_unit_test(track_without_a_title_goes_by_its_files_name),
        cmocka_unit_test(every_width_is_filled_exactly),
        cmocka_unit_test(the_bar_is_as_full_as_the_track_is_played),
        cmocka_unit_test(unknown_times_and_long_ones_are_shown_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
