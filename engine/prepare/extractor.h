// SPDX-License-Identifier: MIT
// Get a track's record from the cache, or have it extracted: decoded, analysed, calibrated. Asynchronous.
#pragma once
#include "cache/analysis_cache.h"
#include "cache/record.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "gpu/backend.h"
#include "io/bytes/loader.h"
#include "io/bytes/source.h"
#include <stdbool.h>
#include <stdint.h>

struct library;
struct log;
struct track_reader_progress;

/// Lives on the scheduler's loop: calls marked "loop" belong to that thread, the others are Safe.
struct extractor;
/// One request under way.
struct extraction;

enum extraction_tier {
    EXTRACTION_MEMORY,   // from the cache
    EXTRACTION_SHARED,   // someone else's extraction of the same track
    EXTRACTION_SQLITE,   // from the database: its analysis at least
    EXTRACTION_SIDECAR,  // from the file beside the track, likewise
    EXTRACTION_COMPUTED, // for this request
};

/// "memory", "sqlite", "sidecar", "computed".
const char *extraction_tier_name(enum extraction_tier tier);

struct extraction_result {
    int error;             // 0, -errno; -EBADMSG with a record: figures of what is sound
    struct record *record; // a struct track_record; borrowed; NULL if there is none
    enum extraction_tier tier;
    const char *text;          // words for the error; borrowed; "" without
    uint64_t replaced_samples; // NaN, infinite or huge ones that were read as 0 (computed only)
};

struct extraction_request {
    const char *path;              // copied
    struct file_identity identity; // of that path, see file_identity_read()
    int priority;                  // lower is sooner
    enum loader_priority load_priority;
    // Borrowed until `done`: told of the passes over the file, if it is this request that starts them. NULL:
    // nobody asks, and only then the request may be cancelled.
    struct track_reader_progress *progress;
    struct backend *backend; // borrowed; NULL: the extractor's; another's: of the background
    void (*done)(void *context, const struct extraction_result *result); // once, on the loop
    void *context;
};

struct extractor_config {
    struct loader *loader;
    struct backend *backend;
    struct analysis_cache *cache;
    struct library *library; // NULL: nothing but memory
    struct log *log;         // gets what each record cost, and what is under way; NULL: nobody does
    struct mastering_settings settings;
    // Loop. Tells that requests came up where there were none (before they are begun), or that none is left; those of
    // the background do not count. NULL: nobody asks.
    void (*on_wanted)(void *context, bool is_wanted);
    void *context;
};

/// All borrowed. @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int extractor_create(struct extractor **out, const struct extractor_config *config);
/// Destroy and set *extractor to NULL. NULL is fine. No request may be open.
void extractor_destroy(struct extractor **extractor);
/// Loop. Ask for a record; `done` may run before this returns (a hit). @return 0 and *out, a handle that
/// extraction_release() gives back; -ENOMEM (done is not called).
MUST_CHECK int extractor_request(struct extractor *extractor,
                                 const struct extraction_request *request, struct extraction **out);
/// Loop. The caller wants it no longer: done(-ECANCELED) follows at once if it has not run yet. The work
/// goes on if others wait for it. Releases the handle and sets it to NULL. NULL is fine.
void extraction_cancel(struct extraction **extraction);
/// Loop. Give the handle back; the request goes on. Sets it to NULL. NULL is fine.
void extraction_release(struct extraction **extraction);
/// Loop. Move in the backend's queue.
void extraction_set_priority(struct extraction *extraction, int priority);
/// Loop. Collect completed jobs of the backend, and answers of the library: call it when the event fd of either
/// is readable.
void extractor_reap(struct extractor *extractor);
/// Loop. The same of a backend that requests named.
void extractor_reap_from(struct extractor *extractor, struct backend *backend);
/// Loop. Requests that are not of the background and not yet done.
uint32_t extractor_wanted(const struct extractor *extractor);
/// Loop. Jobs and look-ups begun and not yet reaped.
uint32_t extractor_busy(const struct extractor *extractor);
/// The record if it is in the cache, a new reference; nothing is promoted or counted. Any thread.
struct record *extractor_peek(struct extractor *extractor, const char *path,
                              const struct file_identity *identity);
