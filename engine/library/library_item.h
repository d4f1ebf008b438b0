// SPDX-License-Identifier: MIT
// What the thread that saves is given of one track.
#pragma once
#include "engine/library/library.h"

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
