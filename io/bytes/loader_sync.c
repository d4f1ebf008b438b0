// SPDX-License-Identifier: MIT
// Back end that does everything inside wait(), one operation at a time.
#include "io/bytes/loader_ops.h"
#include "io/bytes/loader_poll.h"
#include <errno.h>
#include <stdlib.h>

struct sync_backend {
    struct loader_poll_set polls;
    struct loader_op_list waiting;
};

static int sync_create(void **backend, const struct loader_config *config, unsigned *capacity)
{
    (void)config; // it has nothing to configure
    struct sync_backend *s = calloc(1, sizeof *s);
    *backend = s;
    if (!s)
        return -ENOMEM;
    loader_poll_init(&s->polls);
    *capacity = 1;
    return 0;
}

static void sync_destroy(void *backend)
{
    struct sync_backend *s = backend;
    loader_poll_deinit(&s->polls);
    free(s);
}

static int sync_submit(void *backend, struct loader_op *op)
{
    struct sync_backend *s = backend;
    if (op->kind == LOADER_OP_POLL)
        return loader_poll_add(&s->polls, op);
    loader_op_list_push(&s->waiting, op);
    return 0;
}

static void sync_cancel_poll(void *backend, struct loader_op *op)
{
    struct sync_backend *s = backend;
    loader_poll_remove(&s->polls, op);
    op->result = -ECANCELED;
    loader_op_list_push(&s->waiting, op);
}

static int sync_wait(void *backend, int64_t deadline_ns, struct loader_op_list *completed)
{
    struct sync_backend *s = backend;
    if (s->waiting.first)
        deadline_ns = 0;
    for (struct loader_op *op; (op = loader_op_list_pop(&s->waiting));) {
        if (op->kind != LOADER_OP_POLL)
            loader_op_execute(op);
        loader_op_list_push(completed, op);
    }
    return loader_poll_wait(&s->polls, deadline_ns, completed);
}

const struct loader_ops loader_sync_ops = {
    .name = "synchronous",
    .create = sync_create,
    .destroy = sync_destroy,
    .submit = sync_submit,
    .cancel_poll = sync_cancel_poll,
    .wait = sync_wait,
};
