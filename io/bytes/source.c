// SPDX-License-Identifier: MIT
// A file in blocks: head and tail, which stay, and a window of 256 KiB blocks around the reader.
#include "io/bytes/source.h"
#include "io/bytes/loader_poll.h"
#include "io/bytes/source_impl.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const size_t default_window_bytes = 24u << 20;
static const size_t max_window_bytes = 64u << 20;

void source_free(struct source *s)
{
    for (size_t i = 0; s->slots && i < s->n_slots; i++)
        free(s->slots[i].data);
    free(s->slots);
    free(s->head.data);
    free(s->tail.data);
    cond_deinit(&s->changed);
    mutex_deinit(&s->lock);
    free(s->path);
    free(s);
}

static struct source *allocate(const struct source_config *config)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    if (mutex_init(&s->lock)) {
        free(s);
        return NULL;
    }
    if (cond_init(&s->changed)) {
        mutex_deinit(&s->lock);
        free(s);
        return NULL;
    }
    s->n_slots = source_slots(max_window_bytes);
    s->slots = calloc(s->n_slots, sizeof *s->slots);
    s->path = strdup(config->path);
    if (s->slots && s->path)
        return s;
    source_free(s);
    return NULL;
}

int source_open(struct source **out, struct loader *loader, const struct source_config *config)
{
    assert(config->path);
    assert(config->priority >= 0 && config->priority < LOADER_PRIORITIES);
    *out = NULL;
    struct source *s = allocate(config);
    if (!s)
        return -ENOMEM;
    s->loader = loader;
    s->opened = config->opened;
    s->context = config->context;
    s->priority = s->queue_priority = config->priority;
    s->window_bytes = config->window_bytes ? config->window_bytes : default_window_bytes;
    if (s->window_bytes > max_window_bytes)
        s->window_bytes = max_window_bytes;
    s->fd = -1;
    s->task.fn = source_loop_run;
    s->close_task.fn = source_loop_close;
    s->head.source = s->tail.source = s;
    for (size_t i = 0; i < s->n_slots; i++)
        s->slots[i].source = s;
    *out = s;
    loader_post(loader, &s->task);
    return 0;
}

void source_close(struct source **source)
{
    struct source *s = *source;
    *source = NULL;
    if (!s)
        return;
    mutex_lock(&s->lock);
    while (s->is_calling)
        cond_wait(&s->changed, &s->lock);
    s->is_closed = s->is_canceled = true;
    mutex_unlock(&s->lock);
    // From here on the source is the loop's, which frees it.
    loader_post(s->loader, &s->close_task);
}

static int poll_open_locked(const struct source *s, struct file_identity *identity)
{
    if (!s->is_open_known)
        return s->is_canceled ? -ECANCELED : -EAGAIN;
    if (!s->open_error)
        *identity = s->identity;
    return s->open_error;
}

int source_poll_open(struct source *source, struct file_identity *identity)
{
    mutex_lock(&source->lock);
    int error = poll_open_locked(source, identity);
    mutex_unlock(&source->lock);
    return error;
}

static void wait_locked(struct source *s) REQUIRES(s->lock);
static void wait_locked(struct source *s)
{
    int64_t start_ns = loader_now_ns();
    cond_wait(&s->changed, &s->lock);
    s->waited_ns += loader_now_ns() - start_ns;
}

int source_wait_open(struct source *source, struct file_identity *identity)
{
    int error;
    mutex_lock(&source->lock);
    while ((error = poll_open_locked(source, identity)) == -EAGAIN)
        wait_locked(source);
    mutex_unlock(&source->lock);
    return error;
}

/// Copy what one block has. @return bytes, or -errno; -EAGAIN: not there yet.
static int64_t copy_locked(struct source *s, unsigned char *to, uint64_t offset, size_t bytes)
    REQUIRES(s->lock);
static int64_t copy_locked(struct source *s, unsigned char *to, uint64_t offset, size_t bytes)
{
    struct block *b = source_find_block(s, offset);
    if (!b || b->state == BLOCK_LOADING)
        return -EAGAIN;
    if (b->state == BLOCK_FAILED) {
        int error = b->error;
        if (b != &s->head && b != &s->tail)
            b->state = BLOCK_EMPTY; // the next read tries again
        return error;
    }
    size_t skip = (size_t)(offset - b->offset);
    size_t n = bytes < b->bytes - skip ? bytes : b->bytes - skip;
    memcpy(to, b->data + skip, n);
    return (int64_t)n;
}

static int64_t read_locked(struct source *s, unsigned char *to, uint64_t offset, size_t bytes)
    REQUIRES(s->lock);
static int64_t read_locked(struct source *s, unsigned char *to, uint64_t offset, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        if (s->is_canceled || s->error)
            return s->is_canceled ? -ECANCELED : s->error;
        bool is_moved = source_move_window(s, offset + done);
        int64_t n = copy_locked(s, to + done, offset + done, bytes - done);
        if (n < 0 && n != -EAGAIN)
            return n;
        if (n > 0)
            done += (size_t)n;
        if (is_moved || (n == -EAGAIN && !source_find_block(s, offset + done))) {
            mutex_unlock(&s->lock);
            loader_post(s->loader, &s->task);
            mutex_lock(&s->lock);
        }
        while (n == -EAGAIN && !s->is_canceled && !s->error) {
            struct block *b = source_find_block(s, offset + done);
            if (b && b->state != BLOCK_LOADING)
                break;
            wait_locked(s);
        }
    }
    return (int64_t)done;
}

int64_t source_read(struct source *source, void *buffer, uint64_t offset, size_t bytes)
{
    assert(bytes <= INT64_MAX);
    struct file_identity identity;
    int error = source_wait_open(source, &identity);
    if (error)
        return error;
    if (offset >= identity.size_bytes)
        return 0;
    if (bytes > identity.size_bytes - offset)
        bytes = (size_t)(identity.size_bytes - offset);
    mutex_lock(&source->lock);
    int64_t n = read_locked(source, buffer, offset, bytes);
    mutex_unlock(&source->lock);
    return n;
}

void source_cancel(struct source *source)
{
    mutex_lock(&source->lock);
    source->is_canceled = true;
    cond_broadcast(&source->changed);
    mutex_unlock(&source->lock);
}

void source_set_priority(struct source *source, enum loader_priority priority)
{
    assert(priority >= 0 && priority < LOADER_PRIORITIES);
    mutex_lock(&source->lock);
    source->priority = priority;
    mutex_unlock(&source->lock);
    loader_post(source->loader, &source->task);
}

void source_set_window(struct source *source, size_t window_bytes)
{
    if (window_bytes == 0)
        window_bytes = default_window_bytes;
    mutex_lock(&source->lock);
    source->window_bytes = window_bytes < max_window_bytes ? window_bytes : max_window_bytes;
    mutex_unlock(&source->lock);
    loader_post(source->loader, &source->task);
}

void source_progress(struct source *source, uint64_t *ahead_bytes, uint64_t *loaded_bytes)
{
    mutex_lock(&source->lock);
    uint64_t at = source->position;
    for (struct block *b; (b = source_find_block(source, at)) && b->state == BLOCK_READY;)
        at = b->offset + b->bytes;
    *ahead_bytes = at - source->position;
    *loaded_bytes = source->loaded_bytes;
    mutex_unlock(&source->lock);
}

int64_t source_waited_ns(struct source *source)
{
    mutex_lock(&source->lock);
    int64_t waited_ns = source->waited_ns;
    mutex_unlock(&source->lock);
    return waited_ns;
}

const char *source_path(const struct source *source)
{
    return source->path;
}
