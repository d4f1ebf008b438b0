// SPDX-License-Identifier: MIT
// One look-up, down the ladder: database, then sidecar; a checksum where stat does not decide.
#pragma once
#include "engine/library/library.h"
#include "engine/library/library_notes.h"
#include "io/store/store.h"

/// Thread-safety: one thread at a time, which blocks in the file system.
struct library_ladder {
    const char *database; // not owned; NULL: sidecars only
    struct mastering_settings settings;
    struct library_notes *notes; // not owned
    struct store *reader;        // NULL: not open
    bool is_unusable;            // the database is not read in this run
    bool is_corrupt;             // and not before the writer has made a new one
    bool is_damaged; // a look-up met a bad page; for who owns the ladder to act upon and clear
};

/// How what was found has to be put right, if at all.
enum library_repair {
    LIBRARY_KEEP,  // nothing to be done
    LIBRARY_STORE, // goes into the database
    LIBRARY_MOVE,  // the database has it under `moved_from`, or under another identity
};

/// Look `lookup` up: set all that is the library's in it. With LIBRARY_MOVE *moved_from is new memory, the
/// caller's to free(), else NULL.
enum library_repair library_ladder_climb(struct library_ladder *ladder,
                                         struct library_lookup *lookup, char **moved_from);
/// The next track of an older algorithm version whose file is still there. Sets `query`'s answer.
void library_ladder_find_outdated(struct library_ladder *ladder, struct library_outdated *query);
/// Close the reader.
void library_ladder_deinit(struct library_ladder *ladder);
