// SPDX-License-Identifier: MIT
#include "io/writing/new_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Beside the target, so that the rename stays in one file system; not made from its name, which may be as
// long as a name can be.
static char *temporary_beside(const char *path)
{
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path) + 1 : 0;
    char *name = NULL;
    if (asprintf(&name, "%.*s.segue-XXXXXX", folder, path) < 0)
        return NULL;
    return name;
}

// A file without a name vanishes with the program; where there is no such thing it has a temporary one.
static int open_temporary(struct new_file *f)
{
    const char *slash = strrchr(f->path, '/');
    char *folder = strndup(f->path, slash ? (size_t)(slash - f->path) + 1 : 0);
    if (!folder)
        return -ENOMEM;
    const mode_t mask = umask(0);
    umask(mask);
    f->fd = open(*folder ? folder : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666 & ~mask);
    free(folder);
    if (f->fd >= 0)
        return 0;
    f->fd = mkostemp(f->temporary, O_CLOEXEC);
    f->is_named = f->fd >= 0;
    return f->fd < 0 || fchmod(f->fd, 0666 & ~mask) ? -errno : 0;
}

int new_file_init(struct new_file *f, const char *path)
{
    *f = (struct new_file){.fd = -1, .path = strdup(path), .temporary = temporary_beside(path)};
    const int error = f->path && f->temporary ? open_temporary(f) : -ENOMEM;
    if (error)
        new_file_deinit(f);
    return error;
}

// What has the name may be for its owner alone, and what takes its place is no more for others. @return 0; -1 and
// errno.
static int take_rights(const struct new_file *f)
{
    struct stat old, own;
    if (lstat(f->path, &old) || !S_ISREG(old.st_mode))
        return 0;
    const mode_t rights = old.st_mode & 0777;
    if (fstat(f->fd, &own) == 0 && (own.st_mode & 0777) == rights)
        return 0; // also where the file system knows of none
    return fchmod(f->fd, rights);
}

// Give the file its name. One that has none yet can take only a free one first.
int new_file_publish(struct new_file *f)
{
    if (!f->is_named) {
        char self[64];
        snprintf(self, sizeof(self), "/proc/self/fd/%d", f->fd);
        char *unique = f->temporary + strlen(f->temporary) - 6;
        for (unsigned i = 0; i < 1000; ++i) {
            snprintf(unique, 7, "%06u", ((unsigned)getpid() * 1000 + i) % 1000000);
            f->is_named = linkat(AT_FDCWD, self, AT_FDCWD, f->temporary, AT_SYMLINK_FOLLOW) == 0;
            if (f->is_named || errno != EEXIST)
                break;
        }
    }
    if (!f->is_named)
        return -errno;
    if (take_rights(f) || rename(f->temporary, f->path))
        return -errno;
    f->is_named = false;
    return 0;
}

void new_file_deinit(struct new_file *f)
{
    if (f->is_named)
        unlink(f->temporary);
    if (f->fd >= 0)
        close(f->fd);
    free(f->temporary);
    free(f->path);
    *f = (struct new_file){.fd = -1};
}
