// SPDX-License-Identifier: MIT
// The whole library out of a database and into one, as lines of library_document.h.
#pragma once
#include "dsp/annotate.h"
#include "engine/log.h"
#include "io/store.h"
#include <stdint.h>
#include <stdio.h>

struct library_transfer {
    uint64_t taken; // lines written or taken
    uint64_t bad;   // rows or lines that are not sound: each named in the log
};

/// A line for each track and set of targets. @return 0; -EIO: `out` cannot be written; as store_for_each_track().
MUST_CHECK int library_transfer_export(struct store *store, FILE *out, struct log *log,
                                       struct library_transfer *transfer);
/// Take each sound line; what the database knows of a path already stands, unless it is of an older algorithm.
/// Writer: under the lock. `name` is what bad lines are named after. @return 0; -EIO: `in` cannot be read; as
/// store_save().
MUST_CHECK int library_transfer_import(struct store *store, FILE *in, const char *name,
                                       struct log *log, struct library_transfer *transfer);
