// SPDX-License-Identifier: MIT
// Sidecars as they are saved: beside their tracks, where no good one is there.
#pragma once
#include "dsp/mastering/mastering.h"
#include "engine/library/library_item.h"
#include "engine/library/library_notes.h"

/// Thread-safety: one thread, which blocks in the file system.
struct library_sidecar {
    // --- set by its owner
    struct mastering_settings settings;
    struct library_notes *notes; // not owned
    // --- its own; NULL at first
    char *swept; // the folder whose stale temporaries were swept last
};

/// Write the item's record beside its track, unless a good sidecar stands there, or what must be left alone, of which
/// a note is made. The item has its checksum.
void library_sidecar_save(struct library_sidecar *sidecar, const struct library_item *item);
/// A zeroed one is fine.
void library_sidecar_deinit(struct library_sidecar *sidecar);
