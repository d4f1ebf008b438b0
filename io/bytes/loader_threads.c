// SPDX-License-Identifier: MIT
// Back end on a pool of threads that make plain system calls; the loop waits in ppoll().
#include "dsp/mutex.h"
#include "io/bytes/loader_ops.h"
#include "io/bytes/loader_poll.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { DEFAULT_THREADS = 8, MAX_THREADS = 64 };

struct pool {
    // --- immutable after create
    int done_fd; // eventfd: `done` has become non-empty
    unsigned n_threads;
    pthread_t threads[MAX_THREADS];
    struct mutex lock; // leaf
    // --- protected by lock
    struct cond work_ready; // predicate: waiting is not empty || stopping
    struct loader_op_list waiting, done;
    bool stopping;
    // --- loop thread only
    struct loader_poll_set polls;
    struct loader_op_list canceled;
    struct loader_op done_poll;
    bool done_poll_armed;
};

static void pool_serve_locked(struct pool *p) REQUIRES(p->lock);
static void pool_serve_locked(struct pool *p)
{
    struct loader_op *op = loader_op_list_pop(&p->waiting);
    mutex_unlock(&p->lock);
    loader_op_execute(op);
    mutex_lock(&p->lock);
    bool first = !p->done.first;
    loader_op_list_push(&p->done, op);
    // An eventfd write fails only where its counter is full, and then the loop is awake anyway.
    if (first && eventfd_write(p->done_fd, 1))
        assert(errno == EAGAIN);
}

static void *pool_run(void *argument)
{
    struct pool *p = argument;
    mutex_lock(&p->lock);
    for (;;) {
        while (!p->waiting.first && !p->stopping)
            cond_wait(&p->work_ready, &p->lock);
        if (!p->waiting.first)
            break;
        pool_serve_locked(p);
    }
    mutex_unlock(&p->lock);
    return NULL;
}

static void threads_destroy(void *backend)
{
    struct pool *p = backend;
    mutex_lock(&p->lock);
    p->stopping = true;
    cond_broadcast(&p->work_ready);
    mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    if (p->done_fd >= 0)
        close(p->done_fd);
    loader_poll_deinit(&p->polls);
    cond_deinit(&p->work_ready);
    mutex_deinit(&p->lock);
    free(p);
}

static int start_threads(struct pool *p, unsigned wanted)
{
    while (p->n_threads < wanted) {
        int error = pthread_create(&p->threads[p->n_threads], NULL, pool_run, p);
        if (error)
            return p->n_threads ? 0 : -error; // fewer will do
        char name[16];
        snprintf(name, sizeof name, "segue-load-%u", p->n_threads);
        pthread_setname_np(p->threads[p->n_threads++], name);
    }
    return 0;
}

static int threads_create(void **backend, const struct loader_config *config, unsigned *capacity)
{
    struct pool *p = calloc(1, sizeof *p);
    *backend = NULL;
    if (!p)
        return -ENOMEM;
    int error = mutex_init(&p->lock);
    if (error) {
        free(p);
        return error;
    }
    error = cond_init(&p->work_ready);
    if (error) {
        mutex_deinit(&p->lock);
        free(p);
        return error;
    }
    loader_poll_init(&p->polls);
    p->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->done_fd < 0)
        error = -errno;
    unsigned wanted = config->threads ? config->threads : DEFAULT_THREADS;
    if (!error)
        error = start_threads(p, wanted < MAX_THREADS ? wanted : MAX_THREADS);
    if (error) {
        threads_destroy(p);
        return error;
    }
    p->done_poll = (struct loader_op){.kind = LOADER_OP_POLL, .fd = p->done_fd};
    // More than one read a thread would wait in the pool, where priorities no longer reach it.
    if (*capacity > p->n_threads)
        *capacity = p->n_threads;
    *backend = p;
    return 0;
}

static int threads_submit(void *backend, struct loader_op *op)
{
    struct pool *p = backend;
    if (op->kind == LOADER_OP_POLL)
        return loader_poll_add(&p->polls, op);
    mutex_lock(&p->lock);
    loader_op_list_push(&p->waiting, op);
    cond_signal(&p->work_ready);
    mutex_unlock(&p->lock);
    return 0;
}

static void threads_cancel_poll(void *backend, struct loader_op *op)
{
    struct pool *p = backend;
    loader_poll_remove(&p->polls, op);
    op->result = -ECANCELED;
    loader_op_list_push(&p->canceled, op);
}

static void collect_done(struct pool *p, struct loader_op_list *completed)
{
    eventfd_t count;
    if (eventfd_read(p->done_fd, &count))
        assert(errno == EAGAIN); // not signalled
    mutex_lock(&p->lock);
    for (struct loader_op *op; (op = loader_op_list_pop(&p->done));)
        loader_op_list_push(completed, op);
    mutex_unlock(&p->lock);
}

static int threads_wait(void *backend, int64_t deadline_ns, struct loader_op_list *completed)
{
    struct pool *p = backend;
    if (!p->done_poll_armed) {
        int error = loader_poll_add(&p->polls, &p->done_poll);
        if (error)
            return error;
        p->done_poll_armed = true;
    }
    struct loader_op_list ready = {0};
    int error = loader_poll_wait(&p->polls, p->canceled.first ? 0 : deadline_ns, &ready);
    for (struct loader_op *op; (op = loader_op_list_pop(&ready));) {
        if (op == &p->done_poll)
            p->done_poll_armed = false;
        else
            loader_op_list_push(completed, op);
    }
    for (struct loader_op *op; (op = loader_op_list_pop(&p->canceled));)
        loader_op_list_push(completed, op);
    collect_done(p, completed);
    return error;
}

const struct loader_ops loader_threads_ops = {
    .name = "threads",
    .create = threads_create,
    .destroy = threads_destroy,
    .submit = threads_submit,
    .cancel_poll = threads_cancel_poll,
    .wait = threads_wait,
};
