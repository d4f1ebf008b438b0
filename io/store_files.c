// SPDX-License-Identifier: MIT
// The lock beside the database, and a corrupt one put out of the way.
#include "io/store.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int make_folder(const char *path)
{
    return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

// mkdir -p of all that stands before the last '/'.
static int make_folders_of(const char *path)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof(folder), "%s", path) >= (int)sizeof(folder))
        return -ENAMETOOLONG;
    char *end = strrchr(folder, '/');
    if (!end || end == folder)
        return 0;
    *end = '\0';
    if (make_folder(folder) != -ENOENT)
        return make_folder(folder);
    for (char *p = strchr(folder + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        const int error = make_folder(folder);
        *p = '/';
        if (error)
            return error;
    }
    return make_folder(folder);
}

static int open_lock(const char *path)
{
    char name[PATH_MAX];
    if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name))
        return -ENAMETOOLONG;
    const int error = make_folders_of(path);
    if (error)
        return error;
    const int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    return fd < 0 ? -errno : fd;
}

int store_lock_try(const char *path)
{
    const int fd = open_lock(path);
    if (fd < 0)
        return fd;
    while (flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno == EINTR)
            continue;
        const int error = errno == EWOULDBLOCK ? -EAGAIN : -errno;
        close(fd);
        return error;
    }
    return fd;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int store_lock_wait(const char *path, int64_t timeout_ns)
{
    // flock() knows no time-out, so the lock is tried again and again, as SQLite does with its own.
    static const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    const int64_t deadline_ns = now_ns() + timeout_ns;
    for (;;) {
        const int fd = store_lock_try(path);
        if (fd != -EAGAIN || now_ns() >= deadline_ns)
            return fd;
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause,
                              NULL); // cut short by a signal: tries sooner
    }
}

void store_lock_release(int fd)
{
    assert(fd >= 0);
    close(fd); // the lock goes with the last descriptor
}

static const int64_t yield_wait_ns = 10000000000;

int store_lock_yield(const char *path, int fd)
{
    // Longer than others take between two tries, so that who waits has a turn.
    static const struct timespec pause = {.tv_nsec = 60 * 1000 * 1000};
    store_lock_release(fd);
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause,
                          NULL); // cut short by a signal: a shorter turn
    return store_lock_wait(path, yield_wait_ns);
}

// Remove what was put away before: the newest alone is kept.
static void remove_older(const char *path)
{
    char folder[PATH_MAX], prefix[NAME_MAX + 1];
    const char *name = strrchr(path, '/');
    if (!name || snprintf(prefix, sizeof(prefix), "%s.corrupt-", name + 1) >= (int)sizeof(prefix))
        return;
    snprintf(folder, sizeof(folder), "%.*s", (int)(name == path ? 1 : name - path), path);
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0); // left behind, it does no harm
    closedir(dir);
}

int store_put_aside(const char *path, char *aside)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char from[PATH_MAX], to[PATH_MAX], time_text[32];
    const time_t now = time(NULL);
    struct tm tm;
    if (!gmtime_r(&now, &tm) || !strftime(time_text, sizeof(time_text), "%Y%m%dT%H%M%SZ", &tm))
        return -EOVERFLOW;
    remove_older(path);
    int error = 0;
    for (unsigned i = 0; i < 3; ++i) {
        if (snprintf(from, sizeof(from), "%s%s", path, suffixes[i]) >= (int)sizeof(from) ||
            snprintf(to, sizeof(to), "%s.corrupt-%s%s", path, time_text, suffixes[i]) >=
                (int)sizeof(to))
            return -ENAMETOOLONG;
        if (rename(from, to) && errno != ENOENT && !error)
            error = -errno;
        if (i == 0 && aside)
            memcpy(aside, to, sizeof(to));
    }
    return error;
}
