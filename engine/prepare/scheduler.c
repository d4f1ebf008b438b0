// SPDX-License-Identifier: MIT
#include "engine/prepare/scheduler.h"
#include "dsp/mutex.h"
#include "engine/library/track_record.h"
#include "engine/prepare/sweep.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A planned track as the loop sees it.
struct admitted {
    struct scheduler *scheduler;
    struct track *track;           // a reference
    struct extraction *extraction; // NULL before the file is open
    struct admitted *next;
    unsigned rank; // 0: plays now, 1: next ..
    bool planned;
    bool asked; // for its analysis, or it is known that there is none
};

struct plan_task {
    struct scheduler_task task;
    struct scheduler *scheduler;
    uint32_t count;
    struct track *tracks[];
};

struct scheduler {
    // --- immutable after create
    struct scheduler_config config;
    struct loader *loader;
    struct backend *backend;
    struct analysis_cache *cache;
    struct library *library; // or NULL
    struct extractor *extractor;
    pthread_t thread;
    struct mutex lock; // leaf; loader_wake() is called after it is let go
    // --- protected by lock
    struct scheduler_task *first, **last; // posted, in order
    bool stopping;
    // --- loop only
    struct admitted *admitted;
    struct sweep *sweep; // or NULL
    struct scheduler_task sweep_task;
};

static enum loader_priority load_priority(unsigned rank)
{
    return rank == 0 ? LOADER_PLAYING : rank == 1 ? LOADER_NEXT : LOADER_PREFETCH;
}

// The track that plays waits for its analysis with provisional targets; the next one must have it by then.
static int analysis_priority(unsigned rank)
{
    return (int)rank;
}

static void on_extracted(void *context, const struct extraction_result *result)
{
    struct admitted *a = context;
    if (result->error == -ECANCELED)
        return;
    track_set_tier(a->track, result->tier);
    track_set_record(a->track, result->record, result->error);
    struct log *log = a->scheduler->config.log;
    if (!result->record) // what is wrong with the file itself is told when its turn comes
        log_write(log, result->error == -ENOMEM ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
                  track_path(a->track), "not analysed: %s", result->text);
    else if (result->tier != EXTRACTION_COMPUTED)
        log_write(log, LOG_LEVEL_INFO, track_path(a->track), "analysis found in %s",
                  extraction_tier_name(result->tier));
    else
        log_write(log, LOG_LEVEL_INFO, track_path(a->track), "analysed in %.0f ms",
                  (double)track_record_of(result->record)->timing.total_ns / 1e6);
}

static void ask(struct admitted *a, const struct file_identity *identity)
{
    const struct extraction_request request = {.path = track_path(a->track),
                                               .identity = *identity,
                                               .priority = analysis_priority(a->rank),
                                               .load_priority = load_priority(a->rank),
                                               .done = on_extracted,
                                               .context = a};
    if (extractor_request(a->scheduler->extractor, &request, &a->extraction))
        track_set_record(a->track, NULL, -ENOMEM);
}

// There is time for the sweep once all that is planned was asked for; the extractor knows what is not yet there.
static void allow_sweep(struct scheduler *s)
{
    bool is_allowed = s->admitted != NULL;
    for (const struct admitted *a = s->admitted; a; a = a->next)
        is_allowed &= a->asked;
    if (s->sweep)
        sweep_allow(s->sweep, is_allowed);
}

static struct admitted *find(struct scheduler *s, const struct track *track)
{
    struct admitted *a = s->admitted;
    while (a && a->track != track)
        a = a->next;
    return a;
}

static void on_opened(void *context, struct track *track)
{
    struct admitted *a = find(context, track);
    struct file_identity identity;
    const int error = track_poll_open(track, &identity);
    if (error && error != -EAGAIN)
        track_set_record(track, NULL, error);
    else if (!error && a && !a->extraction)
        ask(a, &identity);
    if (a && error != -EAGAIN) {
        a->asked = true;
        allow_sweep(a->scheduler);
    }
}

static void admit(struct scheduler *s, struct track *track, unsigned rank)
{
    struct admitted *a = calloc(1, sizeof(*a));
    if (!a) {
        track_set_record(track, NULL, -ENOMEM);
        track_cancel(track);
        return;
    }
    *a = (struct admitted){.scheduler = s,
                           .track = track_ref(track),
                           .next = s->admitted,
                           .rank = rank,
                           .planned = true};
    s->admitted = a;
    log_write(s->config.log, LOG_LEVEL_DEBUG, track_path(track), "prefetch begins, rank %u", rank);
    if (track_admit(track, s->loader, load_priority(rank), on_opened, s)) {
        track_set_record(track, NULL, -ENOMEM);
        a->asked = true;
    }
}

static void set_rank(struct admitted *a, unsigned rank)
{
    a->planned = true;
    if (a->rank == rank)
        return;
    a->rank = rank;
    track_set_priority(a->track, load_priority(rank));
    if (a->extraction)
        extraction_set_priority(a->extraction, analysis_priority(rank));
}

static void retire(struct admitted *a)
{
    log_write(a->scheduler->config.log, LOG_LEVEL_DEBUG, track_path(a->track), "prefetch ends");
    extraction_cancel(&a->extraction);
    track_cancel(a->track);
    track_unref(&a->track);
    free(a);
}

static void drop_unplanned(struct scheduler *s)
{
    struct admitted **at = &s->admitted;
    while (*at) {
        struct admitted *a = *at;
        if (a->planned) {
            at = &a->next;
            continue;
        }
        *at = a->next;
        retire(a);
    }
}

static void apply_plan(struct scheduler *s, struct track *const *tracks, uint32_t count)
{
    for (struct admitted *a = s->admitted; a; a = a->next)
        a->planned = false;
    for (uint32_t i = 0; i < count; ++i) {
        struct admitted *a = find(s, tracks[i]);
        if (a)
            set_rank(a, i);
    }
    drop_unplanned(s); // before new ones are admitted: they need what is set free
    for (uint32_t i = 0; i < count; ++i) {
        if (!find(s, tracks[i]))
            admit(s, tracks[i], i);
    }
    allow_sweep(s);
}

static void run_plan_task(struct scheduler_task *task)
{
    struct plan_task *p = (struct plan_task *)task;
    apply_plan(p->scheduler, p->tracks, p->count);
    for (uint32_t i = 0; i < p->count; ++i)
        track_unref(&p->tracks[i]);
    free(p);
}

int scheduler_set_plan(struct scheduler *s, struct track *const *tracks, uint32_t count)
{
    struct plan_task *p = calloc(1, sizeof(*p) + count * sizeof(p->tracks[0]));
    if (!p)
        return -ENOMEM;
    p->task.run = run_plan_task;
    p->scheduler = s;
    p->count = count;
    for (uint32_t i = 0; i < count; ++i)
        p->tracks[i] = track_ref(tracks[i]);
    scheduler_post(s, &p->task);
    return 0;
}

void scheduler_post(struct scheduler *s, struct scheduler_task *task)
{
    task->next = NULL;
    mutex_lock(&s->lock);
    *s->last = task;
    s->last = &task->next;
    mutex_unlock(&s->lock);
    loader_wake(s->loader);
}

// Take all posted tasks at once. @return false when the thread is to end and nothing is left to do.
static bool take_tasks(struct scheduler *s, struct scheduler_task **tasks)
{
    mutex_lock(&s->lock);
    *tasks = s->first;
    s->first = NULL;
    s->last = &s->first;
    const bool go_on = !s->stopping || *tasks;
    mutex_unlock(&s->lock);
    return go_on;
}

static void on_analysis_event(void *context)
{
    struct scheduler *s = context;
    extractor_reap(s->extractor);
}

static void run_tasks(struct scheduler_task *task)
{
    while (task) {
        struct scheduler_task *next = task->next; // the task may free itself
        task->run(task);
        task = next;
    }
}

static void on_wanted(void *context, bool is_wanted)
{
    const struct scheduler *s = context;
    if (s->sweep)
        sweep_yield(s->sweep, is_wanted);
}

static void run_sweep_task(struct scheduler_task *task)
{
    struct scheduler *s =
        (struct scheduler *)((char *)task - offsetof(struct scheduler, sweep_task));
    sweep_go_on(s->sweep);
}

static void wake_sweep(void *context)
{
    struct scheduler *s = context;
    scheduler_post(s, &s->sweep_task);
}

static void drain(struct scheduler *s)
{
    if (s->sweep)
        sweep_stop(s->sweep);
    apply_plan(s, NULL, 0);
    while (extractor_busy(s->extractor)) {
        if (loader_run_once(s->loader, INT64_MAX))
            break;
    }
    if (s->sweep)
        sweep_unwatch(s->sweep);
}

static void *scheduler_run(void *context)
{
    struct scheduler *s = context;
    pthread_setname_np(pthread_self(), "segue-sched");
    if (loader_watch(s->loader, backend_event_fd(s->backend), on_analysis_event, s))
        log_write(s->config.log, LOG_LEVEL_ERROR, NULL, "analysis results cannot be watched");
    if (s->library && loader_watch(s->loader, library_event_fd(s->library), on_analysis_event, s))
        log_write(s->config.log, LOG_LEVEL_ERROR, NULL, "look-ups cannot be watched");
    struct scheduler_task *tasks;
    while (take_tasks(s, &tasks)) {
        run_tasks(tasks);
        // One wake may stand for tasks and the end: after tasks, a look at what else there is comes before a wait.
        const int error = loader_run_once(s->loader, tasks ? 0 : INT64_MAX);
        if (error) {
            log_write(s->config.log, LOG_LEVEL_ERROR, NULL, "file loading broke down: %s",
                      strerror(-error));
            break;
        }
    }
    drain(s);
    if (loader_watch(s->loader, backend_event_fd(s->backend), NULL, NULL))
        log_write(s->config.log, LOG_LEVEL_DEBUG, NULL, "analysis results were not watched");
    if (s->library && loader_watch(s->loader, library_event_fd(s->library), NULL, NULL))
        log_write(s->config.log, LOG_LEVEL_DEBUG, NULL, "look-ups were not watched");
    return NULL;
}

static void log_choices(struct scheduler *s)
{
    struct log *log = s->config.log;
    const char *reason = loader_fallback_reason(s->loader);
    if (reason)
        log_write(log, LOG_LEVEL_WARN, NULL, "io_uring is not used: %s; reading with threads",
                  reason);
    reason = backend_fallback_reason(s->backend);
    if (reason)
        log_write(log, LOG_LEVEL_INFO, NULL, "CUDA is not used: %s; analysing on the CPU", reason);
    log_write(log, LOG_LEVEL_DEBUG, NULL, "files through %s, analysis on %s",
              loader_backend_name(s->loader), backend_name(s->backend));
}

static int create_parts(struct scheduler *s)
{
    const struct loader_config loader = {.backend = s->config.loader};
    int error = loader_create(&s->loader, &loader);
    if (!error)
        error = backend_create(&s->backend, &s->config.backend);
    if (!error)
        error = analysis_cache_create(&s->cache, &s->config.cache);
    if (!error && s->config.library)
        error = library_create(&s->library, s->config.library);
    s->config.library = NULL; // its owner's again
    if (error)
        return error;
    const struct extractor_config extractor = {.loader = s->loader,
                                               .backend = s->backend,
                                               .cache = s->cache,
                                               .library = s->library,
                                               .log = s->config.log,
                                               .settings = s->config.settings,
                                               .on_wanted = on_wanted,
                                               .context = s};
    error = extractor_create(&s->extractor, &extractor);
    if (error || !s->library || !s->config.renews)
        return error;
    const struct sweep_config sweep = {.extractor = s->extractor,
                                       .loader = s->loader,
                                       .library = s->library,
                                       .log = s->config.log,
                                       .wake = wake_sweep,
                                       .context = s};
    s->sweep_task.run = run_sweep_task;
    return sweep_create(&s->sweep, &sweep);
}

static void destroy_parts(struct scheduler *s)
{
    extractor_destroy(&s->extractor);
    library_destroy(&s->library);
    sweep_destroy(&s->sweep);
    backend_destroy(&s->backend);
    analysis_cache_destroy(&s->cache);
    loader_destroy(&s->loader);
    mutex_deinit(&s->lock);
    free(s);
}

int scheduler_create(struct scheduler **out, const struct scheduler_config *config)
{
    *out = NULL;
    struct scheduler *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    int error = mutex_init(&s->lock);
    if (error) {
        free(s);
        return error;
    }
    s->config = *config;
    s->last = &s->first;
    error = create_parts(s);
    if (!error)
        error = -pthread_create(&s->thread, NULL, scheduler_run, s);
    if (error) {
        destroy_parts(s);
        return error;
    }
    log_choices(s);
    *out = s;
    return 0;
}

void scheduler_destroy(struct scheduler **scheduler)
{
    struct scheduler *s = *scheduler;
    if (!s)
        return;
    mutex_lock(&s->lock);
    s->stopping = true;
    mutex_unlock(&s->lock);
    loader_wake(s->loader);
    pthread_join(s->thread, NULL);
    destroy_parts(s);
    *scheduler = NULL;
}

struct extractor *scheduler_extractor(struct scheduler *s)
{
    return s->extractor;
}

struct analysis_cache *scheduler_cache(struct scheduler *s)
{
    return s->cache;
}

struct loader *scheduler_loader(struct scheduler *s)
{
    return s->loader;
}

struct backend *scheduler_backend(struct scheduler *s)
{
    return s->backend;
}

struct library *scheduler_library(struct scheduler *s)
{
    return s->library;
}
