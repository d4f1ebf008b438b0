// SPDX-License-Identifier: MIT
// Small files beside tracks, NAME.ext.25d: read with suspicion, replaced whole or not at all.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>

enum { SIDECAR_MAX_BYTES = 16 << 20 };
#define SIDECAR_SUFFIX ".25d"

/// Path of a track's sidecar, new memory, the caller's to free(). @return NULL without memory.
MUST_CHECK char *sidecar_path(const char *track_path);
/// Read it all, with a NUL behind, into new memory, the caller's to free(). Links are not followed, and
/// nothing that could block is waited for. @return 0; -ENOENT; -ELOOP, -EISDIR, -ESPIPE: not a regular
/// file; -EFBIG: over SIDECAR_MAX_BYTES; -EACCES, -EIO, -ENOMEM. On error *text is NULL.
MUST_CHECK int sidecar_read(const char *path, char **text, size_t *bytes);
/// Write under a temporary name in the same folder, then put it in the place of `path`, so that a killed process or
/// a power cut leaves the old or the new one whole.
/// @return 0; -EROFS, -EACCES, -ENOSPC, -EISDIR, -EIO ..: what was there stands.
MUST_CHECK int sidecar_write(const char *path, const char *text, size_t bytes);
/// Remove what killed processes left behind, temporary files over an hour old, from the folder that `path` is in.
/// What cannot be removed stays.
void sidecar_sweep(const char *path);
