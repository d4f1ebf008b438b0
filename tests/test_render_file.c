// SPDX-License-Identifier: MIT
// Files that are changed under the hands of whoever renders them: the change is made from within, by the progress that
// is told after a block.
#include "engine/desktop/commands.h"
#include "engine/desktop/render_file.h"
#include "engine/library/track_record.h"
#include "engine/prepare/scan.h"
#include "support/scratch.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 8000, SECONDS = 8 };

struct fixture {
    char folder[SCRATCH_PATH_BYTES], in[SCRATCH_PATH_BYTES], other[SCRATCH_PATH_BYTES],
        out[SCRATCH_PATH_BYTES];
    char *paths[2];
    struct options options;
    FILE *lines;
    struct log log;
    struct scheduler *scheduler;
    struct scan_result analysed;
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
    scratch_path(f.out, f.folder, "out.wav");
    write_track(f.in, 1);
    write_track(f.other, 2);
    f.paths[0] = f.in;
    f.paths[1] = f.out;
    f.options = (struct options){.command = COMMAND_RENDER,
                                 .paths = f.paths,
                                 .path_count = 2,
                                 .mastering = mastering_settings_default(),
                                 .chunk = -1};
    f.lines = tmpfile();
    assert_non_null(f.lines);
    log_init(&f.log, fileno(f.lines), LOG_LEVEL_ERROR);
    const struct scheduler_config config = {.backend = {.workers = 1},
                                            .cache = analysis_cache_config_default(),
                                            .settings = f.options.mastering,
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
    scratch_remove(f->folder);
    return 0;
}

static void on_progress(void *context, uint64_t frames, uint64_t of_frames, uint32_t rate_hz)
{
    struct fixture *f = context;
    assert_true(frames <= of_frames && rate_hz == RATE);
    if (f->change)
        f->change(f);
    f->change = NULL;
}

static int render(struct fixture *f, struct render_outcome *outcome)
{
    const struct render_file_config config = {.options = &f->options,
                                              .log = &f->log,
                                              .scheduler = f->scheduler,
                                              .in = f->in,
                                              .out = f->out,
                                              .record = f->analysed.record,
                                              .identity = &f->analysed.identity,
                                              .targets =
                                                  &track_record_of(f->analysed.record)->targets,
                                              .progress = on_progress,
                                              .context = f};
    struct render_file *file;
    *outcome = (struct render_outcome){.after_lufs = NAN};
    int status = render_file_open(&file, &config);
    if (!status)
        status = render_file_run(file, NULL, outcome);
    render_file_close(&file);
    return status;
}

static void expect_refusal(struct fixture *f, const char *cause)
{
    struct render_outcome outcome;
    assert_int_equal(render(f, &outcome), EXIT_SOMETHING_FAILED);
    assert_true(isnan(outcome.after_lufs));
    assert_int_not_equal(access(f->out, F_OK), 0);
    char wanted[1024], line[1024];
    snprintf(wanted, sizeof(wanted), "segue: %s: %s\n", f->in, cause);
    rewind(f->lines);
    assert_non_null(fgets(line, sizeof(line), f->lines));
    assert_string_equal(line, wanted);
    assert_null(fgets(line, sizeof(line), f->lines)); // once
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

static void an_unchanged_file_is_rendered(void **state)
{
    struct fixture *f = *state;
    struct render_outcome outcome;
    assert_int_equal(render(f, &outcome), EXIT_DONE);
    assert_true(fabs(outcome.after_lufs - -14) < 0.1);
    assert_int_equal(access(f->out, F_OK), 0);
}

static void a_file_that_changes_while_it_is_rendered_leaves_no_output(void **state)
{
    struct fixture *f = *state;
    static void (*const changes[])(struct fixture *) = {replace, empty, write_anew, delete};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); ++i) {
        f->change = changes[i];
        expect_refusal(f, "the file was changed while it was rendered");
        assert_null(f->change);
        tear_down(state);
        set_up(state);
    }
}

static void restrict_rights(struct fixture *f)
{
    assert_int_equal(chmod(f->in, 0400), 0);
}

static void link_to_it(struct fixture *f)
{
    assert_int_equal(unlink(f->other), 0);
    assert_int_equal(link(f->in, f->other), 0);
}

static void other_rights_and_names_are_no_change(void **state)
{
    struct fixture *f = *state;
    static void (*const changes[])(struct fixture *) = {restrict_rights, link_to_it};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); ++i) {
        struct render_outcome outcome;
        f->change = changes[i];
        assert_int_equal(render(f, &outcome), EXIT_DONE); // while it is rendered
        assert_null(f->change);
        assert_int_equal(render(f, &outcome), EXIT_DONE); // and after its analysis
    }
}

static void a_file_that_is_not_the_analysed_one_is_not_rendered(void **state)
{
    struct fixture *f = *state;
    replace(f);
    expect_refusal(f, "the file was changed after its analysis");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unchanged_file_is_rendered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_changes_while_it_is_rendered_leaves_no_output,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_rights_and_names_are_no_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_the_analysed_one_is_not_rendered, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("render_file", tests, NULL, NULL);
}
