// SPDX-License-Identifier: MIT
// Paths as the library knows them, and what a file there is right now.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/file_identity.h"
#include <stdbool.h>

/// `path` made absolute without looking at the file system: it may be gone. "." and "//" go, ".." takes the
/// component before it along. New memory, the caller's to free(). @return NULL without memory or folder.
MUST_CHECK char *library_path_absolute(const char *path);
/// Where the database is: $XDG_DATA_HOME/segue/library.db, or below $HOME/.local/share where that is unset, empty or
/// relative. New memory, the caller's to free(). @return 0; -ENOENT: there is no HOME; -ENOMEM.
MUST_CHECK int library_path_database(char **path);

struct library_file {
    struct file_identity identity;
    bool is_fresh; // changed so shortly ago that another change might not show
};
/// Blocks in the file system. @return 0 or -errno.
MUST_CHECK int library_path_identify(const char *path, struct library_file *file);
