// SPDX-License-Identifier: MIT
// Between the loader's dispatch and its back ends: operations, and the table each back end fills.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/loader.h"
#include <linux/stat.h> // struct statx, whatever feature macros are set
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum loader_op_kind {
    LOADER_OP_STAT_PATH, // follows symbolic links
    LOADER_OP_STAT_FD,
    LOADER_OP_OPEN, // read only, never blocks on a FIFO; an ordinary descriptor
    LOADER_OP_READ,
    LOADER_OP_CLOSE,
    LOADER_OP_POLL, // until fd is readable; once
};

/// One operation, owned by who submits it and untouched by him until done() is called.
struct loader_op {
    // --- set by the submitter
    enum loader_op_kind kind;
    int fd;
    const char *path;
    void *buffer;
    size_t bytes;
    uint64_t offset;
    struct statx status;                // result of the STAT kinds
    void (*done)(struct loader_op *op); // on the loop; may submit again
    // --- set by the back end
    int64_t result; // as the system call's, or -errno
    // --- dispatch only
    enum loader_priority priority;
    unsigned retries;
    struct loader_op *next, *previous;
};

/// A list of operations, first in first out. All zeros: empty.
struct loader_op_list {
    struct loader_op *first, *last;
};

void loader_op_list_push(struct loader_op_list *list, struct loader_op *op);
void loader_op_list_push_front(struct loader_op_list *list, struct loader_op *op);
void loader_op_list_remove(struct loader_op_list *list, struct loader_op *op);
/// @return the first, removed; NULL: empty.
struct loader_op *loader_op_list_pop(struct loader_op_list *list);
/// Do `op` (not a POLL) by system calls here and now; sets op->result.
void loader_op_execute(struct loader_op *op);

/// A back end. All functions run on the loop thread but create and destroy.
struct loader_ops {
    const char *name;
    /// @return 0 or -errno; on error *backend is NULL. *capacity (in: operations wanted in flight)
    /// becomes what the back end can have in flight; polls come on top.
    int (*create)(void **backend, const struct loader_config *config, unsigned *capacity);
    /// No operation is under way any more, but polls.
    void (*destroy)(void *backend);
    /// Start. @return 0; -EAGAIN: no room now; other errors fail the operation.
    int (*submit)(void *backend, struct loader_op *op);
    /// End a poll under way; it completes with -ECANCELED, or with what just happened.
    void (*cancel_poll)(void *backend, struct loader_op *op);
    /// Wait until something completes or CLOCK_MONOTONIC reads deadline_ns; append what completed.
    /// @return 0 or -errno: the loop is broken.
    int (*wait)(void *backend, int64_t deadline_ns, struct loader_op_list *completed);
};

extern const struct loader_ops loader_uring_ops, loader_threads_ops, loader_sync_ops;

/// loader_create() with a given back end, for tests. `config` is passed on to it.
MUST_CHECK int loader_create_with(struct loader **out, const struct loader_ops *ops,
                                  const struct loader_config *config);

/// Work handed to the loop; embedded in its owner. Zero `queued` before first use.
struct loader_task {
    void (*fn)(struct loader_task *task);
    struct loader_task *next; // under the loader's lock, as is queued
    int queued;
};
/// Run task->fn on the loop soon, once, however often posted before. Any thread.
void loader_post(struct loader *loader, struct loader_task *task);
/// Queue `op`; never calls done() from within. Loop thread.
void loader_submit(struct loader *loader, struct loader_op *op, enum loader_priority priority);
/// Take back `op` if it has not been started. @return 0: taken back, done() will not be called;
/// -EBUSY: under way. Loop thread.
MUST_CHECK int loader_take_back(struct loader *loader, struct loader_op *op);
