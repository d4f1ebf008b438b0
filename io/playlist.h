// SPDX-License-Identifier: MIT
// Playlists (M3U, M3U8, PLS) to the paths they name.
#pragma once
#include "dsp/annotate.h"

/// Takes one entry, in the file's order; `path` is valid during the call only. @return 0 to go on; anything
/// else ends the reading and is returned by playlist_read().
typedef int (*playlist_entry_fn)(void *context, const char *path);

/// Whether a path ends in .m3u, .m3u8 or .pls, in any case.
int playlist_is_name(const char *path);
/// Read the playlist at `path`, one line in memory at a time. Relative entries become relative to its folder,
/// file: URIs become paths, other URIs are passed on as they are. Comments, blank lines and lines that cannot be
/// a path (with NUL, over 16 KiB) are left out; a byte order mark and CR LF are fine. Blocks.
/// @return 0; -ENODATA: no entry at all; -EINVAL: not a regular file; -EBADMSG: UTF-16; errors of open and
/// read; -ENOMEM; what `fn` returned.
MUST_CHECK int playlist_read(const char *path, playlist_entry_fn fn, void *context);
