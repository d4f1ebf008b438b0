// SPDX-License-Identifier: MIT
// Which files of a list are one album, where its sound runs on, and how far its calibration is said to be.
#include "engine/desktop/render_album.h"
#include "engine/library/track_record.h"
#include "support/loop_thread.h"
#include "support/scratch.h"
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 8000, SECONDS = 2, ITEMS = 4, TOLD_MOST = 4096 };

struct told {
    size_t item;
    struct render_albums_progress progress;
};

struct fixture {
    char folder[SCRATCH_PATH_BYTES], paths[ITEMS][SCRATCH_PATH_BYTES];
    struct loop_thread loop;
    struct mastering_settings settings;
    FILE *lines;
    struct log log;
    struct record *record;
    struct render_item items[ITEMS];
    struct render_list list;
    struct album_track *tracks;
    float peak; // of a tick on every eighth of a second, or 0
    size_t told_count;
    struct told told[TOLD_MOST];
};

/// Of any track here: with targets that do nothing but raise it.
static struct record *new_record(void)
{
    const struct track_record head = {
        .has_targets = 1,
        .targets = {.target_lufs = -14,
                    .ceiling_dbtp = -1,
                    .width = 1,
                    .compressor = {.ratio = 1, .knee_db = 6, .attack_s = 0.02, .release_s = 0.2},
                    .makeup_db = 6,
                    .limiter = {.lookahead_s = 0.0045, .release_s = 0.1}}};
    struct analysis *analysis = analysis_create(0, 0);
    assert_non_null(analysis);
    analysis->loudness.integrated_lufs = -20;
    struct record *record = track_record_create(&head, analysis);
    assert_non_null(record);
    free(analysis);
    return record;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    scratch_create(f->folder);
    f->settings = mastering_settings_default();
    f->lines = tmpfile();
    assert_non_null(f->lines);
    log_init(&f->log, fileno(f->lines), LOG_LEVEL_WARN);
    f->record = new_record();
    f->list.items = f->items;
    loop_thread_open(&f->loop);
    *state = f;
    return 0;
}

static void drop_list(struct fixture *f)
{
    for (size_t i = 0; i < f->list.count; ++i)
        tags_deinit(&f->items[i].tags);
    memset(f->items, 0, sizeof f->items);
    f->list.count = 0;
    free(f->tracks);
    f->tracks = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    drop_list(f);
    assert_int_equal(loop_thread_close(&f->loop), 0);
    record_unref(&f->record);
    (void)fclose(f->lines);
    scratch_remove(f->folder);
    free(f);
    return 0;
}

/// List one more tone of -20 LUFS; `album` and `number` may be NULL.
static void add(struct fixture *f, const char *album, const char *number)
{
    static float stereo[2 * SECONDS * RATE];
    char name[16];
    const size_t index = f->list.count++;
    (void)snprintf(name, sizeof name, "%zu.flac", index);
    scratch_path(f->paths[index], f->folder, name);
    for (size_t i = 0; i < (size_t)SECONDS * RATE; ++i)
        stereo[2 * i] = stereo[2 * i + 1] = (float)(0.1 * sin(2 * M_PI * 997 / RATE * (double)i));
    for (size_t i = RATE / 16; i < (size_t)SECONDS * RATE && f->peak > 0; i += RATE / 8)
        stereo[2 * i] = stereo[2 * i + 1] = f->peak;
    SF_INFO info = {.samplerate = RATE, .channels = 2, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(f->paths[index], SFM_WRITE, &info);
    assert_non_null(file);
    if (album)
        assert_int_equal(sf_set_string(file, SF_STR_ALBUM, album), 0);
    if (number)
        assert_int_equal(sf_set_string(file, SF_STR_TRACKNUMBER, number), 0);
    assert_int_equal(sf_writef_float(file, stereo, (sf_count_t)SECONDS * RATE), SECONDS * RATE);
    assert_int_equal(sf_close(file), 0);
    f->items[index] = (struct render_item){.in = f->paths[index], .record = f->record};
}

static void note_progress(void *context, size_t item, const struct render_albums_progress *progress)
{
    struct fixture *f = context;
    assert_true(f->told_count < TOLD_MOST);
    f->told[f->told_count++] = (struct told){item, *progress};
}

static void find_albums(struct fixture *f)
{
    const struct render_albums_config config = {.settings = &f->settings,
                                                .loader = f->loop.loader,
                                                .log = &f->log,
                                                .progress = note_progress,
                                                .context = f};
    f->told_count = 0;
    assert_int_equal(render_albums(&f->list, &config, &f->tracks), 0);
    assert_int_equal(lseek(fileno(f->lines), 0, SEEK_CUR), 0); // nothing is said
}

// One number alone says nothing of an order: what is listed next comes next.
static void sound_runs_on_unless_two_numbers_say_it_does_not(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *first, *second;
        int runs_on;
    } cases[] = {
        {"1", NULL, 1}, {NULL, "2", 1}, {NULL, NULL, 1},
        {"1", "2", 1},  {"1", "3", 0},  {"2", "1", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        add(f, "Live", cases[i].first);
        add(f, "Live", cases[i].second);
        find_albums(f);
        assert_ptr_equal(f->items[0].in_album, &f->tracks[0]);
        assert_ptr_equal(f->items[1].in_album, &f->tracks[1]);
        assert_int_equal(f->tracks[0].runs_on, 0);
        assert_int_equal(f->tracks[1].runs_on, cases[i].runs_on);
        assert_true(f->tracks[0].targets.makeup_db == f->tracks[1].targets.makeup_db);
        drop_list(f);
    }
}

// A file without tags belongs to its neighbours; the first of them that names an album names it for all.
static void album_is_the_one_that_is_named_first(void **state)
{
    struct fixture *f = *state;
    add(f, NULL, NULL);
    add(f, "Live", NULL);
    add(f, NULL, NULL);
    add(f, "Studio", NULL);
    find_albums(f);
    for (size_t i = 0; i < 3; ++i)
        assert_ptr_equal(f->items[i].in_album, &f->tracks[i]);
    assert_null(f->items[3].in_album);
}

/// When the pass over the second and third of four items ends for the first time.
static size_t end_of_first_pass(const struct fixture *f)
{
    for (size_t i = 1; i < f->told_count; ++i)
        if (f->told[i].item < f->told[i - 1].item)
            return i - 1;
    return f->told_count;
}

// Nobody knows how many passes there will be: the first is half of the album's share, each other half of what is left.
static void share_that_is_done_only_grows(void **state)
{
    struct fixture *f = *state;
    f->peak = 0.9F; // the limiter has something to do, which takes more than one pass
    add(f, "Single", NULL);
    add(f, "Live", "1");
    add(f, "Live", "2");
    add(f, "Studio", NULL);
    find_albums(f);
    const size_t end = end_of_first_pass(f);
    assert_true(end + 1 < f->told_count);
    double last = 0.25, first_track = 0;
    for (size_t i = 0; i < f->told_count; ++i) {
        const struct told *t = &f->told[i];
        assert_true(t->item == 1 || t->item == 2);
        assert_true(t->progress.total_s == SECONDS && t->progress.done_s <= SECONDS);
        assert_true(t->progress.share >= last && t->progress.share < 0.75);
        last = t->progress.share;
        if (i < end && t->item == 1)
            first_track = last;
    }
    print_message("%zu told, to %.4f\n", f->told_count, last);
    assert_true(fabs(first_track - (0.25 + 0.5 / 4)) < 1e-9);
    assert_true(fabs(f->told[end].progress.share - 0.5) < 1e-9);
    assert_true(last > 0.5 + 0.1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sound_runs_on_unless_two_numbers_say_it_does_not),
        TEST(album_is_the_one_that_is_named_first),
        TEST(share_that_is_done_only_grows),
    };
    return cmocka_run_group_tests_name("render_album", tests, NULL, NULL);
}
