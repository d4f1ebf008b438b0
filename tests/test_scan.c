// SPDX-License-Identifier: MIT
#include "engine/prepare/scan.h"
#include "support/scratch.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 8000 };

struct fixture {
    char folder[SCRATCH_PATH_BYTES];
    struct log log;
    struct scheduler *scheduler;
    struct scan *scan;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    scratch_create(f.folder);
    log_init(&f.log, STDERR_FILENO, LOG_LEVEL_ERROR);
    const struct scheduler_config config = {.backend = {.workers = 1},
                                            .cache = analysis_cache_config_default(),
                                            .settings = mastering_settings_default(),
                                            .log = &f.log};
    assert_int_equal(scheduler_create(&f.scheduler, &config), 0);
    assert_int_equal(scan_create(&f.scan, f.scheduler, 2, SCAN_IN_ORDER), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scan_destroy(&f->scan);
    scheduler_destroy(&f->scheduler);
    scratch_remove(f->folder);
    return 0;
}

static void submit(struct fixture *f, const char *name)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, f->folder, name);
    assert_int_equal(scan_submit(f->scan, path), 0);
}

static void submit_track(struct fixture *f, const char *name, unsigned seconds)
{
    char path[SCRATCH_PATH_BYTES];
    int16_t *music = scratch_music(seconds, seconds * RATE, RATE);
    scratch_path(path, f->folder, name);
    scratch_write_s16(path, music, seconds * RATE, RATE, 2);
    free(music);
    submit(f, name);
}

static void progress_is_of_the_first_file_in_its_last_pass(void **state)
{
    struct fixture *f = *state;
    struct scan_file_progress progress;
    struct scan_result result;
    assert_false(scan_progress_of_first(f->scan, &progress)); // there is none
    submit_track(f, "a.wav", 6);
    submit_track(f, "b.wav", 3);
    for (unsigned seconds = 6; seconds > 0; seconds -= 3) {
        assert_true(scan_wait(f->scan, INT64_MAX));
        assert_true(scan_progress_of_first(f->scan, &progress));
        assert_true(progress.pass > 1);
        assert_true(progress.done_s == seconds && progress.total_s == seconds);
        assert_int_equal(scan_take(f->scan, &result), 0);
        assert_non_null(result.record);
        scan_result_deinit(&result);
    }
    assert_false(scan_progress_of_first(f->scan, &progress));
}

static void what_cannot_be_opened_has_no_progress(void **state)
{
    struct fixture *f = *state;
    struct scan_file_progress progress;
    struct scan_result result;
    submit(f, "none.wav");
    assert_true(scan_wait(f->scan, INT64_MAX));
    assert_false(scan_progress_of_first(f->scan, &progress));
    assert_int_equal(scan_take(f->scan, &result), 0);
    assert_int_equal(result.error, -ENOENT);
    scan_result_deinit(&result);
}

static void window_takes_no_more_than_it_holds(void **state)
{
    struct fixture *f = *state;
    submit(f, "a.wav");
    submit(f, "b.wav");
    assert_int_equal(scan_submit(f->scan, f->folder), -EAGAIN);
    assert_int_equal(scan_under_way(f->scan), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(progress_is_of_the_first_file_in_its_last_pass, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_has_no_progress, set_up, tear_down),
        cmocka_unit_test_setup_teardown(window_takes_no_more_than_it_holds, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
