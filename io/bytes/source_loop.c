// SPDX-License-Identifier: MIT
// The loop's side of a source: open, look, read, look again, close; each step the end of the one before.
#include "io/bytes/source_impl.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { MAX_READS = 4 }; // of one source, in flight; the head's and the tail's come on top

#define OWNER(type, member, pointer) ((type *)((char *)(pointer)-offsetof(type, member)))

static void load_more(struct source *s);

static void closed_done(struct loader_op *op)
{
    source_free(OWNER(struct source, op, op));
}

/// Free the source once nothing of it is under way.
static void end_if_idle(struct source *s)
{
    if (s->n_ops > 0)
        return;
    if (s->fd < 0) {
        source_free(s);
        return;
    }
    s->op = (struct loader_op){.kind = LOADER_OP_CLOSE, .fd = s->fd, .done = closed_done};
    loader_submit(s->loader, &s->op, s->queue_priority);
}

/// Account for an operation that has ended. @return whether the source goes on.
static bool op_ended(struct source *s)
{
    assert(s->n_ops > 0);
    s->n_ops--;
    bool is_ending = s->is_ending;
    if (is_ending)
        end_if_idle(s);
    return !is_ending;
}

static void submit(struct source *s, struct loader_op *op)
{
    s->n_ops++;
    loader_submit(s->loader, op, s->queue_priority);
}

static bool is_changed(const struct source *s, const struct statx *now)
{
    // Not ctime: a rename over the file leaves this one as it was, and counts as its change.
    int64_t mtime_ns = now->stx_mtime.tv_sec * 1000000000 + now->stx_mtime.tv_nsec;
    return now->stx_size != s->identity.size_bytes || mtime_ns != s->identity.mtime_ns;
}

static void block_ended(struct block *b, int error)
{
    struct source *s = b->source;
    bool is_window = b != &s->head && b != &s->tail;
    s->n_window_reads -= is_window;
    mutex_lock(&s->lock);
    b->state = error ? BLOCK_FAILED : BLOCK_READY;
    b->error = error;
    if (error == -ESTALE)
        s->error = error;
    if (!error)
        s->loaded_bytes += b->bytes;
    cond_broadcast(&s->changed);
    mutex_unlock(&s->lock);
}

/// Bytes are handed out only after a look at the file that came later than they did.
static void checked_done(struct loader_op *op)
{
    struct block *b = OWNER(struct block, op, op);
    int error = (int)op->result;
    if (!error && is_changed(b->source, &op->status))
        error = -ESTALE;
    block_ended(b, error);
    if (op_ended(b->source))
        load_more(b->source);
}

static void read_done(struct loader_op *op)
{
    struct block *b = OWNER(struct block, op, op);
    struct source *s = b->source;
    if (op->result > 0)
        b->filled += (size_t)op->result;
    int error = op->result < 0 ? (int)op->result : op->result == 0 ? -ESTALE : 0;
    if (error)
        block_ended(b, error);
    if (!op_ended(s))
        return;
    if (error) {
        load_more(s);
    } else if (b->filled < b->bytes) {
        op->buffer = b->data + b->filled;
        op->bytes = b->bytes - b->filled;
        op->offset = b->offset + b->filled;
        submit(s, op);
    } else {
        *op = (struct loader_op){.kind = LOADER_OP_STAT_FD, .fd = s->fd, .done = checked_done};
        submit(s, op);
    }
}

/// Start to load a block. The caller has made it LOADING, so it is the loop's.
static void start_read(struct source *s, struct block *b)
{
    assert(b->state == BLOCK_LOADING && b->bytes > 0 && b->bytes <= SOURCE_BLOCK_BYTES);
    s->n_window_reads += b != &s->head && b != &s->tail;
    b->filled = 0;
    b->op = (struct loader_op){.kind = LOADER_OP_READ,
                               .fd = s->fd,
                               .buffer = b->data,
                               .bytes = b->bytes,
                               .offset = b->offset,
                               .done = read_done};
    submit(s, &b->op);
}

static void load_more(struct source *s)
{
    while (s->n_window_reads < MAX_READS) {
        mutex_lock(&s->lock);
        bool is_over = s->error || s->is_canceled || s->is_closed;
        source_trim_window(s);
        struct block *b = is_over ? NULL : source_next_block(s);
        mutex_unlock(&s->lock);
        if (!b)
            return;
        if (!b->data)
            b->data = malloc(SOURCE_BLOCK_BYTES);
        if (b->data) {
            start_read(s, b);
            continue;
        }
        mutex_lock(&s->lock);
        b->state = BLOCK_FAILED;
        b->error = -ENOMEM;
        cond_broadcast(&s->changed);
        mutex_unlock(&s->lock);
        return;
    }
}

/// Publish the outcome of opening and tell the owner.
static void open_ended(struct source *s, int error)
{
    mutex_lock(&s->lock);
    s->is_open_known = true;
    s->open_error = error;
    s->is_calling = s->opened && !s->is_closed;
    bool is_calling = s->is_calling;
    cond_broadcast(&s->changed);
    mutex_unlock(&s->lock);
    if (!is_calling)
        return;
    s->opened(s->context);
    mutex_lock(&s->lock);
    s->is_calling = false;
    cond_broadcast(&s->changed);
    mutex_unlock(&s->lock);
}

static int kind_error(const struct statx *status)
{
    if (S_ISREG(status->stx_mode))
        return 0;
    return S_ISDIR(status->stx_mode) ? -EISDIR : -ESPIPE;
}

static void set_edge(struct block *b, uint64_t offset, uint64_t rest, size_t limit)
{
    b->offset = offset;
    b->bytes = rest < limit ? (size_t)rest : limit;
    b->data = b->bytes ? malloc(b->bytes) : NULL;
}

/// Learn what file it is and start to load its edges. The reader waits for the open's end so long.
static int start_edges(struct source *s, const struct statx *x)
{
    uint64_t size = x->stx_size;
    struct block head = {0}, tail = {0};
    set_edge(&head, 0, size, SOURCE_HEAD_BYTES);
    set_edge(&tail, 0, size - head.bytes, SOURCE_TAIL_BYTES);
    mutex_lock(&s->lock);
    s->identity = (struct file_identity){
        .device = makedev(x->stx_dev_major, x->stx_dev_minor), // as stat() has it
        .inode = x->stx_ino,
        .size_bytes = size,
        .mtime_ns = x->stx_mtime.tv_sec * 1000000000 + x->stx_mtime.tv_nsec,
        .ctime_ns = x->stx_ctime.tv_sec * 1000000000 + x->stx_ctime.tv_nsec,
    };
    s->head.data = head.data;
    s->head.bytes = head.bytes;
    s->tail.data = tail.data;
    s->tail.bytes = tail.bytes;
    s->tail.offset = size - tail.bytes;
    bool is_complete = (head.data || !head.bytes) && (tail.data || !tail.bytes);
    if (is_complete && head.bytes)
        s->head.state = BLOCK_LOADING;
    if (is_complete && tail.bytes)
        s->tail.state = BLOCK_LOADING;
    mutex_unlock(&s->lock);
    if (is_complete && head.bytes)
        start_read(s, &s->head);
    if (is_complete && tail.bytes)
        start_read(s, &s->tail);
    return is_complete ? 0 : -ENOMEM;
}

static void identified_done(struct loader_op *op)
{
    struct source *s = OWNER(struct source, op, op);
    int error = (int)op->result;
    if (!error)
        error = kind_error(&op->status);
    if (!error && !s->is_ending)
        error = start_edges(s, &op->status);
    open_ended(s, error);
    if (op_ended(s) && !error)
        load_more(s);
}

static void opened_done(struct loader_op *op)
{
    struct source *s = OWNER(struct source, op, op);
    int64_t result = op->result;
    if (result < 0)
        open_ended(s, (int)result);
    else
        s->fd = (int)result;
    if (!op_ended(s) || result < 0)
        return;
    *op = (struct loader_op){.kind = LOADER_OP_STAT_FD, .fd = s->fd, .done = identified_done};
    submit(s, op);
}

/// Opening a device can do things to it, so what it is is looked at first, and again once open.
static void looked_done(struct loader_op *op)
{
    struct source *s = OWNER(struct source, op, op);
    int error = (int)op->result;
    if (!error)
        error = kind_error(&op->status);
    if (error)
        open_ended(s, error);
    if (!op_ended(s) || error)
        return;
    *op = (struct loader_op){.kind = LOADER_OP_OPEN, .path = s->path, .done = opened_done};
    submit(s, op);
}

/// Take back what waits for its start: for good, or to queue it anew with another priority.
static void requeue(struct source *s, struct loader_op *op)
{
    if (loader_take_back(s->loader, op))
        return;
    if (s->is_ending)
        s->n_ops--;
    else
        loader_submit(s->loader, op, s->queue_priority);
}

static void requeue_all_locked(struct source *s) REQUIRES(s->lock);
static void requeue_all_locked(struct source *s)
{
    struct block *edges[] = {&s->head, &s->tail};
    requeue(s, &s->op);
    for (size_t i = 0; i < s->n_slots + 2; i++) {
        struct block *b = i < 2 ? edges[i] : &s->slots[i - 2];
        if (b->state == BLOCK_LOADING)
            requeue(s, &b->op);
    }
}

void source_loop_run(struct loader_task *task)
{
    struct source *s = OWNER(struct source, task, task);
    mutex_lock(&s->lock);
    bool is_open = s->is_open_known && !s->open_error;
    if (s->queue_priority != s->priority) {
        s->queue_priority = s->priority;
        requeue_all_locked(s);
    }
    mutex_unlock(&s->lock);
    if (!s->is_started) {
        s->is_started = true;
        s->op =
            (struct loader_op){.kind = LOADER_OP_STAT_PATH, .path = s->path, .done = looked_done};
        submit(s, &s->op);
    } else if (is_open) {
        load_more(s);
    }
}

void source_loop_close(struct loader_task *task)
{
    struct source *s = OWNER(struct source, close_task, task);
    s->is_ending = true;
    mutex_lock(&s->lock);
    requeue_all_locked(s);
    mutex_unlock(&s->lock);
    end_if_idle(s);
}
