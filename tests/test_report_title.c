// SPDX-License-Identifier: MIT
// A report of several tracks is called by their album, or by how many they are.
#include "engine/desktop/report_title.h"
#include "support/loop_thread.h"
#include "support/scratch.h"
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 8000, MOST = 3 };

struct fixture {
    char folder[SCRATCH_PATH_BYTES], names[MOST][SCRATCH_PATH_BYTES];
    char *paths[MOST];
    size_t count;
    struct loop_thread loop;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    scratch_create(f->folder);
    loop_thread_open(&f->loop);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(loop_thread_close(&f->loop), 0);
    scratch_remove(f->folder);
    free(f);
    return 0;
}

/// One more track; `album` and `artist` may be NULL.
static void add(struct fixture *f, const char *album, const char *artist)
{
    static const float samples[RATE];
    char name[16];
    (void)snprintf(name, sizeof name, "%zu.flac", f->count);
    scratch_path(f->names[f->count], f->folder, name);
    SF_INFO info = {.samplerate = RATE, .channels = 1, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(f->names[f->count], SFM_WRITE, &info);
    assert_non_null(file);
    if (album)
        assert_int_equal(sf_set_string(file, SF_STR_ALBUM, album), 0);
    if (artist)
        assert_int_equal(sf_set_string(file, SF_STR_ARTIST, artist), 0);
    assert_int_equal(sf_writef_float(file, samples, RATE), RATE);
    assert_int_equal(sf_close(file), 0);
    f->paths[f->count] = f->names[f->count];
    ++f->count;
}

static void expect(struct fixture *f, const char *wanted)
{
    char *title = report_title(f->paths, f->count, f->loop.loader);
    assert_non_null(title);
    assert_string_equal(title, wanted);
    free(title);
    f->count = 0;
}

static void one_path_is_called_by_its_last_name(void **state)
{
    struct fixture *f = *state;
    add(f, "Live", NULL);
    expect(f, "0.flac");
    f->paths[0] = "music/a & b//";
    f->count = 1;
    expect(f, "a & b");
}

static void album_of_all_names_them(void **state)
{
    struct fixture *f = *state;
    add(f, "Live/Dead", "Band");
    add(f, "Live/Dead", "Band");
    add(f, "Live/Dead", "Band");
    expect(f, "Live/Dead");
}

static void others_are_counted(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *albums[MOST], *artists[MOST];
    } cases[] = {{{"Live", "Live", "Studio"}, {0}},
                 {{"Studio", "Live", "Live"}, {0}},
                 {{NULL, "Live", "Live"}, {0}},
                 {{"Live", NULL, "Live"}, {0}},
                 {{"Live", "Live", NULL}, {0}},
                 {{0}, {"Band", "Band", "Band"}},
                 {{"Live", "Live", "Live"}, {"Band", "Band", "Other"}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        for (int track = 0; track < MOST; ++track)
            add(f, cases[i].albums[track], cases[i].artists[track]);
        expect(f, "3 tracks");
    }
}

static void tracks_are_counted_in_folders_too(void **state)
{
    struct fixture *f = *state;
    add(f, NULL, NULL);
    add(f, NULL, NULL);
    f->paths[0] = f->folder;
    f->paths[1] = f->names[1];
    expect(f, "3 tracks");
}

static void folder_without_tracks_is_none(void **state)
{
    struct fixture *f = *state;
    char empty[SCRATCH_PATH_BYTES];
    scratch_path(empty, f->folder, "empty");
    assert_int_equal(mkdir(empty, 0700), 0);
    add(f, NULL, NULL);
    f->paths[1] = empty;
    f->count = 2;
    expect(f, "1 track");
    add(f, "Live", NULL);
    f->paths[1] = empty;
    f->count = 2;
    expect(f, "Live");
    assert_int_equal(rmdir(empty), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_path_is_called_by_its_last_name),
        TEST(album_of_all_names_them),
        TEST(others_are_counted),
        TEST(tracks_are_counted_in_folders_too),
        TEST(folder_without_tracks_is_none),
    };
    return cmocka_run_group_tests_name("report_title", tests, NULL, NULL);
}
