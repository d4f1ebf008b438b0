// SPDX-License-Identifier: MIT
// What the user is told of the persistent tier: each cause of trouble once a run.
#pragma once
#include "dsp/mutex.h"
#include "engine/log.h"
#include <stdint.h>

enum library_note {
    LIBRARY_NOTE_CORRUPT,
    LIBRARY_NOTE_FOREIGN,
    LIBRARY_NOTE_NEWER,
    LIBRARY_NOTE_LOCKED,
    LIBRARY_NOTE_FULL,
    LIBRARY_NOTE_READ_ONLY,
    LIBRARY_NOTE_KIND,
    LIBRARY_NOTE_OTHER,
    LIBRARY_NOTES
};

struct library_noted;

/// Thread-safety: Safe.
struct library_notes {
    // --- immutable after init
    struct log *log;
    const char *database; // not owned
    struct mutex lock;    // leaf
    // --- protected by lock
    struct library_noted *noted; // folders whose sidecars cannot be written, files of no use
    // --- atomic: see struct log_once
    struct log_once said[LIBRARY_NOTES];
    // --- atomic: set by whoever meets it first, read at the end. Relaxed: nothing hangs on it.
    _Atomic int pending[LIBRARY_NOTES]; // the error; 0: none
};

/// @return 0; -ENOMEM, -EAGAIN.
MUST_CHECK int library_notes_init(struct library_notes *notes, struct log *log,
                                  const char *database);
void library_notes_deinit(struct library_notes *notes);
/// The database is in trouble; `lost` results are not saved for it (0: nothing is known of that). What may yet cost
/// results is said at the end, with their number: see library_notes_end().
void library_notes_database(struct library_notes *notes, int error, uint64_t lost);
/// The run ends: say what was left for now.
void library_notes_end(struct library_notes *notes);
/// So many results had no file any more whose checksum could be saved with them.
void library_notes_gone(struct library_notes *notes, uint64_t lost);
/// A track's analysis has a figure that no reader takes: it is not saved. Once each.
void library_notes_unsaved(struct library_notes *notes, const char *path);
/// A sidecar cannot be written: once a folder.
void library_notes_unwritable(struct library_notes *notes, const char *sidecar, int error);
/// A sidecar cannot be used and is left alone: once each.
void library_notes_sidecar(struct library_notes *notes, const char *sidecar, int error);
