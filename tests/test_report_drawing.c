// SPDX-License-Identifier: MIT
// A section of a report is of one state of one file: changes are made from within, by the progress that is told after a
// block.
#include "engine/desktop/report_drawing.h"
#include "support/scratch.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 8000, SECONDS = 8 };

struct fixture {
    char folder[SCRATCH_PATH_BYTES], in[SCRATCH_PATH_BYTES], other[SCRATCH_PATH_BYTES];
    FILE *lines, *page;
    struct log log;
    struct scheduler *scheduler;
    struct scan_result analysed;
    struct mastering_settings settings;
    void (*change)(struct fixture *f); // done once, after the first block
};

static void write_track(const char *path, uint64_t seed)
{
    int16_t *music = scratch_music(seed, SECONDS * RATE, RATE);
    scratch_write_s16(path, music, SECONDS * RATE, RATE, 2);
    free(music);
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    scratch_create(f.folder);
    scratch_path(f.in, f.folder, "in.wav");
    scratch_path(f.other, f.folder, "other.wav");
    write_track(f.in, 1);
    write_track(f.other, 2);
    f.lines = tmpfile();
    f.page = tmpfile();
    assert_true(f.lines && f.page);
    log_init(&f.log, fileno(f.lines), LOG_LEVEL_ERROR);
    f.settings = mastering_settings_default();
    const struct scheduler_config config = {.backend = {.workers = 1},
                                            .cache = analysis_cache_config_default(),
                                            .settings = f.settings,
                                            .log = &f.log};
    assert_int_equal(scheduler_create(&f.scheduler, &config), 0);
    struct scan *scan;
    assert_int_equal(scan_create(&scan, f.scheduler, 1, SCAN_IN_ORDER), 0);
    assert_int_equal(scan_submit(scan, f.in), 0);
    assert_int_equal(scan_take(scan, &f.analysed), 0);
    assert_non_null(f.analysed.record);
    scan_destroy(&scan);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scan_result_deinit(&f->analysed);
    scheduler_destroy(&f->scheduler);
    (void)fclose(f->lines);
    (void)fclose(f->page);
    scratch_remove(f->folder);
    return 0;
}

static void on_progress(void *context, double done_s, double total_s)
{
    struct fixture *f = context;
    assert_true(done_s <= total_s && total_s == SECONDS);
    if (f->change)
        f->change(f);
    f->change = NULL;
}

static int draw(struct fixture *f)
{
    const struct report_drawing_config config = {.scheduler = f->scheduler,
                                                 .settings = &f->settings,
                                                 .analysed = &f->analysed,
                                                 .fold = REPORT_OPEN,
                                                 .progress = on_progress,
                                                 .context = f};
    return report_drawing_write(f->page, &config);
}

static void replace(struct fixture *f)
{
    assert_int_equal(rename(f->other, f->in), 0);
}

static void empty(struct fixture *f)
{
    assert_int_equal(truncate(f->in, 0), 0);
}

static void write_anew(struct fixture *f)
{
    write_track(f->in, 3);
}

static void delete (struct fixture *f)
{
    assert_int_equal(unlink(f->in), 0);
}

static void restrict_rights(struct fixture *f)
{
    assert_int_equal(chmod(f->in, 0400), 0);
}

static void a_file_that_stays_is_drawn(void **state)
{
    struct fixture *f = *state;
    f->change = restrict_rights; // is none
    assert_int_equal(draw(f), 0);
    assert_null(f->change);
    assert_true(ftell(f->page) > 10000);
}

static void a_file_that_changes_while_it_is_drawn_is_not_shown(void **state)
{
    struct fixture *f = *state;
    static void (*const changes[])(struct fixture *) = {replace, empty, write_anew, delete};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); ++i) {
        f->change = changes[i];
        assert_int_equal(draw(f), -ESTALE);
        assert_null(f->change);
        assert_int_equal(ftell(f->page), 0);
        tear_down(state);
        set_up(state);
    }
}

static void a_file_that_is_not_the_analysed_one_is_not_drawn(void **state)
{
    struct fixture *f = *state;
    f->change = restrict_rights;
    replace(f);
    assert_int_equal(draw(f), -ESTALE);
    assert_non_null(f->change); // not a block was read
    assert_int_equal(ftell(f->page), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_stays_is_drawn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_changes_while_it_is_drawn_is_not_shown, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_the_analysed_one_is_not_drawn, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("report_drawing", tests, NULL, NULL);
}
