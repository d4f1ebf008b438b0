// SPDX-License-Identifier: MIT
// Writing a sidecar on a disk whose power is cut at any instant: the old one or the new one is there whole, and the
// new one once it was reported written. SEGUE_POWER_CUTS: how many cuts.
#include "io/store/sidecar.h"
#include "support/power_disk.h"
#include "support/rng.h"
#include "support/scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CUTS = 600, TEXT_BYTES = 5000, WRITTEN_AT_ONCE = 1700, NOT_FOLLOWED = -1 };

int __real_openat(int folder, const char *name, int flags, ...);
ssize_t __real_write(int fd, const void *bytes, size_t count);
int __real_fsync(int fd);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_openat(int folder, const char *name, int flags, ...);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_unlinkat(int folder, const char *name, int flags);

static struct power_disk *disk; // NULL: nothing is put down
static int created = NOT_FOLLOWED;
static unsigned number;
static size_t offset;

int __wrap_openat(int folder, const char *name, int flags, ...)
{
    const int fd = __real_openat(folder, name, flags, 0644);
    if (disk && fd >= 0 && flags & O_CREAT) {
        created = fd;
        number = power_disk_open(disk, name);
        offset = 0;
    }
    return fd;
}

// In pieces, as a file system may take them.
ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
    if (!disk || fd != created)
        return __real_write(fd, bytes, count);
    const ssize_t done = __real_write(fd, bytes, count < WRITTEN_AT_ONCE ? count : WRITTEN_AT_ONCE);
    power_disk_write(disk, number, offset, bytes, (size_t)done);
    offset += (size_t)done;
    return done;
}

int __wrap_fsync(int fd)
{
    if (!disk)
        return __real_fsync(fd);
    if (fd == created)
        power_disk_sync(disk, number);
    else
        power_disk_sync_folder(disk);
    return 0;
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    if (disk)
        power_disk_rename(disk, from, to);
    return __real_renameat(from_folder, from, to_folder, to);
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
    if (disk)
        power_disk_remove(disk, name);
    return __real_unlinkat(folder, name, flags);
}

static void fill(char text[TEXT_BYTES], char letter)
{
    memset(text, letter, TEXT_BYTES);
}

// What a later run reads. @return the letter that the text is made of, 0: there is none.
static char read_letter(const char *folder)
{
    char path[SCRATCH_PATH_BYTES], expected[TEXT_BYTES], *text;
    size_t bytes;
    scratch_path(path, folder, "song.flac.25d");
    const int error = sidecar_read(path, &text, &bytes);
    if (error) {
        assert_int_equal(error, -ENOENT);
        return 0;
    }
    const char letter = text[0];
    fill(expected, letter);
    assert_int_equal(bytes, TEXT_BYTES);
    assert_memory_equal(text, expected, TEXT_BYTES);
    free(text);
    return letter;
}

static char letter_after_cut(size_t entries, uint64_t seed)
{
    char folder[SCRATCH_PATH_BYTES];
    scratch_create(folder);
    power_disk_cut(disk, entries, seed, folder);
    struct power_disk *followed = disk;
    disk = NULL;
    const char letter = read_letter(folder);
    disk = followed;
    scratch_remove(folder);
    return letter;
}

// Write "aaa.." and then "bbb..", and cut the power in between or after.
static void power_cut_leaves_the_old_sidecar_or_the_new_one(void **state)
{
    (void)state;
    char folder[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES], text[TEXT_BYTES];
    const char *wanted = getenv("SEGUE_POWER_CUTS");
    const unsigned cuts = wanted ? (unsigned)strtoul(wanted, NULL, 10) : CUTS;
    unsigned found[256] = {0};
    uint64_t seed = 20261129;
    scratch_create(folder);
    scratch_path(path, folder, "song.flac.25d");
    disk = power_disk_create();
    fill(text, 'a');
    assert_int_equal(sidecar_write(path, text, TEXT_BYTES), 0);
    const size_t first_saved = power_disk_now(disk);
    fill(text, 'b');
    assert_int_equal(sidecar_write(path, text, TEXT_BYTES), 0);
    const size_t second_saved = power_disk_now(disk);

    for (unsigned i = 0; i < cuts; ++i) {
        const size_t entries = rng_next(&seed) % (second_saved + 1);
        const char letter = letter_after_cut(entries, rng_next(&seed));
        assert_true(letter == 0 || letter == 'a' || letter == 'b');
        assert_true(letter != 0 || entries < first_saved);
        assert_true(letter != 'b' || entries > first_saved);
        assert_true(letter == 'b' || entries < second_saved);
        ++found[(unsigned char)letter];
    }
    print_message("%u power cuts: none %u, first %u, second %u\n", cuts, found[0], found['a'],
                  found['b']);
    assert_true(found[0] && found['a'] && found['b']);
    power_disk_destroy(&disk);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cut_leaves_the_old_sidecar_or_the_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
