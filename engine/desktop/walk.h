// SPDX-License-Identifier: MIT
// PATH arguments to files: folders walked in name order, paths from standard input, one at a time.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdio.h>

/// Memory is that of the names of the folders that are open, one per level, never of the whole tree.
/// Thread-safety: one thread.
struct walk;

struct walk_config {
    char *const *paths; // borrowed until walk_destroy()
    size_t count;
    FILE *input;     // where the path "-" reads further paths from; borrowed; NULL: "-" is a file
    char terminator; // of the paths read there: '\n' or 0
};

struct walk_item {
    const char *path; // valid until the next call
    int error;        // 0: a file; else a folder: -ENODATA without audio files in it or below, or
                      // -errno: it cannot be read
};

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int walk_create(struct walk **out, const struct walk_config *config);
/// Destroy and set *walk to NULL. NULL is fine.
void walk_destroy(struct walk **walk);
/// The next file, or folder in error. What is given by name comes as it is, whatever it is called, unless it is
/// a folder; in folders only names with an audio extension, hidden ones (".x") never. Names in a folder come
/// in byte order. A link to a folder that is being walked already is left out. Blocks on the disk and on
/// the input. @return 1 and *item; 0: no more; -ENOMEM; -EIO: the input cannot be read.
MUST_CHECK int walk_next(struct walk *walk, struct walk_item *item);
/// Whether a name has an extension of the audio files that folders are searched for.
int walk_is_audio_name(const char *name);
