// SPDX-License-Identifier: MIT
// A file that appears under its name when it is whole. Until then it has none, where the file system can do that:
// whatever ends the program leaves nothing behind.
#pragma once
#include "dsp/annotate.h"
#include <stdbool.h>

/// Thread-safety: one thread at a time. Zero-initialised but for an fd of -1: closed.
struct new_file {
    int fd;        // to read and write; closed by new_file_deinit()
    bool is_named; // as `temporary`
    char *path, *temporary;
};

/// Open a file that is to become `path` (copied). @return 0; -ENOMEM; errors of the file system. On error nothing
/// is left.
MUST_CHECK int new_file_init(struct new_file *file, const char *path);
/// Give the file its name, in place of what has it, whose rights it takes. @return 0 or -errno.
MUST_CHECK int new_file_publish(struct new_file *file);
/// Close; what was not published is gone. Closed already is fine.
void new_file_deinit(struct new_file *file);
