// SPDX-License-Identifier: MIT
// The persistent tier: what is known of tracks, in a database and in sidecars, looked up and saved by threads
// of its own.
#pragma once
#include "cache/record.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/library/library_path.h"
#include "engine/log.h"
#include "io/store/track_checksum.h"
#include <stdbool.h>
#include <stdint.h>

/// Thread-safety: look-ups belong to one thread (the scheduler's), the rest is Safe. Nothing here waits for a
/// disk but library_flush() and library_destroy().
struct library;

enum library_sidecars { LIBRARY_SIDECARS_READ, LIBRARY_SIDECARS_WRITE };

struct library_config {
    const char *database; // its path, copied; NULL: there is no place for one
    struct mastering_settings settings;
    enum library_sidecars sidecars;
    struct log *log; // not owned
};

/// Makes no file before there is something to save. @return 0; -ENOMEM; -EAGAIN: no thread. On error *out is
/// NULL.
MUST_CHECK int library_create(struct library **out, const struct library_config *config);
/// Save what is left, for as long as 10 s if another process holds the database; warn of what could not be.
/// Sets *library to NULL. NULL is fine. No look-up may be under way.
void library_destroy(struct library **library);
/// Wait until all that was handed over is on the disk, or cannot be.
void library_flush(struct library *library);

enum library_outcome {
    LIBRARY_MISS,
    LIBRARY_ANALYSIS, // without targets for the settings
    LIBRARY_RECORD,
};

enum library_tier { LIBRARY_SQLITE, LIBRARY_SIDECAR };

/// One question, embedded by who asks. Lives until library_look_up_deinit().
struct library_lookup {
    // --- set before the look-up
    const char *path;              // as given; borrowed
    struct file_identity identity; // of what was found there
    int priority;                  // lower is sooner
    void *owner;
    // --- set by the library
    enum library_outcome outcome;
    enum library_tier tier;
    struct record *record; // a struct track_record; NULL on a miss
    char *absolute_path;
    bool is_fresh, has_checksum;
    bool has_changed; // the file is another by now: nothing of it is to be saved
    struct track_checksum checksum;
    struct library_lookup *next;
};

/// Ask. Never blocks; the answer is reaped.
void library_look_up(struct library *library, struct library_lookup *lookup);
/// Readable when an answer is there: for the scheduler's loop. Owned by the library.
int library_event_fd(const struct library *library);
/// The next answer, or NULL. Clears the event when there is none left.
struct library_lookup *library_reap(struct library *library);
/// Free what a look-up holds.
void library_lookup_deinit(struct library_lookup *lookup);

/// A question for what an older algorithm version analysed. Lives until it is answered, or the library is gone.
struct library_outdated {
    // --- set before
    int64_t id;                      // of the row to go on after; 0: from the first on
    void (*answered)(void *context); // on the library's thread: wakes another, and no more
    void *context;
    // --- set by the library
    // Absolute, of a file that is there; the caller's to free(). NULL: there is none left.
    char *path;
    struct file_identity identity; // and `id` is that of its row
};

/// Ask for the next one. Never blocks; look-ups go first. One at a time.
void library_find_outdated(struct library *library, struct library_outdated *query);

/// Hand over the record that a look-up missed (or whose targets it missed), to be saved soon. Never blocks; what
/// cannot be saved is warned of, once a cause.
void library_save(struct library *library, const struct library_lookup *lookup,
                  struct record *record);
/// A record was found in memory: count it, and see to its sidecar if those are written.
void library_note_memory_hit(struct library *library, const char *path,
                             const struct file_identity *identity, struct record *record);
