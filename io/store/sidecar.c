// SPDX-License-Identifier: MIT
#include "io/store/sidecar.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// Hidden, and not made from the track's name, which may be as long as names can be.
#define TEMPORARY_PREFIX ".segue-"
#define TEMPORARY_SUFFIX ".25d.tmp"
enum { TEMPORARY_BYTES = 48, STALE_AFTER_S = 3600 };

char *sidecar_path(const char *track_path)
{
    const size_t bytes = strlen(track_path);
    char *path = malloc(bytes + sizeof(SIDECAR_SUFFIX));
    if (!path)
        return NULL;
    memcpy(path, track_path, bytes);
    memcpy(path + bytes, SIDECAR_SUFFIX, sizeof(SIDECAR_SUFFIX));
    return path;
}

static int read_all(int fd, char *text, size_t bytes)
{
    size_t have = 0;
    while (have < bytes) {
        const ssize_t got = read(fd, text + have, bytes - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO; // shorter than it said
        have += (size_t)got;
    }
    text[bytes] = '\0';
    return 0;
}

static int check_kind(int fd, size_t *bytes)
{
    struct stat st;
    if (fstat(fd, &st))
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISREG(st.st_mode))
        return -ESPIPE;
    if (st.st_size > SIDECAR_MAX_BYTES)
        return -EFBIG;
    *bytes = (size_t)st.st_size;
    return 0;
}

int sidecar_read(const char *path, char **text, size_t *bytes)
{
    *text = NULL;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENXIO ? -ESPIPE : -errno; // ENXIO: a socket
    int error = check_kind(fd, bytes);
    if (!error && !(*text = malloc(*bytes + 1)))
        error = -ENOMEM;
    if (!error)
        error = read_all(fd, *text, *bytes);
    close(fd);
    if (error) {
        free(*text);
        *text = NULL;
    }
    return error;
}

// --- writing

// The folder that a path's last component is in. @return its descriptor or -errno.
static int open_folder(const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!folder)
        return -ENOMEM;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        fd = -errno;
    free(folder);
    return fd;
}

static int create_temporary(int folder, char name[TEMPORARY_BYTES])
{
    for (;;) {
        uint64_t number;
        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
            return -EIO;
        snprintf(name, TEMPORARY_BYTES, TEMPORARY_PREFIX "%016llx" TEMPORARY_SUFFIX,
                 (unsigned long long)number);
        const int fd =
            openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd >= 0 || errno != EEXIST)
            return fd < 0 ? -errno : fd;
    }
}

static int write_all(int fd, const char *text, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t written = write(fd, text, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        text += written;
        bytes -= (size_t)written;
    }
    return fsync(fd) ? -errno : 0;
}

static void sweep(int folder)
{
    const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        if (copy >= 0)
            close(copy);
        return;
    }
    const time_t now = time(NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        const size_t length = strlen(entry->d_name), suffix = sizeof(TEMPORARY_SUFFIX) - 1;
        struct stat st;
        if (strncmp(entry->d_name, TEMPORARY_PREFIX, sizeof(TEMPORARY_PREFIX) - 1) == 0 &&
            length > suffix && strcmp(entry->d_name + length - suffix, TEMPORARY_SUFFIX) == 0 &&
            fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            now - st.st_mtime > STALE_AFTER_S)
            (void)unlinkat(folder, entry->d_name, 0); // what stays is tried again next time
    }
    closedir(dir);
}

void sidecar_sweep(const char *path)
{
    const char *name;
    const int folder = open_folder(path, &name);
    if (folder < 0)
        return;
    sweep(folder);
    close(folder);
}

static int put_in_place(int folder, int fd, const char *temporary, const char *name,
                        const char *text, size_t bytes)
{
    int error = write_all(fd, text, bytes);
    if (close(fd) && !error)
        error = -errno;
    if (!error && renameat(folder, temporary, folder, name))
        error = -errno;
    if (error) {
        (void)unlinkat(folder, temporary, 0); // swept later if it cannot be removed now
        return error;
    }
    return fsync(folder) ? -errno : 0;
}

int sidecar_write(const char *path, const char *text, size_t bytes)
{
    assert(path && text && bytes <= SIDECAR_MAX_BYTES);
    const char *name;
    const int folder = open_folder(path, &name);
    if (folder < 0)
        return folder;
    char temporary[TEMPORARY_BYTES];
    const int fd = create_temporary(folder, temporary);
    const int error = fd < 0 ? fd : put_in_place(folder, fd, temporary, name, text, bytes);
    close(folder);
    return error;
}
