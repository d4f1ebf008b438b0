// SPDX-License-Identifier: MIT
// Everything here runs on the scheduler's loop, so that there is nothing to lock: requests, completions of
// the backend and the cache's notifications all arrive on that one thread.
#include "engine/prepare/extractor.h"
#include "dsp/analyzer.h"
#include "engine/library/library.h"
#include "engine/library/track_record.h"
#include "engine/log.h"
#include "engine/prepare/track_reader.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct extractor {
    struct extractor_config config;
    uint32_t busy;   // jobs of the backend and look-ups of the library
    uint32_t wanted; // requests that are not of the background
};

// The part of a request that works: a look-up in the library, then, if that does not do, one job in the
// backend, on behalf of all who wait for its key. It outlives the request that started it when that one is
// cancelled and others still want the result.
struct work {
    struct extractor *extractor;
    struct track_reader *reader; // NULL during the look-up
    struct library_lookup lookup;
    enum loader_priority load_priority;
    struct backend *backend;
    int wanted_priority;
    struct track_reader_progress *progress;
    struct analysis_cache_ticket *ticket;
    struct extraction *request; // NULL once that request was cancelled
    char *path;
    struct backend_job job;
};

struct extraction {
    struct extractor *extractor;
    struct extraction_request request;    // its path is owned
    struct analysis_cache_ticket *ticket; // of a waiter
    struct work *work;                    // of the leader
    unsigned references;                  // the handle's and the pending completion's
    bool done;
};

const char *extraction_tier_name(enum extraction_tier tier)
{
    switch (tier) {
    case EXTRACTION_SQLITE:
        return "sqlite";
    case EXTRACTION_SIDECAR:
        return "sidecar";
    case EXTRACTION_COMPUTED:
        return "computed";
    default:
        return "memory";
    }
}

int extractor_create(struct extractor **out, const struct extractor_config *config)
{
    *out = calloc(1, sizeof(struct extractor));
    if (!*out)
        return -ENOMEM;
    (*out)->config = *config;
    return 0;
}

void extractor_destroy(struct extractor **extractor)
{
    if (!*extractor)
        return;
    assert((*extractor)->busy == 0);
    free(*extractor);
    *extractor = NULL;
}

uint32_t extractor_busy(const struct extractor *extractor)
{
    return extractor->busy;
}

uint32_t extractor_wanted(const struct extractor *extractor)
{
    return extractor->wanted;
}

static void extraction_unref(struct extraction *e)
{
    if (--e->references)
        return;
    free((char *)e->request.path);
    free(e);
}

static double ms(int64_t ns)
{
    return (double)ns / 1e6;
}

// What it took to get the record; what is in memory costs nothing worth a figure.
static void log_timing(const struct extraction *e, const struct extraction_result *result)
{
    struct log *log = e->extractor->config.log;
    if (!log || !result->record || !log_has_level(log, LOG_LEVEL_DEBUG))
        return;
    const struct extraction_timing *t = &track_record_of(result->record)->timing;
    const char *tier = extraction_tier_name(result->tier);
    if (result->tier == EXTRACTION_MEMORY || result->tier == EXTRACTION_SHARED)
        log_write(log, LOG_LEVEL_DEBUG, e->request.path, "timing: %s", tier);
    else
        log_write(log, LOG_LEVEL_DEBUG, e->request.path,
                  "timing: %s, load %.1f ms, decode %.1f ms, fingerprint %.1f ms, profile %.1f ms, "
                  "targets %.1f ms, total %.1f ms",
                  tier, ms(t->load_ns), ms(t->decode_ns), ms(t->fingerprint_ns), ms(t->profile_ns),
                  ms(t->targets_ns), ms(t->total_ns));
}

static void tell_wanted(struct extractor *x, bool is_wanted)
{
    if (x->config.on_wanted)
        x->config.on_wanted(x->config.context, is_wanted);
}

static void complete(struct extraction *e, const struct extraction_result *result)
{
    assert(!e->done);
    e->done = true;
    log_timing(e, result);
    e->request.done(e->request.context, result);
    struct extractor *x = e->extractor;
    const bool was_last = !e->request.backend && --x->wanted == 0;
    extraction_unref(e);
    if (was_last)
        tell_wanted(x, false);
}

static void complete_error(struct extraction *e, int error, const char *text)
{
    complete(e, &(struct extraction_result){.error = error, .text = text});
}

static void complete_record(struct extraction *e, struct record *record, enum extraction_tier tier)
{
    const int damage = track_record_of(record)->damage;
    complete(e, &(struct extraction_result){
                    .error = damage, .record = record, .tier = tier, .text = ""});
}

static void note_memory_hit(const struct extraction *e, struct record *record)
{
    if (e->extractor->config.library)
        library_note_memory_hit(e->extractor->config.library, e->request.path, &e->request.identity,
                                record);
}

static void on_flight_ended(void *context)
{
    struct extraction *e = context;
    if (e->done)
        return;
    struct record *record = NULL;
    const int error =
        analysis_cache_wait(e->extractor->config.cache, &e->ticket, INT64_MAX, &record);
    if (error) {
        complete_error(e, error, decoder_error_text(error));
    } else {
        note_memory_hit(e, record);
        complete_record(e, record, EXTRACTION_SHARED);
    }
    record_unref(&record);
}

static void work_destroy(struct work *w)
{
    track_reader_destroy(&w->reader);
    library_lookup_deinit(&w->lookup);
    free(w->job.analysis);
    free(w->path);
    free(w);
}

static struct work *work_create(struct extraction *e, struct analysis_cache_ticket *ticket)
{
    struct work *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->path = strdup(e->request.path);
    if (!w->path) {
        free(w);
        return NULL;
    }
    w->extractor = e->extractor;
    w->load_priority = e->request.load_priority;
    w->backend = e->request.backend ? e->request.backend : e->extractor->config.backend;
    w->wanted_priority = e->request.priority;
    w->progress = e->request.progress;
    w->ticket = ticket;
    w->request = e;
    w->lookup = (struct library_lookup){.path = w->path,
                                        .identity = e->request.identity,
                                        .priority = e->request.priority,
                                        .owner = w};
    return w;
}

// On a worker's thread, to which the path is constant.
static void log_head(void *owner, const struct analysis_so_far *so_far)
{
    const struct work *w = owner;
    const char *tonic = key_tonic_name(so_far->key.tonic), *mode = key_mode_name(so_far->key.mode);
    log_write(w->extractor->config.log, LOG_LEVEL_DEBUG, w->path,
              "after %.0f s: %.1f LUFS, %.1f BPM, %s %s", so_far->heard_s, so_far->integrated_lufs,
              so_far->tempo.bpm, tonic ? tonic : "no", mode ? mode : "key");
}

static int submit(struct work *w)
{
    const struct extractor_config *config = &w->extractor->config;
    const int error = track_reader_create(&w->reader, config->loader, w->path, &w->lookup.identity,
                                          w->load_priority);
    if (error)
        return error;
    track_reader_set_progress(w->reader, w->progress);
    w->job.reader = track_reader_pcm(w->reader);
    w->job.was_mastered = track_reader_was_mastered;
    w->job.settings = config->settings;
    w->job.priority = w->wanted_priority;
    w->job.owner = w;
    if (config->log && log_has_level(config->log, LOG_LEVEL_DEBUG))
        w->job.on_head = log_head;
    if (w->lookup.record)
        w->job.known = track_record_analysis(track_record_of(w->lookup.record));
    if (w->job.known && w->progress)
        atomic_store_explicit(&w->progress->pass, 1, memory_order_relaxed);
    ++w->extractor->busy;
    backend_submit(w->backend, &w->job);
    return 0;
}

static int lead(struct extraction *e, struct analysis_cache_ticket *ticket)
{
    struct extractor *x = e->extractor;
    struct work *w = work_create(e, ticket);
    int error = w ? 0 : -ENOMEM;
    if (w && !x->config.library)
        error = submit(w);
    if (error) {
        if (w)
            work_destroy(w);
        analysis_cache_fail(x->config.cache, &ticket, error);
        return error;
    }
    e->work = w;
    if (x->config.library) {
        ++x->busy;
        library_look_up(x->config.library, &w->lookup);
    }
    return 0;
}

static void start(struct extraction *e)
{
    struct analysis_cache *cache = e->extractor->config.cache;
    unsigned char bytes[TRACK_KEY_BYTES];
    track_key(bytes, &e->request.identity, &e->extractor->config.settings);
    const struct analysis_cache_key key = {
        .bytes = bytes, .size = sizeof(bytes), .path = e->request.path};
    struct record *record = NULL;
    struct analysis_cache_ticket *ticket = NULL;
    int outcome = analysis_cache_get_or_lead(cache, &key, &record, &ticket);
    switch (outcome) {
    case ANALYSIS_CACHE_HIT:
        note_memory_hit(e, record);
        complete_record(e, record, EXTRACTION_MEMORY);
        record_unref(&record);
        return;
    case ANALYSIS_CACHE_WAIT:
        e->ticket = ticket;
        analysis_cache_notify(cache, ticket, on_flight_ended, e);
        return;
    case ANALYSIS_CACHE_LEAD:
        outcome = lead(e, ticket);
        break;
    default:
        break;
    }
    if (outcome < 0)
        complete_error(e, outcome, decoder_error_text(outcome));
}

int extractor_request(struct extractor *extractor, const struct extraction_request *request,
                      struct extraction **out)
{
    *out = NULL;
    struct extraction *e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->extractor = extractor;
    e->request = *request;
    e->request.path = strdup(request->path);
    if (!e->request.path) {
        free(e);
        return -ENOMEM;
    }
    e->references = 2;
    *out = e;
    if (!request->backend && extractor->wanted++ == 0)
        tell_wanted(extractor, true);
    start(e);
    return 0;
}

void extraction_release(struct extraction **extraction)
{
    if (*extraction)
        extraction_unref(*extraction);
    *extraction = NULL;
}

void extraction_cancel(struct extraction **extraction)
{
    struct extraction *e = *extraction;
    assert(!e || e->done || !e->request.progress);
    if (e && !e->done) {
        if (e->ticket)
            analysis_cache_give_up(e->extractor->config.cache, &e->ticket);
        if (e->work) {
            e->work->request = NULL;
            analysis_cache_lead_for_others(e->extractor->config.cache, e->work->ticket);
            if (analysis_cache_is_cancelled(e->work->ticket) && e->work->reader) {
                backend_cancel(e->work->backend, &e->work->job);
                track_reader_cancel(e->work->reader);
            }
            e->work = NULL;
        }
        complete_error(e, -ECANCELED, "");
    }
    extraction_release(extraction);
}

void extraction_set_priority(struct extraction *e, int priority)
{
    e->request.priority = priority;
    if (!e->work)
        return;
    if (e->work->reader)
        backend_set_priority(e->work->backend, &e->work->job, priority);
    else
        e->work->wanted_priority = priority; // for the job that may follow the look-up
}

// Results of damaged and of changing files go to those who wait for them, and nowhere else.
static void publish(struct work *w, struct record *record, bool keep)
{
    struct analysis_cache *cache = w->extractor->config.cache;
    if (!keep)
        (void)analysis_cache_invalidate_path(cache,
                                             w->path); // how many there were is of no interest
    analysis_cache_publish(cache, &w->ticket, record);
}

static enum extraction_tier tier_of(const struct library_lookup *lookup)
{
    if (lookup->outcome == LIBRARY_MISS)
        return EXTRACTION_COMPUTED;
    return lookup->tier == LIBRARY_SQLITE ? EXTRACTION_SQLITE : EXTRACTION_SIDECAR;
}

static void finish_with_record(struct work *w, struct record *record,
                               const struct track_reader_report *report)
{
    struct extraction *e = w->request;
    const bool keep = w->job.error == 0 && !report->changed;
    if (keep && w->extractor->config.library)
        library_save(w->extractor->config.library, &w->lookup, record);
    publish(w, record, keep);
    if (!e)
        return;
    e->work = NULL;
    complete(e, &(struct extraction_result){.error = w->job.error,
                                            .record = record,
                                            .tier = tier_of(&w->lookup),
                                            .text = report->text,
                                            .replaced_samples = report->replaced_samples});
}

static void finish_with_error(struct work *w, int error, const struct track_reader_report *report)
{
    struct extraction *e = w->request;
    analysis_cache_fail(w->extractor->config.cache, &w->ticket, error);
    if (!e)
        return;
    e->work = NULL;
    complete_error(e, error, report->text[0] ? report->text : decoder_error_text(error));
}

static void finish(struct work *w)
{
    struct track_reader_report report;
    track_reader_report(w->reader, &report);
    struct record *record = NULL;
    const struct track_record *known = w->lookup.record ? track_record_of(w->lookup.record) : NULL;
    if (w->job.analysis || (known && (w->job.error == 0 || w->job.error == -EBADMSG)))
        record = track_record_pack(&w->job, report.codec, known);
    if (record)
        finish_with_record(w, record, &report);
    else
        finish_with_error(w, w->job.error ? w->job.error : -ENOMEM, &report);
    record_unref(&record);
    work_destroy(w);
}

static void finish_lookup(struct work *w)
{
    struct extraction *e = w->request;
    publish(w, w->lookup.record, true);
    if (e) {
        e->work = NULL;
        complete_record(e, w->lookup.record, tier_of(&w->lookup));
    }
    work_destroy(w);
}

// Down the ladder's last step, unless what was found does or nobody waits any more.
static void go_on(struct work *w)
{
    if (w->lookup.outcome == LIBRARY_RECORD) {
        finish_lookup(w);
        return;
    }
    const int error = analysis_cache_is_cancelled(w->ticket) ? -ECANCELED : submit(w);
    if (!error)
        return;
    finish_with_error(w, error, &(struct track_reader_report){0});
    work_destroy(w);
}

void extractor_reap_from(struct extractor *extractor, struct backend *backend)
{
    struct backend_job *job;
    while ((job = backend_reap(backend))) {
        --extractor->busy;
        finish(job->owner);
    }
}

void extractor_reap(struct extractor *extractor)
{
    struct library *library = extractor->config.library;
    struct library_lookup *lookup;
    while (library && (lookup = library_reap(library))) {
        --extractor->busy;
        go_on(lookup->owner);
    }
    extractor_reap_from(extractor, extractor->config.backend);
}

struct record *extractor_peek(struct extractor *extractor, const char *path,
                              const struct file_identity *identity)
{
    unsigned char bytes[TRACK_KEY_BYTES];
    track_key(bytes, identity, &extractor->config.settings);
    const struct analysis_cache_key key = {.bytes = bytes, .size = sizeof(bytes), .path = path};
    return analysis_cache_peek(extractor->config.cache, &key);
}
