// SPDX-License-Identifier: MIT
#include "io/bytes/file_identity.h"
#include <errno.h>

_Static_assert(sizeof(struct file_identity) == 5 * sizeof(uint64_t), "no padding");

static int64_t to_ns(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct file_identity file_identity_of_stat(const struct stat *stat)
{
    return (struct file_identity){.device = stat->st_dev,
                                  .inode = stat->st_ino,
                                  .size_bytes = (uint64_t)stat->st_size,
                                  .mtime_ns = to_ns(stat->st_mtim),
                                  .ctime_ns = to_ns(stat->st_ctim)};
}

int file_identity_read(struct file_identity *out, const char *path)
{
    struct stat st;
    if (stat(path, &st))
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISREG(st.st_mode))
        return -ESPIPE;
    *out = file_identity_of_stat(&st);
    return 0;
}

bool file_identity_has_same_contents(const struct file_identity *a, const struct file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
           a->mtime_ns == b->mtime_ns;
}
