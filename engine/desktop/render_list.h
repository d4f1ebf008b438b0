// SPDX-License-Identifier: MIT
// What `segue render` is to do: each file, and the name of what becomes of it.
#pragma once
#include "cache/record.h"
#include "dsp/annotate.h"
#include "engine/desktop/options.h"
#include "engine/log.h"
#include "engine/prepare/album.h"
#include "io/bytes/source.h"
#include "io/tags/tags.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct render_item {
    char *in, *out; // out NULL: measured only
    dev_t device;   // of IN, if it is there
    ino_t inode;
    bool is_named; // on the command line, not found in a folder
    bool clashes;  // its output must not be written
    bool refused;  // named already: it cannot be rendered
    // --- with --album
    struct tags tags;
    struct record *record;
    struct file_identity identity; // that the record is of
    struct album_track *in_album;  // NULL: alone
};

/// Thread-safety: one thread.
struct render_list {
    struct render_item *items;
    size_t count, capacity;
    bool failed; // some of what was asked for is named already
};

/// List the files of the options' paths, folders walked in name order, with their outputs. What cannot be had, or would
/// overwrite an input or the output of another, is named and left out. @return 0; -EINVAL: bad usage, named; -ENOMEM.
MUST_CHECK int render_list_make(struct render_list *list, const struct options *options,
                                struct log *log);
/// Leave out the items without a record.
void render_list_keep_analysed(struct render_list *list);
/// Free all. Empty is fine.
void render_list_deinit(struct render_list *list);
/// Name of the output of `in`, below `folder`: what follows the first `skip` bytes of it, with `extension` in place of
/// its own; new memory. @return NULL without memory.
MUST_CHECK char *render_list_name(const char *folder, const char *in, size_t skip,
                                  const char *extension);
/// Look whether they could be made, and `path` in them. @return 0 or -errno.
MUST_CHECK int render_list_try_folders(const char *path);
/// Make the folders that `path` lies in. @return 0 or -errno.
MUST_CHECK int render_list_make_folders(const char *path);
