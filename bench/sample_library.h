// SPDX-License-Identifier: MIT
// Libraries of any number of tracks that nobody has: sound rows of about a kibibyte, each of other figures.
#pragma once
#include "dsp/annotate.h"
#include "engine/library/library_columns.h"
#include "engine/library/track_record.h"
#include "io/store/store.h"

enum { SAMPLE_LIBRARY_PATH_BYTES = 64 };

/// What rows are made from. Thread-safety: one thread.
struct sample_library {
    struct record *record; // a struct track_record
};

/// @return 0; -ENOMEM, and then sample_library_deinit() is fine.
MUST_CHECK int sample_library_init(struct sample_library *library);
void sample_library_deinit(struct sample_library *library);
/// A row, and what it points to. Its track.path and targets.settings.target are within it: it is not moved.
struct sample_row {
    char path[SAMPLE_LIBRARY_PATH_BYTES], target[LIBRARY_TARGET_BYTES];
    struct store_track track;
    struct store_targets targets;
};

void sample_library_row(const struct sample_library *library, struct sample_row *row,
                        uint64_t number);
void sample_library_path(char path[SAMPLE_LIBRARY_PATH_BYTES], uint64_t number);
/// Save the row of a number and its targets, between store_begin() and store_commit(). @return as store_save().
MUST_CHECK int sample_library_save(const struct sample_library *library, struct store *store,
                                   uint64_t number);
/// Save `count` rows from `from` on, `batch` to a commit. Writer. @return as store_save().
MUST_CHECK int sample_library_fill(const struct sample_library *library, struct store *store,
                                   uint64_t from, uint64_t count, uint64_t batch,
                                   enum store_durability durability);
