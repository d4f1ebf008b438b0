// SPDX-License-Identifier: MIT
// The whole library out of a database and into one, as lines of library_document.h.
#pragma once
#include "dsp/annotate.h"
#include "engine/log.h"
#include "io/store/store.h"
#include <stdint.h>
#include <stdio.h>

struct library_transfer {
    uint64_t taken; // lines written or taken
    uint64_t known; // lines not taken, for what the database has of their paths is as good
    uint64_t bad;   // rows or lines that are not sound: each named in the log
};

/// A line for each track and set of targets. @return 0; why `out` cannot be written, then ferror(out); as
/// store_for_each_track().
MUST_CHECK int library_transfer_export(struct store *store, FILE *out, struct log *log,
                                       struct library_transfer *transfer);
/// Take each sound line; what the database knows of a path already stands, unless it is of an older algorithm. The
/// database is made where there is none, and mended where it is corrupt; its lock is held for one batch of lines at a
/// time, and not while they are read. `name` is what bad lines are named after. @return 0; an error of reading `in`;
/// -EAGAIN: another process keeps the lock; as store_save().
MUST_CHECK int library_transfer_import(const char *database, FILE *in, const char *name,
                                       struct log *log, struct library_transfer *transfer);
