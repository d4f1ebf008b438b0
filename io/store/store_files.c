// SPDX-License-Identifier: MIT
// The lock beside the database, and a corrupt one put out of the way.
#include "io/store/store_files.h"
#include "io/store/store.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

// --- moving a database, by the names of its main file

static const char *const suffixes[] = {"", "-wal", "-shm"};

enum { SUFFIXES = 3 };

static int join(char out[PATH_MAX], const char *path, const char *suffix)
{
    return snprintf(out, PATH_MAX, "%s%s", path, suffix) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

// The main file first: what is beside it without it belongs to where it went.
static int move(const char *path, const char *to)
{
    char from[PATH_MAX], into[PATH_MAX];
    int error = 0;
    for (unsigned i = 0; i < SUFFIXES; ++i) {
        if (join(from, path, suffixes[i]) || join(into, to, suffixes[i]))
            return -ENAMETOOLONG;
        if (rename(from, into) && errno != ENOENT && !error)
            error = -errno;
    }
    return error;
}

// The main file last: a log is never left to be taken for another's.
static int drop(const char *path)
{
    char name[PATH_MAX];
    int error = 0;
    for (unsigned i = SUFFIXES; i-- > 0;)
        if (join(name, path, suffixes[i]) || (unlink(name) && errno != ENOENT && !error))
            error = -errno;
    return error;
}

static int name_corrupt(const char *path, char out[PATH_MAX])
{
    char suffix[48];
    const time_t now = time(NULL);
    struct tm tm;
    if (!gmtime_r(&now, &tm) || !strftime(suffix, sizeof(suffix), ".corrupt-%Y%m%dT%H%M%SZ", &tm))
        return -EOVERFLOW;
    return join(out, path, suffix);
}

int store_files_name_salvage(const char *path, char out[PATH_MAX])
{
    return join(out, path, ".salvage");
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

bool store_files_has_salvage(const char *path)
{
    char salvage[PATH_MAX];
    return !store_files_name_salvage(path, salvage) && exists(salvage);
}

int store_files_begin_salvage(const char *path)
{
    char salvage[PATH_MAX];
    int error = store_files_name_salvage(path, salvage);
    if (!error)
        error = drop(salvage);
    if (error)
        return error;
    remove_older(path);
    return move(path, salvage);
}

int store_files_complete_salvage(const char *path)
{
    char salvage[PATH_MAX];
    const int error = store_files_name_salvage(path, salvage);
    return error || exists(path) ? error : move(path, salvage);
}

int store_files_end_salvage(const char *path)
{
    char salvage[PATH_MAX], corrupt[PATH_MAX];
    int error = store_files_name_salvage(path, salvage);
    if (!error)
        error = name_corrupt(path, corrupt);
    return error ? error : move(salvage, corrupt);
}

int store_put_aside(const char *path)
{
    char salvage[PATH_MAX], corrupt[PATH_MAX];
    int error = store_files_name_salvage(path, salvage);
    if (!error)
        error = name_corrupt(path, corrupt);
    if (!error)
        error = drop(salvage);
    if (error)
        return error;
    remove_older(path);
    return move(path, corrupt);
}
