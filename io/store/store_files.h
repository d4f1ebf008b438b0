// SPDX-License-Identifier: MIT
// Where a corrupt database's files are while what still reads of them is taken over into a new one: PATH.salvage, with
// its -wal and -shm; PATH.corrupt-TIME after that. All of it under the lock.
#pragma once
#include "dsp/annotate.h"
#include <limits.h>
#include <stdbool.h>

/// @return 0; -ENAMETOOLONG.
MUST_CHECK int store_files_name_salvage(const char *path, char out[PATH_MAX]);
/// Whether one was begun and not ended: by another process, or by one that was killed.
bool store_files_has_salvage(const char *path);
/// Move the database there, in place of what may be left of an older one. @return 0 or -errno.
MUST_CHECK int store_files_begin_salvage(const char *path);
/// Who moved it may have been killed at that: move what was left. @return 0 or -errno.
MUST_CHECK int store_files_complete_salvage(const char *path);
/// @return 0, also where another process has ended it; -errno.
MUST_CHECK int store_files_end_salvage(const char *path);
