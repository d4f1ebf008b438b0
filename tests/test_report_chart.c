// SPDX-License-Identifier: MIT
// Where a chart's lines, areas, labels and marks lie, in a drawing of 1000 by 200.
#include "engine/desktop/report_chart.h"
#include "support/near.h"
#include <string.h>

static const struct report_chart chart = {"Gain", "dB", -8, 0, 2};

static char *text;
static size_t bytes;

static FILE *begin(void)
{
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    return out;
}

static void assert_written(FILE *out, const char *expected)
{
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void assert_holds(const char *words)
{
    if (!strstr(text, words))
        fail_msg("no %s in %s", words, text);
}

static void line_is_interrupted_by_what_is_not_finite_and_held_within_the_chart(void **state)
{
    (void)state;
    const double values[] = {0, -8, -4, NAN, -HUGE_VAL, -2, -20, 5, -6};
    FILE *out = begin();
    report_chart_line(out, &chart, values, 9, "before");
    assert_written(out, "<path class=\"line before\" d=\"M0.0 0.0L125.0 200.0L250.0 100.0"
                        "M625.0 50.0L750.0 200.0L875.0 0.0L1000.0 150.0\"/>");
}

static void line_that_begins_with_a_gap_begins_behind_it(void **state)
{
    (void)state;
    const double values[] = {NAN, -2, -4};
    FILE *out = begin();
    report_chart_line(out, &chart, values, 3, "x");
    assert_written(out, "<path class=\"line x\" d=\"M500.0 50.0L1000.0 100.0\"/>");
}

static void area_goes_along_its_upper_edge_and_back_along_its_lower(void **state)
{
    (void)state;
    const double low[] = {-4, -6, -8}, high[] = {0, -1, -2};
    FILE *out = begin();
    report_chart_area(out, &chart, low, high, 3, "limit");
    assert_written(out, "<path class=\"area limit\" d=\"M0.0 0.0L500.0 25.0L1000.0 50.0"
                        "L1000.0 200.0L500.0 150.0L0.0 100.0Z\"/>");
}

static void level_runs_over_the_whole_width(void **state)
{
    (void)state;
    FILE *out = begin();
    report_chart_level(out, &chart, -6, "target");
    assert_written(out, "<path class=\"line target\" d=\"M0 150.0H1000\"/>");
}

static void lines_of_the_grid_have_their_values_beside_them(void **state)
{
    (void)state;
    FILE *out = begin();
    report_chart_open(out, &(struct report_chart){"Gain", "dB", -7, 1, 4});
    report_chart_close(out);
    assert_int_equal(fclose(out), 0);
    assert_holds("dB</span><span style=\"top:62.5%\">-4</span>"
                 "<span style=\"top:12.5%\">0</span></div>");
    assert_holds("d=\"M0 125.0H1000M0 25.0H1000\"");
    assert_holds("aria-label=\"Gain\"");
    free(text);
}

static void time_has_hours_from_one_hour_on(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *expected;
    } cases[] = {{0, "0:00"},        {59.4, "0:59"},    {59.6, "1:00"},
                 {227, "3:47"},      {3599.4, "59:59"}, {3599.5, "1:00:00"},
                 {3600, "1:00:00"},  {3723, "1:02:03"}, {7 * 3600 + 59 * 60 + 9, "7:59:09"},
                 {36000, "10:00:00"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        FILE *out = begin();
        report_time(out, cases[i].seconds);
        assert_written(out, cases[i].expected);
    }
}

static void time_axis_has_a_few_round_marks_and_none_at_the_edge(void **state)
{
    (void)state;
    FILE *out = begin();
    report_time_axis(out, 7200);
    assert_written(out, "<div class=\"x\"><span style=\"left:0.00%\">0:00</span>"
                        "<span style=\"left:25.00%\">30:00</span>"
                        "<span style=\"left:50.00%\">1:00:00</span>"
                        "<span style=\"left:75.00%\">1:30:00</span></div>\n");
    out = begin();
    report_time_axis(out, 40);
    assert_written(out, "<div class=\"x\"><span style=\"left:0.00%\">0:00</span>"
                        "<span style=\"left:25.00%\">0:10</span>"
                        "<span style=\"left:50.00%\">0:20</span>"
                        "<span style=\"left:75.00%\">0:30</span></div>\n");
    out = begin();
    report_time_axis(out, 0);
    assert_written(out, "<div class=\"x\"><span style=\"left:0.00%\">0:00</span></div>\n");
}

static void frequency_axis_is_logarithmic(void **state)
{
    (void)state;
    FILE *out = begin();
    report_frequency_axis(out, 100, 10000);
    // log10(2) / 2 = 15.05 % and so on
    assert_written(out, "<div class=\"x\"><span style=\"left:0.00%\">100</span>"
                        "<span style=\"left:15.05%\">200</span>"
                        "<span style=\"left:34.95%\">500</span>"
                        "<span style=\"left:50.00%\">1k</span>"
                        "<span style=\"left:65.05%\">2k</span>"
                        "<span style=\"left:84.95%\">5k</span></div>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_is_interrupted_by_what_is_not_finite_and_held_within_the_chart),
        cmocka_unit_test(line_that_begins_with_a_gap_begins_behind_it),
        cmocka_unit_test(area_goes_along_its_upper_edge_and_back_along_its_lower),
        cmocka_unit_test(level_runs_over_the_whole_width),
        cmocka_unit_test(lines_of_the_grid_have_their_values_beside_them),
        cmocka_unit_test(time_has_hours_from_one_hour_on),
        cmocka_unit_test(time_axis_has_a_few_round_marks_and_none_at_the_edge),
        cmocka_unit_test(frequency_axis_is_logarithmic),
    };
    return cmocka_run_group_tests_name("report_chart", tests, NULL, NULL);
}
