// SPDX-License-Identifier: MIT
// What tells one file, and one state of it, from another.
#pragma once
#include "dsp/annotate.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/// From stat. Compared for inequality only. Without padding, so that two can be compared as bytes.
struct file_identity {
    uint64_t device, inode, size_bytes;
    int64_t mtime_ns, ctime_ns;
};

/// Of the regular file at `path`, links followed, as source_open() finds it. Blocks in the file system. Any thread.
/// @return 0; -ENOENT, -EACCES ..; -EISDIR: a folder; -ESPIPE: a pipe or device.
MUST_CHECK int file_identity_read(struct file_identity *out, const char *path);
/// The identity in what stat() has said. Any thread.
struct file_identity file_identity_of_stat(const struct stat *stat);
/// Whether both are of one file with the same contents, as far as stat tells: other rights, owners, names or
/// links, which only ctime shows, change nothing of what is read.
bool file_identity_has_same_contents(const struct file_identity *a, const struct file_identity *b);
