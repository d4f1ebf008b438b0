// SPDX-License-Identifier: MIT
#include "engine/desktop/analysis_table.h"
#include "engine/utf8.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above before it
#include <cmocka.h>

static struct analysis *make_analysis(void)
{
    struct analysis *a = analysis_create(0, 0);
    assert_non_null(a);
    a->duration_s = 227.4;
    a->loudness.integrated_lufs = -14.25;
    a->loudness.true_peak_dbtp = NAN;
    a->loudness.range_lu = 6;
    a->tempo.bpm = 128.04;
    a->key.tonic = 9;
    a->key.mode = KEY_MINOR;
    a->genre.label = GENRE_ELECTRONIC;
    return a;
}

static void a_row_stands_under_its_heading(void **state)
{
    (void)state;
    struct analysis *a = make_analysis();
    const struct analysis_report report = {.path = "a.flac", .analysis = a};
    char heading[ANALYSIS_TABLE_BYTES], row[ANALYSIS_TABLE_BYTES];
    analysis_table_heading(heading, 20);
    analysis_table_row(row, &report, 20);
    assert_string_equal(heading, "path                    LUFS    dBTP    LRA     BPM  key       "
                                 "genre        duration");
    assert_string_equal(row, "a.flac                 -14.2       -    6.0   128.0  A minor   "
                             "electronic       3:47");
    free(a);
}

static void a_long_path_keeps_its_end_and_the_columns(void **state)
{
    (void)state;
    struct analysis *a = make_analysis();
    const struct analysis_report report = {.path = "music/\xe6\x9b\xb2/a very long name.flac",
                                           .analysis = a};
    char row[ANALYSIS_TABLE_BYTES], heading[ANALYSIS_TABLE_BYTES];
    analysis_table_row(row, &report, 20);
    analysis_table_heading(heading, 20);
    assert_memory_equal(row, "\xe2\x80\xa6very long name.flac ", 23);
    assert_int_equal(utf8_text_columns(row), strlen(heading));
    free(a);
}

static void a_failed_file_shows_its_cause(void **state)
{
    (void)state;
    const struct analysis_report report = {
        .path = "x", .error_code = "missing", .error_message = "no such\nfile"};
    char row[ANALYSIS_TABLE_BYTES];
    analysis_table_row(row, &report, 4);
    assert_string_equal(row, "x     no such\\nfile");
}

static void lines_fit_the_terminal(void **state)
{
    (void)state;
    char heading[ANALYSIS_TABLE_BYTES];
    analysis_table_heading(heading, analysis_table_path_columns(100));
    assert_int_equal(strlen(heading), 100);
    assert_int_equal(analysis_table_path_columns(10), 20);
    assert_int_equal(analysis_table_path_columns(100000), ANALYSIS_TABLE_PATH_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_stands_under_its_heading),
        cmocka_unit_test(a_long_path_keeps_its_end_and_the_columns),
        cmocka_unit_test(a_failed_file_shows_its_cause),
        cmocka_unit_test(lines_fit_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
