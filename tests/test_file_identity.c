// SPDX-License-Identifier: MIT
#include "io/bytes/file_identity.h"
#include "support/scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[SCRATCH_PATH_BYTES], file[SCRATCH_PATH_BYTES], other[SCRATCH_PATH_BYTES];
};

static void write_at(const char *path, off_t offset, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, text, strlen(text), offset), strlen(text));
    assert_int_equal(close(fd), 0);
}

static int set_up(void **state)
{
    static struct fixture f;
    scratch_create(f.folder);
    scratch_path(f.file, f.folder, "song.flac");
    scratch_path(f.other, f.folder, "other");
    write_at(f.file, 0, "sound");
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    scratch_remove(((const struct fixture *)*state)->folder);
    return 0;
}

static struct file_identity identity_of(const char *path)
{
    struct file_identity identity;
    assert_int_equal(file_identity_read(&identity, path), 0);
    return identity;
}

static void set_mtime(const char *path, struct timespec to)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, to};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void is_what_stat_says(void **state)
{
    const struct fixture *f = *state;
    struct stat st;
    set_mtime(f->file, (struct timespec){.tv_sec = 1234567890, .tv_nsec = 987654321});
    assert_int_equal(stat(f->file, &st), 0);
    const struct file_identity found = identity_of(f->file);
    assert_int_equal(found.device, st.st_dev);
    assert_int_equal(found.inode, st.st_ino);
    assert_int_equal(found.size_bytes, 5);
    assert_int_equal(found.mtime_ns, 1234567890987654321);
    assert_int_equal(found.ctime_ns, st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
}

static void is_that_of_the_file_a_link_leads_to(void **state)
{
    const struct fixture *f = *state;
    assert_int_equal(symlink(f->file, f->other), 0);
    const struct file_identity file = identity_of(f->file), link = identity_of(f->other);
    assert_memory_equal(&file, &link, sizeof(file));
}

static void is_refused_for_what_is_no_file(void **state)
{
    const struct fixture *f = *state;
    struct file_identity identity;
    assert_int_equal(file_identity_read(&identity, f->other), -ENOENT);
    assert_int_equal(file_identity_read(&identity, f->folder), -EISDIR);
    assert_int_equal(mkfifo(f->other, 0644), 0);
    assert_int_equal(file_identity_read(&identity, f->other), -ESPIPE);
}

static void other_rights_leave_the_same_contents(void **state)
{
    const struct fixture *f = *state;
    const struct file_identity before = identity_of(f->file);
    assert_int_equal(chmod(f->file, 0600), 0);
    const struct file_identity after = identity_of(f->file);
    assert_true(file_identity_has_same_contents(&before, &after));
}

static void size_time_and_file_tell_other_contents(void **state)
{
    const struct fixture *f = *state;
    const struct timespec then = {.tv_sec = 1000000000};
    set_mtime(f->file, then);
    const struct file_identity before = identity_of(f->file);

    write_at(f->file, 5, "s");
    set_mtime(f->file, then);
    const struct file_identity longer = identity_of(f->file);
    assert_false(file_identity_has_same_contents(&before, &longer));

    assert_int_equal(truncate(f->file, 5), 0);
    set_mtime(f->file, (struct timespec){.tv_sec = then.tv_sec, .tv_nsec = 1});
    const struct file_identity later = identity_of(f->file);
    assert_false(file_identity_has_same_contents(&before, &later));

    write_at(f->other, 0, "sound");
    set_mtime(f->other, then);
    const struct file_identity another = identity_of(f->other);
    assert_false(file_identity_has_same_contents(&before, &another));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_what_stat_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_that_of_the_file_a_link_leads_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_refused_for_what_is_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_rights_leave_the_same_contents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(size_time_and_file_tell_other_contents, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
