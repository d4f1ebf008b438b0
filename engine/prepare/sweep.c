// SPDX-License-Identifier: MIT
// Driven by events alone: the library's answer, the end of a request, and the edges of what playback wants. A thread
// that has gone to SCHED_IDLE may not come back without a right, so the worker is a backend of its own.
#include "engine/prepare/sweep.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum sweep_state { SWEEP_RESTS, SWEEP_ASKS, SWEEP_ANALYSES, SWEEP_ENDED };

struct sweep {
    struct sweep_config config;
    enum sweep_state state;
    bool is_allowed, is_stopped;
    struct library_outdated query;
    int64_t done_id;         // of the last row that was tried
    struct backend *backend; // NULL before the first track
    struct extraction *extraction;
    uint64_t tried, analysed;
};

int sweep_create(struct sweep **out, const struct sweep_config *config)
{
    *out = calloc(1, sizeof(struct sweep));
    if (!*out)
        return -ENOMEM;
    (*out)->config = *config;
    return 0;
}

void sweep_destroy(struct sweep **sweep)
{
    struct sweep *s = *sweep;
    if (!s)
        return;
    assert(!s->extraction);
    backend_destroy(&s->backend);
    free(s->query.path);
    free(s);
    *sweep = NULL;
}

static void end(struct sweep *s)
{
    if (s->state != SWEEP_ENDED && s->tried > 0)
        log_write(s->config.log, LOG_LEVEL_INFO, NULL,
                  "%llu of %llu tracks of an older version analysed again",
                  (unsigned long long)s->analysed, (unsigned long long)s->tried);
    s->state = SWEEP_ENDED;
}

static void ask_next(struct sweep *s)
{
    if (s->state != SWEEP_RESTS || s->is_stopped || !s->is_allowed ||
        extractor_wanted(s->config.extractor))
        return;
    s->state = SWEEP_ASKS;
    s->query = (struct library_outdated){
        .id = s->done_id, .answered = s->config.wake, .context = s->config.context};
    library_find_outdated(s->config.library, &s->query);
}

static void on_analysed(void *context, const struct extraction_result *result)
{
    struct sweep *s = context;
    s->state = SWEEP_RESTS;
    extraction_release(&s->extraction);
    if (result->error == -ECANCELED)
        return; // who cancelled sees to what follows
    s->done_id = s->query.id;
    const bool was_played = result->record && result->tier == EXTRACTION_MEMORY;
    s->tried += !was_played;
    s->analysed += !was_played && result->error == 0;
    log_write(s->config.log, LOG_LEVEL_DEBUG, NULL, "done with what is analysed again");
    ask_next(s);
}

static void on_event(void *context)
{
    struct sweep *s = context;
    extractor_reap_from(s->config.extractor, s->backend);
}

static int start_worker(struct sweep *s)
{
    if (s->backend)
        return 0;
    const struct backend_config config = {.workers = 1, .nice = YIELD_IDLE};
    int error = backend_create(&s->backend, &config);
    if (!error)
        error = loader_watch(s->config.loader, backend_event_fd(s->backend), on_event, s);
    if (error)
        backend_destroy(&s->backend);
    return error;
}

static int analyse(struct sweep *s)
{
    int error = start_worker(s);
    if (error)
        return error;
    const struct extraction_request request = {.path = s->query.path,
                                               .identity = s->query.identity,
                                               .priority = INT32_MAX,
                                               .load_priority = LOADER_SCAN,
                                               .backend = s->backend,
                                               .done = on_analysed,
                                               .context = s};
    s->state = SWEEP_ANALYSES;
    log_write(s->config.log, LOG_LEVEL_DEBUG, s->query.path,
              "analysis of an older version begins again");
    struct extraction *extraction;
    error = extractor_request(s->config.extractor, &request, &extraction);
    if (!error && s->state == SWEEP_ANALYSES)
        s->extraction = extraction;
    else
        extraction_release(&extraction); // it is done already
    return error;
}

void sweep_go_on(struct sweep *s)
{
    if (s->state != SWEEP_ASKS)
        return;
    char *path = s->query.path;
    const bool may_run =
        !s->is_stopped && s->is_allowed && extractor_wanted(s->config.extractor) == 0;
    s->state = SWEEP_RESTS;
    if (may_run && (!path || analyse(s)))
        end(s);
    if (s->state != SWEEP_ASKS)
        s->query.path = NULL;
    free(path);
}

// The track stays the next one.
static void cancel(struct sweep *s)
{
    if (s->extraction)
        log_write(s->config.log, LOG_LEVEL_DEBUG, NULL, "what is analysed again gives way");
    extraction_cancel(&s->extraction);
}

void sweep_allow(struct sweep *s, bool is_allowed)
{
    s->is_allowed = is_allowed;
    if (is_allowed)
        ask_next(s);
    else
        cancel(s);
}

void sweep_yield(struct sweep *s, bool is_wanted)
{
    if (is_wanted)
        cancel(s);
    else
        ask_next(s);
}

void sweep_stop(struct sweep *s)
{
    s->is_stopped = true;
    cancel(s);
    end(s);
}

void sweep_unwatch(struct sweep *s)
{
    if (s->backend && loader_watch(s->config.loader, backend_event_fd(s->backend), NULL, NULL))
        log_write(s->config.log, LOG_LEVEL_DEBUG, NULL, "the idle worker was not watched");
}
