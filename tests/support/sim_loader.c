// SPDX-License-Identifier: MIT
#include "support/sim_loader.h"
#include "io/bytes/loader_poll.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_IN_FLIGHT = 256, FIRST_FD = 1000000, BASE_LATENCY_NS = 100000 };

struct sim_backend {
    struct sim_loader *sim;
    struct loader_poll_set polls;
    struct loader_op_list canceled;
    struct {
        struct loader_op *op;
        int64_t due_ns;
    } pending[MAX_IN_FLIGHT];
    unsigned n_pending;
    uint64_t random;
    unsigned n_passing;
};

static struct sim_loader *next_sim;

void sim_loader_use(struct sim_loader *sim)
{
    next_sim = sim;
}

static uint64_t draw(struct sim_backend *b)
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return b->random;
}

static int sim_create(void **backend, const struct loader_config *config, unsigned *capacity)
{
    (void)config; // the simulation has its own
    struct sim_backend *b = calloc(1, sizeof *b);
    *backend = b;
    if (!b)
        return -ENOMEM;
    b->sim = next_sim;
    b->random = next_sim->seed * 2654435761u + 1;
    loader_poll_init(&b->polls);
    if (*capacity > MAX_IN_FLIGHT)
        *capacity = MAX_IN_FLIGHT;
    return 0;
}

static void sim_destroy(void *backend)
{
    struct sim_backend *b = backend;
    assert(b->n_pending == 0);
    loader_poll_deinit(&b->polls);
    free(b);
}

static struct sim_file *file_of(struct sim_backend *b, const struct loader_op *op)
{
    if (op->kind != LOADER_OP_STAT_PATH && op->kind != LOADER_OP_OPEN)
        return &b->sim->files[op->fd - FIRST_FD];
    for (size_t i = 0; i < b->sim->n_files; i++)
        if (strcmp(b->sim->files[i].path, op->path) == 0)
            return &b->sim->files[i];
    return NULL;
}

static int is_faulty(const struct sim_file *f, const struct loader_op *op)
{
    return op->kind == LOADER_OP_READ && op->offset < f->fault.to_byte &&
           op->offset + op->bytes > f->fault.from_byte;
}

static int sim_submit(void *backend, struct loader_op *op)
{
    struct sim_backend *b = backend;
    if (op->kind == LOADER_OP_POLL)
        return loader_poll_add(&b->polls, op);
    if (b->n_pending == MAX_IN_FLIGHT)
        return -EAGAIN;
    int64_t due_ns = atomic_load(&b->sim->clock_ns) + BASE_LATENCY_NS;
    if (b->sim->max_latency_ns)
        due_ns += (int64_t)(draw(b) % (uint64_t)b->sim->max_latency_ns);
    if (op->kind == LOADER_OP_READ) {
        unsigned n = atomic_fetch_add(&b->sim->n_reads, 1);
        if (n < sizeof b->sim->order / sizeof *b->sim->order)
            b->sim->order[n] = op->fd - FIRST_FD;
        if (op->bytes > atomic_load(&b->sim->max_read_bytes))
            atomic_store(&b->sim->max_read_bytes, op->bytes);
    }
    b->pending[b->n_pending].op = op;
    b->pending[b->n_pending++].due_ns = due_ns;
    if (b->n_pending > atomic_load(&b->sim->max_in_flight))
        atomic_store(&b->sim->max_in_flight, b->n_pending);
    return 0;
}

static void sim_cancel_poll(void *backend, struct loader_op *op)
{
    struct sim_backend *b = backend;
    loader_poll_remove(&b->polls, op);
    op->result = -ECANCELED;
    loader_op_list_push(&b->canceled, op);
}

static int64_t read_file(struct sim_backend *b, struct sim_file *f, struct loader_op *op)
{
    size_t cut = atomic_load(&f->cut_to_bytes), size = cut ? cut : f->bytes;
    if (op->offset >= size)
        return 0;
    size_t n = op->bytes < size - op->offset ? op->bytes : size - op->offset;
    if (n > 1 && draw(b) % 100 < b->sim->short_read_percent)
        n = 1 + draw(b) % (n - 1);
    memcpy(op->buffer, f->data + op->offset, n);
    return (int64_t)n;
}

static int64_t stat_file(struct sim_backend *b, struct sim_file *f, struct loader_op *op)
{
    size_t cut = atomic_load(&f->cut_to_bytes);
    memset(&op->status, 0, sizeof op->status);
    op->status.stx_mode = (uint16_t)(f->mode ? f->mode : S_IFREG);
    op->status.stx_size = cut ? cut : f->bytes;
    op->status.stx_ino = (uint64_t)(f - b->sim->files);
    return 0;
}

static int64_t perform(struct sim_backend *b, struct loader_op *op)
{
    struct sim_file *f = file_of(b, op);
    if (!f)
        return -ENOENT;
    if (op->kind != LOADER_OP_CLOSE && draw(b) % 100 < b->sim->passing_error_percent)
        return b->n_passing++ % 2 ? -EINTR : -EAGAIN;
    if (f->fault.error && is_faulty(f, op))
        return f->fault.error;
    switch (op->kind) {
    case LOADER_OP_STAT_PATH:
    case LOADER_OP_STAT_FD:
        return stat_file(b, f, op);
    case LOADER_OP_OPEN:
        atomic_fetch_add(&b->sim->n_open, 1);
        return FIRST_FD + (f - b->sim->files);
    case LOADER_OP_READ:
        return read_file(b, f, op);
    case LOADER_OP_CLOSE:
        atomic_fetch_sub(&b->sim->n_open, 1);
        return 0;
    case LOADER_OP_POLL:
        break;
    }
    return -EINVAL;
}

/// The operation that ends next; n_pending: none can.
static unsigned find_next(struct sim_backend *b)
{
    unsigned first = b->n_pending;
    for (unsigned i = 0; i < b->n_pending; i++) {
        struct loader_op *op = b->pending[i].op;
        if (op->kind == LOADER_OP_READ && atomic_load(&file_of(b, op)->is_held))
            continue;
        if (first == b->n_pending || b->pending[i].due_ns < b->pending[first].due_ns)
            first = i;
    }
    return first;
}

static int sim_wait(void *backend, int64_t deadline_ns, struct loader_op_list *completed)
{
    struct sim_backend *b = backend;
    unsigned next = find_next(b);
    bool has_news = next < b->n_pending || b->canceled.first;
    int error = loader_poll_wait(&b->polls, has_news ? 0 : deadline_ns, completed);
    for (struct loader_op *op; (op = loader_op_list_pop(&b->canceled));)
        loader_op_list_push(completed, op);
    if (next == b->n_pending)
        return error;
    struct loader_op *op = b->pending[next].op;
    if (b->pending[next].due_ns > atomic_load(&b->sim->clock_ns))
        atomic_store(&b->sim->clock_ns, b->pending[next].due_ns);
    b->pending[next] = b->pending[--b->n_pending];
    op->result = perform(b, op);
    loader_op_list_push(completed, op);
    return error;
}

const struct loader_ops sim_loader_ops = {
    .name = "simulated",
    .create = sim_create,
    .destroy = sim_destroy,
    .submit = sim_submit,
    .cancel_poll = sim_cancel_poll,
    .wait = sim_wait,
};
