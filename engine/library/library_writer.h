// SPDX-License-Identifier: MIT
// The thread that saves: records in batches into the database, sidecars beside their tracks.
#pragma once
#include "engine/library/library_item.h"
#include "engine/library/library_notes.h"
#include "io/store/store.h"

/// Thread-safety: Safe.
struct library_writer;

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
/// A look-up found the database corrupt, which who writes need not meet: it is checked with the next batch, and mended.
void library_writer_suspect(struct library_writer *writer);
/// Wait until all that was handed over before is saved or given up.
void library_writer_flush(struct library_writer *writer);
/// A number that is raised whenever the database was made anew.
unsigned library_writer_generation(struct library_writer *writer);
