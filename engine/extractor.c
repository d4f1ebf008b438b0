// SPDX-License-Identifier: MIT
// Everything here runs on the scheduler's loop, so that there is nothing to lock: requests, completions of
// the backend and the cache's notifications all arrive on that one thread.
#include "engine/extractor.h"
#include "engine/track_reader.h"
#include "engine/track_record.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct extractor {
    struct extractor_config config;
    uint32_t busy; // jobs of the backend
};

// The part of a request that works: one job in the backend, on behalf of all who wait for its key. It
// outlives the request that started it when that one is cancelled and others still want the result.
struct work {
    struct extractor *extractor;
    struct track_reader *reader;
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

static int64_t to_ns(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int extractor_identify(const char *path, struct file_identity *identity)
{
    struct stat st;
    if (stat(path, &st))
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISREG(st.st_mode))
        return -ESPIPE;
    *identity = (struct file_identity){.device = st.st_dev,
                                       .inode = st.st_ino,
                                       .size_bytes = (uint64_t)st.st_size,
                                       .mtime_ns = to_ns(st.st_mtim),
                                       .ctime_ns = to_ns(st.st_ctim)};
    return 0;
}

static void extraction_unref(struct extraction *e)
{
    if (--e->references)
        return;
    free((char *)e->request.path);
    free(e);
}

static void complete(struct extraction *e, const struct extraction_result *result)
{
    assert(!e->done);
    e->done = true;
    e->request.done(e->request.context, result);
    extraction_unref(e);
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

static void on_flight_ended(void *context)
{
    struct extraction *e = context;
    if (e->done)
        return;
    struct record *record = NULL;
    const int error =
        analysis_cache_wait(e->extractor->config.cache, &e->ticket, INT64_MAX, &record);
    if (error)
        complete_error(e, error, decoder_error_text(error));
    else
        complete_record(e, record, EXTRACTION_SHARED);
    record_unref(&record);
}

static void work_destroy(struct work *w)
{
    track_reader_destroy(&w->reader);
    free(w->job.analysis);
    free(w->path);
    free(w);
}

static struct work *work_create(struct extraction *e, struct analysis_cache_ticket *ticket)
{
    struct extractor *x = e->extractor;
    struct work *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->extractor = x;
    w->path = strdup(e->request.path);
    if (!w->path || track_reader_create(&w->reader, x->config.loader, e->request.path,
                                        &e->request.identity, e->request.load_priority)) {
        work_destroy(w);
        return NULL;
    }
    w->ticket = ticket;
    w->request = e;
    w->job.reader = track_reader_pcm(w->reader);
    w->job.settings = x->config.settings;
    w->job.priority = e->request.priority;
    w->job.owner = w;
    return w;
}

static int lead(struct extraction *e, struct analysis_cache_ticket *ticket)
{
    struct extractor *x = e->extractor;
    e->work = work_create(e, ticket);
    if (!e->work) {
        analysis_cache_fail(x->config.cache, &ticket, -ENOMEM);
        return -ENOMEM;
    }
    ++x->busy;
    backend_submit(x->config.backend, &e->work->job);
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
    if (e && !e->done) {
        if (e->ticket)
            analysis_cache_give_up(e->extractor->config.cache, &e->ticket);
        if (e->work) {
            e->work->request = NULL;
            analysis_cache_lead_for_others(e->extractor->config.cache, e->work->ticket);
            if (analysis_cache_is_cancelled(e->work->ticket)) {
                backend_cancel(e->extractor->config.backend, &e->work->job);
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
    if (e->work)
        backend_set_priority(e->extractor->config.backend, &e->work->job, priority);
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

static void finish_with_record(struct work *w, struct record *record,
                               const struct track_reader_report *report)
{
    struct extraction *e = w->request;
    publish(w, record, w->job.error == 0 && !report->changed);
    if (!e)
        return;
    e->work = NULL;
    complete(e, &(struct extraction_result){.error = w->job.error,
                                            .record = record,
                                            .tier = EXTRACTION_COMPUTED,
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
    if (w->job.analysis)
        record = track_record_pack(&w->job, report.codec);
    if (record)
        finish_with_record(w, record, &report);
    else
        finish_with_error(w, w->job.error ? w->job.error : -ENOMEM, &report);
    record_unref(&record);
    work_destroy(w);
}

void extractor_reap(struct extractor *extractor)
{
    struct backend_job *job;
    while ((job = backend_reap(extractor->config.backend))) {
        --extractor->busy;
        finish(job->owner);
    }
}

struct record *extractor_peek(struct extractor *extractor, const char *path,
                              const struct file_identity *identity)
{
    unsigned char bytes[TRACK_KEY_BYTES];
    track_key(bytes, identity, &extractor->config.settings);
    const struct analysis_cache_key key = {.bytes = bytes, .size = sizeof(bytes), .path = path};
    return analysis_cache_peek(extractor->config.cache, &key);
}
