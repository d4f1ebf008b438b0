// SPDX-License-Identifier: MIT
// A file in blocks: head and tail, which stay, and a window of 256 KiB blocks around the reader.
#include "io/source.h"
#include "dsp/mutex.h"
#include "io/loader_ops.h"
#include "io/loader_poll.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum {
    BLOCK_BYTES = 256 * 1024,
    MAX_READS = 4,  // of one source, in flight; the head's and the tail's come on top
    EXTRA_SLOTS = 2 // one block behind the reader, one that the window's end cuts
};
static const size_t default_window_bytes = 24u << 20;
static const size_t max_window_bytes = 64u << 20;

enum block_state { BLOCK_EMPTY, BLOCK_LOADING, BLOCK_READY, BLOCK_FAILED };

struct block {
    struct loader_op op; // loop thread
    struct source *source;
    // --- protected by the source's lock
    enum block_state state;
    uint64_t offset;
    size_t bytes;
    int error;
    // --- the loop's while LOADING, else under the lock
    size_t filled;
    unsigned char *data;
};

struct source {
    // --- immutable after open
    struct loader *loader;
    char *path;
    void (*opened)(void *context);
    void *context;
    struct loader_task task, close_task; // the second is posted last, and once
    struct mutex lock;                   // leaf
    // --- protected by lock
    struct cond changed; // predicates: is_open_known, a block's state, error, is_canceled
    struct file_identity identity;
    int open_error;
    int error; // sticky: -ESTALE
    bool is_open_known, is_canceled, is_closed, is_calling;
    enum loader_priority priority;
    size_t window_bytes;
    uint64_t position; // of the reader
    int64_t waited_ns;
    uint64_t loaded_bytes;
    struct block head, tail;
    struct block *slots;
    size_t n_slots;
    // --- loop thread only
    struct loader_op op; // opening and closing
    int fd;
    unsigned n_ops; // queued or under way
    unsigned n_window_reads;
    bool is_started, is_ending;
    enum loader_priority queue_priority; // as of the last task
};

#define OWNER(type, member, pointer) ((type *)((char *)(pointer)-offsetof(type, member)))

static void load_more(struct source *s);

static size_t slots_for(size_t window_bytes)
{
    return (window_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES + EXTRA_SLOTS;
}

static void free_source(struct source *s)
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

// --- On the loop ---------------------------------------------------------------------------------

static void closed_done(struct loader_op *op)
{
    free_source(OWNER(struct source, op, op));
}

/// Free the source once nothing of it is under way.
static void end_if_idle(struct source *s)
{
    if (s->n_ops > 0)
        return;
    if (s->fd < 0) {
        free_source(s);
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
    assert(b->state == BLOCK_LOADING && b->bytes > 0 && b->bytes <= BLOCK_BYTES);
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

static bool covers(const struct block *b, uint64_t offset)
{
    return b->state != BLOCK_EMPTY && offset >= b->offset && offset - b->offset < b->bytes;
}

static uint64_t window_start(const struct source *s)
{
    uint64_t index = s->position / BLOCK_BYTES;
    return (index ? index - 1 : 0) * BLOCK_BYTES;
}

static uint64_t window_end(const struct source *s)
{
    uint64_t end = s->position + s->window_bytes;
    return end < s->identity.size_bytes ? end : s->identity.size_bytes;
}

/// A slot for a new block: one with memory that is out of the window, else one without.
static struct block *free_slot_locked(struct source *s) REQUIRES(s->lock);
static struct block *free_slot_locked(struct source *s)
{
    struct block *bare = NULL;
    size_t n_filled = 0;
    for (size_t i = 0; i < s->n_slots; i++) {
        struct block *b = &s->slots[i];
        n_filled += b->data != NULL;
        if (b->state == BLOCK_LOADING)
            continue;
        if (!b->data)
            bare = bare ? bare : b;
        else if (b->state == BLOCK_EMPTY || b->state == BLOCK_FAILED)
            return b;
        else if (b->offset + b->bytes <= window_start(s) || b->offset >= window_end(s))
            return b;
    }
    return n_filled < slots_for(s->window_bytes) ? bare : NULL;
}

/// The next block that the window lacks, LOADING and without memory perhaps; NULL: none now.
static struct block *next_block_locked(struct source *s) REQUIRES(s->lock);
static struct block *next_block_locked(struct source *s)
{
    uint64_t size = s->identity.size_bytes;
    for (uint64_t at = s->position / BLOCK_BYTES * BLOCK_BYTES; at < window_end(s);
         at += BLOCK_BYTES) {
        uint64_t end = size - at < BLOCK_BYTES ? size : at + BLOCK_BYTES;
        bool is_there =
            (at >= s->tail.offset && s->tail.bytes) || s->head.bytes + s->tail.bytes == size;
        for (size_t i = 0; i < s->n_slots && !is_there; i++)
            is_there = covers(&s->slots[i], at);
        if (is_there)
            continue;
        struct block *b = free_slot_locked(s);
        if (!b)
            return NULL;
        b->state = BLOCK_LOADING;
        b->offset = at;
        b->bytes = (size_t)(end - at);
        return b;
    }
    return NULL;
}

/// Give back memory that a smaller window no longer needs.
static void trim_locked(struct source *s) REQUIRES(s->lock);
static void trim_locked(struct source *s)
{
    size_t n_filled = 0;
    for (size_t i = 0; i < s->n_slots; i++)
        n_filled += s->slots[i].data != NULL;
    for (size_t i = 0; i < s->n_slots && n_filled > slots_for(s->window_bytes); i++) {
        struct block *b = &s->slots[i];
        bool is_outside = b->offset + b->bytes <= window_start(s) || b->offset >= window_end(s);
        if (!b->data || b->state == BLOCK_LOADING || !is_outside)
            continue;
        free(b->data);
        b->data = NULL;
        b->state = BLOCK_EMPTY;
        n_filled--;
    }
}

static void load_more(struct source *s)
{
    while (s->n_window_reads < MAX_READS) {
        mutex_lock(&s->lock);
        bool is_over = s->error || s->is_canceled || s->is_closed;
        trim_locked(s);
        struct block *b = is_over ? NULL : next_block_locked(s);
        mutex_unlock(&s->lock);
        if (!b)
            return;
        if (!b->data)
            b->data = malloc(BLOCK_BYTES);
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

static void task_run(struct loader_task *task)
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

static void close_task_run(struct loader_task *task)
{
    struct source *s = OWNER(struct source, close_task, task);
    s->is_ending = true;
    mutex_lock(&s->lock);
    requeue_all_locked(s);
    mutex_unlock(&s->lock);
    end_if_idle(s);
}

// --- For the other threads -----------------------------------------------------------------------

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
    s->n_slots = slots_for(max_window_bytes);
    s->slots = calloc(s->n_slots, sizeof *s->slots);
    s->path = strdup(config->path);
    if (s->slots && s->path)
        return s;
    free_source(s);
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
    s->task.fn = task_run;
    s->close_task.fn = close_task_run;
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

static struct block *find_locked(struct source *s, uint64_t offset) REQUIRES(s->lock);
static struct block *find_locked(struct source *s, uint64_t offset)
{
    struct block *loading = NULL;
    struct block *edges[] = {&s->head, &s->tail};
    for (size_t i = 0; i < s->n_slots + 2; i++) {
        struct block *b = i < 2 ? edges[i] : &s->slots[i - 2];
        if (!covers(b, offset))
            continue;
        if (b->state == BLOCK_READY)
            return b;
        loading = b;
    }
    return loading;
}

/// Move the window to where the reader is. @return whether the loop has to know.
static bool move_locked(struct source *s, uint64_t offset) REQUIRES(s->lock);
static bool move_locked(struct source *s, uint64_t offset)
{
    // Ogg and MP3 look at the file's end when opened; the window stays where the playing is.
    if (s->tail.bytes && offset >= s->tail.offset)
        return false;
    bool is_moved = offset / BLOCK_BYTES != s->position / BLOCK_BYTES;
    s->position = offset;
    return is_moved;
}

/// Copy what one block has. @return bytes, or -errno; -EAGAIN: not there yet.
static int64_t copy_locked(struct source *s, unsigned char *to, uint64_t offset, size_t bytes)
    REQUIRES(s->lock);
static int64_t copy_locked(struct source *s, unsigned char *to, uint64_t offset, size_t bytes)
{
    struct block *b = find_locked(s, offset);
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
        bool is_moved = move_locked(s, offset + done);
        int64_t n = copy_locked(s, to + done, offset + done, bytes - done);
        if (n < 0 && n != -EAGAIN)
            return n;
        if (n > 0)
            done += (size_t)n;
        if (is_moved || (n == -EAGAIN && !find_locked(s, offset + done))) {
            mutex_unlock(&s->lock);
            loader_post(s->loader, &s->task);
            mutex_lock(&s->lock);
        }
        while (n == -EAGAIN && !s->is_canceled && !s->error) {
            struct block *b = find_locked(s, offset + done);
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
    for (struct block *b; (b = find_locked(source, at)) && b->state == BLOCK_READY;)
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
