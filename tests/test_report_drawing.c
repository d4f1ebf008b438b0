// SPDX-License-Identifier: MIT
// A section of a report is of one state of one file: changes are made from within, by the progress that is told after a
// block.
#include "engine/desktop/report_drawing.h"
#include "support/scratch.h"
#include <errno.h>
#include <math.h>
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

static const uint64_t SEED = 1; // of what is drawn

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
    write_track(f.in, SEED);
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

/// All of the page; the caller's to free().
static char *page_of(struct fixture *f)
{
    const long bytes = ftell(f->page);
    char *text = calloc((size_t)bytes + 1, 1);
    assert_non_null(text);
    rewind(f->page);
    assert_int_equal(fread(text, 1, (size_t)bytes, f->page), bytes);
    return text;
}

/// The highest sample in the waveform of that side, by its height of 200 for -1 to 1.
static double highest(const char *page, const char *side)
{
    char start[64];
    snprintf(start, sizeof(start), "<path class=\"area %s\" d=\"", side);
    const char *path = strstr(page, start);
    assert_non_null(path);
    double least = HUGE_VAL, x, y;
    int bytes;
    for (path += strlen(start); sscanf(path, "%*1[ML]%lf %lf%n", &x, &y, &bytes) == 2;
         path += bytes)
        least = fmin(least, y);
    return 1 - least / 100;
}

static double highest_of_music(void)
{
    int16_t *music = scratch_music(SEED, SECONDS * RATE, RATE);
    int16_t most = 0;
    for (size_t i = 0; i < 2 * (size_t)SECONDS * RATE; ++i)
        most = music[i] > most ? music[i] : most;
    free(music);
    return most / 32768.0;
}

// One is the file, the other has the preset's loudness.
static void sides_are_drawn_and_measured_each_as_what_it_is(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(draw(f), 0);
    char *page = page_of(f);
    double before_lufs, after_lufs;
    const char *tile = strstr(page, "<span>Loudness</span><b>");
    assert_non_null(tile);
    assert_int_equal(
        sscanf(tile, "<span>Loudness</span><b>%lf → %lf</b>", &before_lufs, &after_lufs), 2);
    const double before = highest(page, "before"), after = highest(page, "after");
    print_message("%.1f LUFS up to %.3f, then %.1f LUFS up to %.3f\n", before_lufs, before,
                  after_lufs, after);
    assert_true(fabs(after_lufs - -14) < 0.15);
    assert_true(before_lufs < -16);
    assert_true(fabs(before - highest_of_music()) < 0.001);
    assert_true(after > 1.2 * before && after < pow(10, -1.0 / 20) + 0.001); // under the ceiling
    free(page);
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

static void a_file_that_is_gone_has_changed(void **state)
{
    struct fixture *f = *state;
    delete (f);
    assert_int_equal(draw(f), -ESTALE);
    assert_int_equal(ftell(f->page), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_stays_is_drawn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sides_are_drawn_and_measured_each_as_what_it_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_gone_has_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_changes_while_it_is_drawn_is_not_shown, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_the_analysed_one_is_not_drawn, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("report_drawing", tests, NULL, NULL);
}
