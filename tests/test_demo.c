// SPDX-License-Identifier: MIT
#include "engine/desktop/demo.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
// cmocka wants setjmp.h, stdarg.h and their like before it
#include <cmocka.h>

// The pieces take a while to make under a sanitizer: all tests look at the same ones.
static int set_up(void **state)
{
    static char folder[64];
    strcpy(folder, "/tmp/segue-demo-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    strcat(folder, "/deep/er");
    *state = folder;
    return demo_make(folder);
}

static int tear_down(void **state)
{
    char path[PATH_MAX];
    for (unsigned i = 0; i < DEMO_PIECES; ++i)
        if (demo_path(path, sizeof path, *state, i) == 0)
            unlink(path);
    for (char *slash; (slash = strrchr(*state, '/')) && slash != strchr(*state, '/'); *slash = 0)
        if (rmdir(*state))
            return -1;
    return 0;
}

static float *read_piece(const char *folder, unsigned index, SF_INFO *info)
{
    char path[PATH_MAX];
    assert_int_equal(demo_path(path, sizeof path, folder, index), 0);
    memset(info, 0, sizeof *info);
    SNDFILE *file = sf_open(path, SFM_READ, info);
    assert_non_null(file);
    float *stereo = malloc((size_t)info->frames * 2 * sizeof *stereo);
    assert_non_null(stereo);
    assert_int_equal(info->channels, 2);
    assert_int_equal(sf_readf_float(file, stereo, info->frames), info->frames);
    sf_close(file);
    return stereo;
}

static void pieces_are_about_twelve_seconds_of_sound_at_full_but_safe_level(void **state)
{
    for (unsigned i = 0; i < DEMO_PIECES; ++i) {
        SF_INFO info;
        float *stereo = read_piece(*state, i, &info), peak = 0;
        double energy = 0;
        for (sf_count_t k = 0; k < 2 * info.frames; ++k) {
            peak = fmaxf(peak, fabsf(stereo[k]));
            energy += (double)stereo[k] * (double)stereo[k];
        }
        const double rms_db = 10 * log10(energy / (double)(2 * info.frames));
        assert_true(fabs((double)info.frames / info.samplerate - 13) < 2.5);
        assert_true(peak > 0.69F && peak < 0.71F);
        assert_true(rms_db > -30 && rms_db < -8);
        free(stereo);
    }
}

static void rates_and_containers_differ(void **state)
{
    SF_INFO first, second, third;
    free(read_piece(*state, 0, &first));
    free(read_piece(*state, 1, &second));
    free(read_piece(*state, 2, &third));
    assert_int_equal(first.samplerate, 44100);
    assert_int_equal(second.samplerate, 48000);
    assert_int_equal(first.format & SF_FORMAT_TYPEMASK, SF_FORMAT_FLAC);
    assert_int_equal(second.format & SF_FORMAT_SUBMASK, SF_FORMAT_PCM_24);
    assert_int_equal(third.format & SF_FORMAT_TYPEMASK, SF_FORMAT_WAV);
}

static void sides_differ_and_nothing_clicks(void **state)
{
    for (unsigned i = 0; i < DEMO_PIECES; ++i) {
        SF_INFO info;
        float *stereo = read_piece(*state, i, &info);
        double side = 0;
        for (sf_count_t k = 0; k < info.frames; ++k)
            side += fabs((double)stereo[2 * k] - (double)stereo[2 * k + 1]);
        assert_true(side / (double)info.frames > 1e-3);
        assert_true(fabsf(stereo[0]) < 0.01F);
        assert_true(fabsf(stereo[2 * info.frames - 1]) < 0.01F);
        free(stereo);
    }
}

static void pieces_that_are_there_are_left_alone_and_missing_ones_made(void **state)
{
    char kept[PATH_MAX], missing[PATH_MAX];
    struct stat before, after, anew;
    assert_int_equal(demo_path(kept, sizeof kept, *state, 0), 0);
    assert_int_equal(demo_path(missing, sizeof missing, *state, 2), 0);
    assert_int_equal(stat(kept, &before), 0);
    assert_int_equal(unlink(missing), 0);

    assert_int_equal(demo_make(*state), 0);

    assert_int_equal(stat(kept, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(stat(missing, &anew), 0);
}

static void no_temporary_file_is_left(void **state)
{
    DIR *folder = opendir(*state);
    unsigned names = 0;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        names += entry->d_name[0] != '.';
    closedir(folder);
    assert_int_equal(names, DEMO_PIECES);
}

static void the_folder_follows_xdg(void **state)
{
    (void)state;
    char folder[PATH_MAX];
    setenv("XDG_CACHE_HOME", "/c", 1);
    assert_int_equal(demo_folder(folder, sizeof folder), 0);
    assert_string_equal(folder, "/c/segue/demo-1");
    setenv("XDG_CACHE_HOME", "relative", 1);
    setenv("HOME", "/h", 1);
    assert_int_equal(demo_folder(folder, sizeof folder), 0);
    assert_string_equal(folder, "/h/.cache/segue/demo-1");
    assert_int_equal(demo_folder(folder, 5), -ENAMETOOLONG);
    unsetenv("HOME");
    assert_int_equal(demo_folder(folder, sizeof folder), -ENOENT);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(demo_make("/dev/null/x"), -ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_about_twelve_seconds_of_sound_at_full_but_safe_level),
        cmocka_unit_test(rates_and_containers_differ),
        cmocka_unit_test(sides_differ_and_nothing_clicks),
        cmocka_unit_test(pieces_that_are_there_are_left_alone_and_missing_ones_made),
        cmocka_unit_test(no_temporary_file_is_left),
        cmocka_unit_test(the_folder_follows_xdg),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
