// SPDX-License-Identifier: MIT
#include "engine/prepare/scan.h"
#include "dsp/mutex.h"
#include "engine/prepare/track_reader.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One file, from submission until its result is taken.
struct item {
    struct scheduler_task task; // first: the loop hands this back
    struct scan *scan;
    struct track_reader_progress progress;
    struct item *next;
    struct scan_result result;
    bool done;
};

struct scan {
    // --- immutable after create
    struct scheduler *scheduler;
    uint32_t window;
    enum scan_order order;
    struct mutex lock; // leaf
    struct cond done;  // predicate: the wanted item is done
    // --- protected by lock
    struct item *first, **last;
    uint32_t count;
};

int scan_create(struct scan **out, struct scheduler *scheduler, uint32_t window,
                enum scan_order order)
{
    assert(window > 0);
    *out = NULL;
    struct scan *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    int error = mutex_init(&s->lock);
    if (!error) {
        error = cond_init(&s->done);
        if (error)
            mutex_deinit(&s->lock);
    }
    if (error) {
        free(s);
        return error;
    }
    s->scheduler = scheduler;
    s->window = window;
    s->order = order;
    s->last = &s->first;
    *out = s;
    return 0;
}

void scan_result_deinit(struct scan_result *result)
{
    free(result->path);
    result->path = NULL;
    record_unref(&result->record);
}

static void on_done(void *context, const struct extraction_result *result)
{
    struct item *item = context;
    struct scan *s = item->scan;
    mutex_lock(&s->lock);
    item->result.error = result->error;
    item->result.record = result->record ? record_ref(result->record) : NULL;
    item->result.tier = result->tier;
    item->result.replaced_samples = result->replaced_samples;
    snprintf(item->result.text, sizeof(item->result.text), "%s", result->text);
    item->done = true;
    cond_broadcast(&s->done);
    mutex_unlock(&s->lock);
}

static void fail_item(struct item *item, int error)
{
    on_done(item, &(struct extraction_result){.error = error, .text = decoder_error_text(error)});
}

static void run_item(struct scheduler_task *task)
{
    struct item *item = (struct item *)task;
    const struct extraction_request request = {.path = item->result.path,
                                               .identity = item->result.identity,
                                               .load_priority = LOADER_SCAN,
                                               .progress = &item->progress,
                                               .done = on_done,
                                               .context = item};
    // The handle goes at once: a result may come, and be taken, before this returns.
    struct extraction *extraction;
    const int error =
        extractor_request(scheduler_extractor(item->scan->scheduler), &request, &extraction);
    if (error)
        fail_item(item, error);
    else
        extraction_release(&extraction);
}

static struct item *append(struct scan *s, const char *path)
{
    struct item *item = calloc(1, sizeof(*item));
    if (!item)
        return NULL;
    item->result.path = strdup(path);
    if (!item->result.path) {
        free(item);
        return NULL;
    }
    item->scan = s;
    item->task.run = run_item;
    mutex_lock(&s->lock);
    *s->last = item;
    s->last = &item->next;
    ++s->count;
    mutex_unlock(&s->lock);
    return item;
}

int scan_submit(struct scan *s, const char *path)
{
    if (scan_under_way(s) == s->window)
        return -EAGAIN;
    struct item *item = append(s, path);
    if (!item)
        return -ENOMEM;
    const int error = file_identity_read(&item->result.identity, path);
    if (error)
        fail_item(item, error);
    else
        scheduler_post(s->scheduler, &item->task);
    return 0;
}

int scan_submit_error(struct scan *s, const char *path, int error, const char *text)
{
    if (scan_under_way(s) == s->window)
        return -EAGAIN;
    struct item *item = append(s, path);
    if (!item)
        return -ENOMEM;
    on_done(item, &(struct extraction_result){.error = error, .text = text});
    return 0;
}

static struct item **find_ready(struct scan *s) REQUIRES(s->lock)
{
    struct item **at = &s->first;
    if (s->order == SCAN_AS_DONE) {
        while (*at && !(*at)->done)
            at = &(*at)->next;
    }
    return *at && (*at)->done ? at : NULL;
}

int scan_has_result(struct scan *s)
{
    mutex_lock(&s->lock);
    const int ready = find_ready(s) != NULL;
    mutex_unlock(&s->lock);
    return ready;
}

int scan_wait(struct scan *s, int64_t deadline_ns)
{
    mutex_lock(&s->lock);
    int error = 0;
    while (s->first && !find_ready(s) && !error)
        error = cond_wait_until(&s->done, &s->lock, deadline_ns);
    const int ready = !s->first || find_ready(s);
    mutex_unlock(&s->lock);
    return ready;
}

int scan_progress_of_first(struct scan *s, struct scan_file_progress *progress)
{
    mutex_lock(&s->lock);
    struct item *item = s->first;
    mutex_unlock(&s->lock); // it stays until this thread takes its result
    const uint32_t rate_hz =
        item ? atomic_load_explicit(&item->progress.rate_hz, memory_order_relaxed) : 0;
    if (rate_hz == 0)
        return 0;
    const struct track_reader_progress *p = &item->progress;
    *progress = (struct scan_file_progress){
        .done_s = (double)atomic_load_explicit(&p->done_frames, memory_order_relaxed) / rate_hz,
        .total_s = (double)atomic_load_explicit(&p->total_frames, memory_order_relaxed) / rate_hz,
        .pass = atomic_load_explicit(&p->pass, memory_order_relaxed)};
    return 1;
}

uint32_t scan_under_way(struct scan *s)
{
    mutex_lock(&s->lock);
    const uint32_t count = s->count;
    mutex_unlock(&s->lock);
    return count;
}

int scan_take(struct scan *s, struct scan_result *result)
{
    mutex_lock(&s->lock);
    if (!s->first) {
        mutex_unlock(&s->lock);
        return -ENOENT;
    }
    struct item **at;
    while (!(at = find_ready(s)))
        cond_wait(&s->done, &s->lock);
    struct item *item = *at;
    *at = item->next;
    if (s->last == &item->next)
        s->last = at;
    --s->count;
    mutex_unlock(&s->lock);
    *result = item->result;
    free(item);
    return 0;
}

void scan_destroy(struct scan **scan)
{
    struct scan *s = *scan;
    if (!s)
        return;
    struct scan_result result;
    while (scan_take(s, &result) == 0)
        scan_result_deinit(&result);
    cond_deinit(&s->done);
    mutex_deinit(&s->lock);
    free(s);
    *scan = NULL;
}
