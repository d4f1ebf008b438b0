// SPDX-License-Identifier: MIT
// The thread that saves: records in batches into the database, sidecars beside their tracks.
#pragma once
#include "engine/library.h"
#include "engine/library_notes.h"
#include "io/store.h"

/// Thread-safety: Safe.
struct library_writer;

enum {
    LIBRARY_WRITE_ALL = 1,     // the analysis and its targets
    LIBRARY_WRITE_TARGETS = 2, // the analysis is in the database as it should be
    LIBRARY_WRITE_SIDECAR = 4,
};

/// One record to be saved. Owned by the writer once handed over.
struct library_item {
    char *path, *absolute_path;
    char *moved_from; // NULL: not moved
    struct file_identity identity;
    bool is_fresh, has_checksum;
    struct track_checksum checksum;
    struct record *record;
    unsigned what; // LIBRARY_WRITE_*
    struct library_item *next;
};

/// Copies strings, takes a reference. @return NULL without memory.
MUST_CHECK struct library_item *library_item_create(const struct library_lookup *lookup,
                                                    struct record *record, unsigned what);
void library_item_destroy(struct library_item **item);

/// `database` NULL: only sidecars are written. All borrowed. @return 0; -ENOMEM; -EAGAIN. On error *out is NULL.
MUST_CHECK int library_writer_create(struct library_writer **out, const char *database,
                                     const struct mastering_settings *settings,
                                     struct library_notes *notes);
/// Save what is left, end the thread, set *writer to NULL. NULL is fine.
void library_writer_destroy(struct library_writer **writer);
/// Hand an item over. Never blocks. *item is set to NULL; if it is already, there was no memory for it, and it counts
/// as not saved.
void library_writer_add(struct library_writer *writer, struct library_item **item);
/// To be added to the totals over all processes, with the next batch or at the end.
void library_writer_count(struct library_writer *writer, const struct store_totals *totals);
/// Wait until all that was handed over before is saved or given up.
void library_writer_flush(struct library_writer *writer);
/// A number that is raised whenever the database was made anew.
unsigned library_writer_generation(struct library_writer *writer);
