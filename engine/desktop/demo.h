// SPDX-License-Identifier: MIT
// Four short pieces to hear the player with, made on the spot.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>

enum { DEMO_PIECES = 4 };

/// The folder for them: $XDG_CACHE_HOME/segue/demo-1, or below ~/.cache where that is unset or relative.
/// @return 0; -ENOENT: no HOME either; -ENAMETOOLONG.
MUST_CHECK int demo_folder(char *folder, size_t size);
/// Make the pieces that are missing in `folder` (and the folder). Each appears under its name when it is
/// whole. The same bytes every time. Takes about two seconds in all; blocks.
/// @return 0; -ENOMEM; -EIO and errors of the file system.
MUST_CHECK int demo_make(const char *folder);
/// Path of piece `index` < DEMO_PIECES in `folder`. @return 0 or -ENAMETOOLONG.
MUST_CHECK int demo_path(char *path, size_t size, const char *folder, unsigned index);
