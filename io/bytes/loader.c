// SPDX-License-Identifier: MIT
// Dispatch: what is started next, what happens on the loop, and which back end does the work.
#include "io/bytes/loader.h"
#include "dsp/mutex.h"
#include "io/bytes/loader_ops.h"
#include "io/bytes/loader_poll.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    DEFAULT_DEPTH = 64,
    MAX_DEPTH = 1024,
    // A read interrupted or refused for the moment is started again, but not for ever.
    MAX_RETRIES = 1000,
};

struct watch {
    struct loader_op op;
    void (*fn)(void *context); // NULL: to be freed once the poll has ended
    void *context;
    struct watch *next;
};

struct loader {
    // --- immutable after create
    const struct loader_ops *ops;
    void *backend;
    unsigned capacity;
    int wake_fd;
    char *reason; // NULL or reason_text
    char reason_text[96];
    struct mutex lock; // leaf
    // --- protected by lock
    struct loader_task *first_task, *last_task;
    // --- loop thread only
    struct loader_op_list queued[LOADER_PRIORITIES];
    unsigned n_under_way; // polls not counted
    struct watch *watches;
    struct loader_op wake_op;
    bool is_wake_armed;
};

/// Whether to start the operation again: these say nothing about the file.
static bool is_passing(int64_t result)
{
    return result == -EINTR || result == -EAGAIN;
}

static int pick_backend(struct loader *l, const struct loader_config *config)
{
    static const struct loader_ops *const table[] = {
        [LOADER_AUTO] = &loader_uring_ops,
        [LOADER_URING] = &loader_uring_ops,
        [LOADER_THREADS] = &loader_threads_ops,
        [LOADER_SYNCHRONOUS] = &loader_sync_ops,
    };
    l->ops = table[config->backend];
    unsigned depth = l->capacity;
    int error = l->ops->create(&l->backend, config, &l->capacity);
    if (!error || config->backend != LOADER_AUTO)
        return error;
    const char *cause = "not available";
    if (error == -EPERM || error == -EACCES)
        cause = "forbidden by the system";
    else if (error == -ENOSYS)
        cause = "not in this kernel, or forbidden";
    else if (error == -ENOMEM)
        cause = "not enough memory, or the memory lock limit is reached";
    snprintf(l->reason_text, sizeof l->reason_text, "%s (%s)", cause, strerrorname_np(-error));
    l->reason = l->reason_text;
    l->capacity = depth;
    l->ops = &loader_threads_ops;
    error = l->ops->create(&l->backend, config, &l->capacity);
    if (!error)
        return 0;
    l->capacity = depth;
    l->ops = &loader_sync_ops;
    return l->ops->create(&l->backend, config, &l->capacity);
}

static void wake_done(struct loader_op *op)
{
    struct loader *l = (struct loader *)((char *)op - offsetof(struct loader, wake_op));
    eventfd_t count;
    if (eventfd_read(l->wake_fd, &count))
        assert(errno == EAGAIN); // the poll ended for another reason
    l->is_wake_armed = false;
}

static int create(struct loader **out, const struct loader_ops *ops,
                  const struct loader_config *config)
{
    *out = NULL;
    struct loader *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    int error = mutex_init(&l->lock);
    if (error) {
        free(l);
        return error;
    }
    unsigned depth = config->depth ? config->depth : DEFAULT_DEPTH;
    l->capacity = depth < MAX_DEPTH ? depth : MAX_DEPTH;
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake_fd < 0)
        error = -errno;
    l->wake_op = (struct loader_op){.kind = LOADER_OP_POLL, .fd = l->wake_fd, .done = wake_done};
    l->ops = ops;
    if (!error)
        error = ops ? ops->create(&l->backend, config, &l->capacity) : pick_backend(l, config);
    if (error) {
        loader_destroy(&l);
        return error;
    }
    assert(l->capacity > 0);
    *out = l;
    return 0;
}

int loader_create(struct loader **out, const struct loader_config *config)
{
    assert(config->backend >= LOADER_AUTO && config->backend <= LOADER_SYNCHRONOUS);
    return create(out, NULL, config);
}

int loader_create_with(struct loader **out, const struct loader_ops *ops,
                       const struct loader_config *config)
{
    assert(ops);
    return create(out, ops, config);
}

const char *loader_backend_name(const struct loader *loader)
{
    return loader->ops->name;
}

const char *loader_fallback_reason(const struct loader *loader)
{
    return loader->reason;
}

void loader_wake(struct loader *loader)
{
    // Fails only where the counter is full, and then the loop is about to wake anyway.
    if (eventfd_write(loader->wake_fd, 1))
        assert(errno == EAGAIN);
}

void loader_post(struct loader *loader, struct loader_task *task)
{
    mutex_lock(&loader->lock);
    if (!task->queued) {
        task->queued = 1;
        task->next = NULL;
        if (loader->last_task)
            loader->last_task->next = task;
        else
            loader->first_task = task;
        loader->last_task = task;
    }
    // Within the lock: once it is released the task may run, and its owner end the loader.
    loader_wake(loader);
    mutex_unlock(&loader->lock);
}

static struct loader_task *next_task(struct loader *l)
{
    mutex_lock(&l->lock);
    struct loader_task *task = l->first_task;
    if (task) {
        l->first_task = task->next;
        if (!l->first_task)
            l->last_task = NULL;
        task->queued = 0;
    }
    mutex_unlock(&l->lock);
    return task;
}

static void run_tasks(struct loader *l)
{
    for (struct loader_task *task; (task = next_task(l));)
        task->fn(task);
}

void loader_submit(struct loader *loader, struct loader_op *op, enum loader_priority priority)
{
    assert(op->kind != LOADER_OP_POLL && op->done);
    assert(priority >= 0 && priority < LOADER_PRIORITIES);
    op->priority = priority;
    op->retries = 0;
    loader_op_list_push(&loader->queued[priority], op);
}

int loader_take_back(struct loader *loader, struct loader_op *op)
{
    for (struct loader_op *o = loader->queued[op->priority].first; o; o = o->next) {
        if (o != op)
            continue;
        loader_op_list_remove(&loader->queued[op->priority], op);
        return 0;
    }
    return -EBUSY;
}

/// What reads of a priority may fill. A quarter is kept for the track that plays and the next one,
/// so that prefetch and scans cannot hold it all, even where their reads hang.
static unsigned limit_of(const struct loader *l, enum loader_priority priority)
{
    if (priority < LOADER_PREFETCH || l->capacity < 4)
        return l->capacity;
    return l->capacity - l->capacity / 4;
}

/// Start what there is room for. Failures complete at once, into `completed`.
static void start_queued(struct loader *l, struct loader_op_list *completed)
{
    for (int priority = 0; priority < LOADER_PRIORITIES; priority++) {
        while (l->queued[priority].first &&
               l->n_under_way < limit_of(l, (enum loader_priority)priority)) {
            struct loader_op *op = loader_op_list_pop(&l->queued[priority]);
            int error = l->ops->submit(l->backend, op);
            if (error == -EAGAIN) {
                loader_op_list_push_front(&l->queued[priority], op);
                return;
            }
            l->n_under_way++;
            if (error) {
                op->result = error;
                loader_op_list_push(completed, op);
            }
        }
    }
}

static void finish(struct loader *l, struct loader_op *op)
{
    if (op->kind != LOADER_OP_POLL) {
        assert(l->n_under_way > 0);
        l->n_under_way--;
        // One request may be refused where the ring as a whole works (a file system, a filter).
        if (op->result == -EOPNOTSUPP && op->kind != LOADER_OP_READ)
            loader_op_execute(op);
        if (is_passing(op->result) && op->kind != LOADER_OP_CLOSE && op->retries++ < MAX_RETRIES) {
            loader_op_list_push_front(&l->queued[op->priority], op);
            return;
        }
    }
    op->done(op);
}

static void watch_done(struct loader_op *op)
{
    struct watch *w = (struct watch *)((char *)op - offsetof(struct watch, op));
    op->fd = -1; // not armed
    if (w->fn)
        w->fn(w->context);
}

/// Arm what is to be watched and is not, free what is no longer.
static int tend_watches(struct loader *l)
{
    if (!l->is_wake_armed) {
        int error = l->ops->submit(l->backend, &l->wake_op);
        if (error && error != -EAGAIN)
            return error;
        l->is_wake_armed = !error;
    }
    for (struct watch **w = &l->watches; *w;) {
        struct watch *watch = *w;
        if (watch->op.fd < 0 && !watch->fn) {
            *w = watch->next;
            free(watch);
            continue;
        }
        w = &watch->next;
        if (watch->op.fd >= 0)
            continue;
        watch->op.fd = (int)watch->op.offset;
        int error = l->ops->submit(l->backend, &watch->op);
        if (error)
            watch->op.fd = -1;
        if (error && error != -EAGAIN)
            return error;
    }
    return 0;
}

int loader_watch(struct loader *loader, int fd, void (*fn)(void *context), void *context)
{
    assert(fd >= 0);
    struct watch *w = loader->watches;
    while (w && !(w->fn && w->op.offset == (uint64_t)fd))
        w = w->next;
    if (w && fn) {
        w->fn = fn;
        w->context = context;
        return 0;
    }
    if (w) {
        w->fn = NULL;
        if (w->op.fd >= 0)
            loader->ops->cancel_poll(loader->backend, &w->op);
        return 0;
    }
    if (!fn)
        return -ENOENT;
    w = calloc(1, sizeof *w);
    if (!w)
        return -ENOMEM;
    *w = (struct watch){.fn = fn, .context = context, .next = loader->watches};
    // The descriptor to arm stands in offset, fd says whether it is armed.
    w->op = (struct loader_op){
        .kind = LOADER_OP_POLL, .fd = -1, .offset = (uint64_t)fd, .done = watch_done};
    loader->watches = w;
    return 0;
}

int loader_run_once(struct loader *loader, int64_t deadline_ns)
{
    assert(deadline_ns >= 0);
    run_tasks(loader);
    int error = tend_watches(loader);
    if (error)
        return error;
    struct loader_op_list completed = {0};
    start_queued(loader, &completed);
    error = loader->ops->wait(loader->backend, completed.first ? 0 : deadline_ns, &completed);
    for (struct loader_op *op; (op = loader_op_list_pop(&completed));)
        finish(loader, op);
    run_tasks(loader);
    return error;
}

static bool has_queued(struct loader *l)
{
    for (int priority = 0; priority < LOADER_PRIORITIES; priority++)
        if (l->queued[priority].first)
            return true;
    return false;
}

/// Do what is left without the back end: it belongs to a thread that has ended, and with it the
/// kernel has ended all that was under way.
static void drain_here(struct loader *l)
{
    run_tasks(l);
    for (int priority = 0; priority < LOADER_PRIORITIES; priority++) {
        for (struct loader_op *op; (op = loader_op_list_pop(&l->queued[priority]));) {
            loader_op_execute(op);
            op->done(op);
            priority = 0; // what it submitted may be of any priority
        }
    }
}

static void drain(struct loader *l)
{
    struct loader_op_list completed = {0};
    int error = l->ops->wait(l->backend, 0, &completed);
    for (struct loader_op *op; (op = loader_op_list_pop(&completed));)
        finish(l, op);
    run_tasks(l);
    while (!error && (l->n_under_way > 0 || has_queued(l)))
        error = loader_run_once(l, INT64_MAX);
    if (error)
        drain_here(l);
}

void loader_destroy(struct loader **loader)
{
    struct loader *l = *loader;
    *loader = NULL;
    if (!l)
        return;
    // Closed sources end here: what they still read is waited for, their descriptors are closed.
    if (l->backend) {
        drain(l);
        l->ops->destroy(l->backend);
    }
    while (l->watches) {
        struct watch *w = l->watches;
        l->watches = w->next;
        free(w);
    }
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    mutex_deinit(&l->lock);
    free(l);
}
