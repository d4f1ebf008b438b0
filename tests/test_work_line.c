// SPDX-License-Identifier: MIT
#include "engine/desktop/work_line.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void one_bar_grows_over_all_passes_and_leaves_room(void **state)
{
    (void)state;
    double last = 0;
    for (uint32_t pass = 1; pass <= 9; ++pass)
        for (double done_s = 0; done_s <= 240; done_s += 10) {
            const struct scan_file_progress p = {.done_s = done_s, .total_s = 240, .pass = pass};
            const double share = work_line_share(&p);
            assert_true(share >= last - 1e-12 && share < 1);
            last = share;
        }
    assert_true(last > 0.99);
}

static void what_has_no_length_or_is_longer_than_it_says_keeps_within_its_pass(void **state)
{
    (void)state;
    const struct scan_file_progress none = {.total_s = (double)NAN},
                                    longer = {.done_s = 99, .total_s = 50, .pass = 1},
                                    next = {.done_s = 0, .total_s = 50, .pass = 2};
    assert_true(work_line_share(&none) == 0);
    assert_true(work_line_share(&longer) == work_line_share(&next));
}

static void a_bar_begins_anew_with_another_file_only(void **state)
{
    (void)state;
    static const char *const paths[] = {"a", "b"};
    struct work_line line = {.before = 0};
    work_line_begin(&line, paths[0], 1, 2);
    line.before = 0.7;
    work_line_begin(&line, paths[0], 1, 2);
    assert_true(line.before == 0.7);
    work_line_begin(&line, paths[0], 2, 2); // the same file once more
    assert_true(line.before == 0);
    line.before = 0.7;
    work_line_begin(&line, paths[1], 2, 2);
    assert_true(line.before == 0);
}

static void bar_over_all_is_filled_part_by_part(void **state)
{
    (void)state;
    struct work_line line = {.before = 0.7};
    assert_true(work_line_bar(&line, 0.5) == 0); // each file has its own
    work_line_set_part(&line, &(struct work_part){0.2, 0.6});
    assert_true(line.before == 0);
    assert_true(work_line_bar(&line, 0) == 0.2 && work_line_bar(&line, (double)NAN) == 0.2);
    assert_true(fabs(work_line_bar(&line, 0.5) - 0.4) < 1e-12);
    assert_true(fabs(work_line_bar(&line, 1) - 0.6) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bar_grows_over_all_passes_and_leaves_room),
        cmocka_unit_test(what_has_no_length_or_is_longer_than_it_says_keeps_within_its_pass),
        cmocka_unit_test(a_bar_begins_anew_with_another_file_only),
        cmocka_unit_test(bar_over_all_is_filled_part_by_part),
    };
    return cmocka_run_group_tests_name("work_line", tests, NULL, NULL);
}
