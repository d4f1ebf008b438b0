// SPDX-License-Identifier: MIT
#include "io/store/sidecar.h"
#include "support/scratch.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[SCRATCH_PATH_BYTES];
    char path[SCRATCH_PATH_BYTES];
};

static int set_up(void **state)
{
    static struct fixture f;
    scratch_create(f.folder);
    scratch_path(f.path, f.folder, "song.flac.25d");
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    const struct fixture *f = *state;
    scratch_remove(f->folder);
    return 0;
}

static unsigned files_in(const char *folder)
{
    DIR *dir = opendir(folder);
    unsigned count = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(dir);
    return count;
}

static void assert_reads(const char *path, const char *expected)
{
    char *text;
    size_t bytes;
    assert_int_equal(sidecar_read(path, &text, &bytes), 0);
    assert_int_equal(bytes, strlen(expected));
    assert_string_equal(text, expected);
    free(text);
}

static void assert_refused(const char *path, int error)
{
    char *text = (char *)"";
    size_t bytes;
    assert_int_equal(sidecar_read(path, &text, &bytes), error);
    assert_null(text);
}

static void name_is_the_tracks_with_25d_behind(void **state)
{
    (void)state;
    char *path = sidecar_path("a/b.flac");
    assert_string_equal(path, "a/b.flac.25d");
    free(path);
}

static void what_was_written_is_read(void **state)
{
    const struct fixture *f = *state;
    assert_int_equal(sidecar_write(f->path, "first", 5), 0);
    assert_reads(f->path, "first");
    assert_int_equal(sidecar_write(f->path, "second one", 10), 0);
    assert_reads(f->path, "second one");
    assert_int_equal(files_in(f->folder), 1);
}

static void missing_one_is_named_so(void **state)
{
    const struct fixture *f = *state;
    assert_refused(f->path, -ENOENT);
}

static void link_is_not_followed(void **state)
{
    const struct fixture *f = *state;
    char target[SCRATCH_PATH_BYTES];
    scratch_path(target, f->folder, "target");
    assert_int_equal(sidecar_write(target, "x", 1), 0);
    assert_int_equal(symlink(target, f->path), 0);
    assert_refused(f->path, -ELOOP);
}

static void fifo_makes_nobody_wait(void **state)
{
    const struct fixture *f = *state;
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_refused(f->path, -ESPIPE);
}

static void folder_is_no_sidecar(void **state)
{
    const struct fixture *f = *state;
    assert_int_equal(mkdir(f->path, 0700), 0);
    assert_refused(f->path, -EISDIR);
    assert_int_equal(sidecar_write(f->path, "x", 1), -EISDIR);
    assert_int_equal(files_in(f->folder), 1);
}

static void size_is_bounded(void **state)
{
    const struct fixture *f = *state;
    const int fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)SIDECAR_MAX_BYTES + 1), 0);
    close(fd);
    assert_refused(f->path, -EFBIG);
}

static void name_as_long_as_names_can_be_works(void **state)
{
    const struct fixture *f = *state;
    char name[256], path[2 * SCRATCH_PATH_BYTES];
    memset(name, 'n', 250);
    strcpy(name + 250, ".25d");
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    assert_int_equal(sidecar_write(path, "x", 1), 0);
    assert_reads(path, "x");
    assert_int_equal(unlink(path), 0);
}

static void write_that_fails_leaves_what_was_there(void **state)
{
    const struct fixture *f = *state;
    assert_int_equal(sidecar_write("/nonexistent/x.25d", "x", 1), -ENOENT);
    assert_int_equal(sidecar_write(f->path, "kept", 4), 0);
    char gone[SCRATCH_PATH_BYTES];
    scratch_path(gone, f->path, "below.25d");
    assert_int_equal(sidecar_write(gone, "x", 1), -ENOTDIR);
    assert_reads(f->path, "kept");
}

static void make_aged(const char *folder, const char *name, time_t age_s)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    const time_t then = time(NULL) - age_s;
    const struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void stale_temporaries_alone_are_swept(void **state)
{
    const struct fixture *f = *state;
    make_aged(f->folder, ".segue-0123456789abcdef.25d.tmp", 3700);
    make_aged(f->folder, ".segue-0123456789abcdee.25d.tmp", 3500);
    make_aged(f->folder, ".segue-notes", 99999);
    make_aged(f->folder, "song.25d.tmp", 99999);
    sidecar_sweep(f->path);
    char stale[SCRATCH_PATH_BYTES];
    struct stat st;
    scratch_path(stale, f->folder, ".segue-0123456789abcdef.25d.tmp");
    assert_int_equal(stat(stale, &st), -1);
    assert_int_equal(files_in(f->folder), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_is_the_tracks_with_25d_behind),
        cmocka_unit_test_setup_teardown(what_was_written_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_one_is_named_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(link_is_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fifo_makes_nobody_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_is_no_sidecar, set_up, tear_down),
        cmocka_unit_test_setup_teardown(size_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(name_as_long_as_names_can_be_works, set_up, tear_down),
        cmocka_unit_test_setup_teardown(write_that_fails_leaves_what_was_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stale_temporaries_alone_are_swept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
