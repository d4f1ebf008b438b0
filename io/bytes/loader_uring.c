// SPDX-License-Identifier: MIT
// Back end on one io_uring, owned by the loop thread.
// Direct descriptors are not used: statx, which guards against files that change, cannot take them.
// Registered buffers are not used: for buffered reads of 256 KiB the copy out of the page cache is
// the cost, not the pinning, and they would count against the memory lock limit.
#include "io/bytes/loader_ops.h"
#include "io/bytes/loader_poll.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

// Reads in flight from which on a read is handed to a kernel worker at once: the copy of the first
// few is cheaper here, of many it is better spread than done by the loop alone.
enum { ASYNC_FROM_READS = 4, SPARE_ENTRIES = 32 };

struct uring_backend {
    // --- loop thread only, after create
    struct io_uring ring;
    bool enabled; // the thread that enables the ring is its one issuer
    unsigned n_reads;
    struct loader_op_list under_way; // polls not among them
    unsigned max_workers;
};

static int init_ring(struct io_uring *ring, unsigned entries)
{
    static const unsigned flags[] = {
        IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        IORING_SETUP_R_DISABLED,
    };
    int error = -EINVAL; // what a kernel before 6.1 says to the first set
    for (size_t i = 0; i < sizeof flags / sizeof *flags && error == -EINVAL; i++)
        error = io_uring_queue_init(entries, ring, flags[i]);
    return error;
}

static int check_operations(struct io_uring *ring)
{
    static const int needed[] = {IORING_OP_OPENAT, IORING_OP_STATX,    IORING_OP_READ,
                                 IORING_OP_CLOSE,  IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL};
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    if (!probe)
        return -ENOSYS;
    int error = ring->features & IORING_FEAT_EXT_ARG ? 0 : -ENOSYS;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!io_uring_opcode_supported(probe, needed[i]))
            error = -ENOSYS;
    io_uring_free_probe(probe);
    return error;
}

static int uring_create(void **backend, const struct loader_config *config, unsigned *capacity)
{
    (void)config; // the depth comes as *capacity
    *backend = NULL;
    struct uring_backend *u = calloc(1, sizeof *u);
    if (!u)
        return -ENOMEM;
    int error = init_ring(&u->ring, *capacity + SPARE_ENTRIES);
    if (error) {
        free(u);
        return error;
    }
    error = check_operations(&u->ring);
    if (error) {
        io_uring_queue_exit(&u->ring);
        free(u);
        return error;
    }
    u->max_workers = *capacity;
    *backend = u;
    return 0;
}

static void uring_destroy(void *backend)
{
    struct uring_backend *u = backend;
    io_uring_queue_exit(&u->ring);
    free(u);
}

static int enable(struct uring_backend *u)
{
    // liburing 2.3 declares io_uring_enable_rings() but its library lacks it.
    if (syscall(SYS_io_uring_register, u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0)
        return -errno;
    // One stuck network mount must not hold every worker: as many as there can be operations.
    // Where this is refused the kernel's own limit stands, and all works, only less independently.
    unsigned workers[2] = {u->max_workers, u->max_workers};
    (void)io_uring_register_iowq_max_workers(&u->ring, workers);
    u->enabled = true;
    return 0;
}

static struct io_uring_sqe *next_entry(struct uring_backend *u)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&u->ring);
    if (entry || !u->enabled)
        return entry;
    if (io_uring_submit(&u->ring) < 0)
        return NULL;
    return io_uring_get_sqe(&u->ring);
}

static void prepare_read(struct uring_backend *u, struct io_uring_sqe *entry, struct loader_op *op)
{
    io_uring_prep_read(entry, op->fd, op->buffer, (unsigned)op->bytes, op->offset);
    if (op->priority ==
        LOADER_SCAN) // where the disk's scheduler keeps classes, playback's reads pass these
        entry->ioprio = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0);
    if (u->n_reads++ >= ASYNC_FROM_READS)
        entry->flags |= IOSQE_ASYNC;
}

static int uring_submit(void *backend, struct loader_op *op)
{
    struct uring_backend *u = backend;
    struct io_uring_sqe *entry = next_entry(u);
    if (!entry)
        return -EAGAIN;
    switch (op->kind) {
    case LOADER_OP_STAT_PATH:
        io_uring_prep_statx(entry, AT_FDCWD, op->path, 0, STATX_BASIC_STATS, &op->status);
        break;
    case LOADER_OP_STAT_FD:
        io_uring_prep_statx(entry, op->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &op->status);
        break;
    case LOADER_OP_OPEN:
        io_uring_prep_openat(entry, AT_FDCWD, op->path,
                             O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
        break;
    case LOADER_OP_READ:
        prepare_read(u, entry, op);
        break;
    case LOADER_OP_CLOSE:
        io_uring_prep_close(entry, op->fd);
        break;
    case LOADER_OP_POLL:
        io_uring_prep_poll_add(entry, op->fd, POLLIN);
        break;
    }
    io_uring_sqe_set_data(entry, op);
    if (op->kind != LOADER_OP_POLL)
        loader_op_list_push(&u->under_way, op);
    return 0;
}

static void uring_cancel_poll(void *backend, struct loader_op *op)
{
    struct uring_backend *u = backend;
    struct io_uring_sqe *entry = next_entry(u);
    if (!entry)
        return; // the poll then ends when its descriptor next becomes readable, or with the ring
    io_uring_prep_cancel(entry, op, 0);
    io_uring_sqe_set_data(entry, NULL);
}

static void reap(struct uring_backend *u, struct loader_op_list *completed)
{
    struct io_uring_cqe *completion;
    unsigned head, n = 0;
    io_uring_for_each_cqe(&u->ring, head, completion)
    {
        n++;
        struct loader_op *op = io_uring_cqe_get_data(completion);
        if (!op)
            continue;
        op->result = completion->res;
        if (op->kind != LOADER_OP_POLL)
            loader_op_list_remove(&u->under_way, op);
        if (op->kind == LOADER_OP_READ)
            u->n_reads--;
        loader_op_list_push(completed, op);
    }
    io_uring_cq_advance(&u->ring, n);
}

static int uring_wait(void *backend, int64_t deadline_ns, struct loader_op_list *completed)
{
    struct uring_backend *u = backend;
    int error = u->enabled ? 0 : enable(u);
    if (error)
        return error;
    int64_t left_ns = deadline_ns ? deadline_ns - loader_now_ns() : 0;
    if (left_ns < 0)
        left_ns = 0;
    struct __kernel_timespec timeout = {.tv_sec = left_ns / 1000000000,
                                        .tv_nsec = left_ns % 1000000000};
    struct io_uring_cqe *first;
    error = io_uring_submit_and_wait_timeout(&u->ring, &first, 1,
                                             deadline_ns == INT64_MAX ? NULL : &timeout, NULL);
    reap(u, completed);
    // EBUSY and EAGAIN: too much is under way; what has completed makes room.
    if (error >= 0 || error == -ETIME || error == -EINTR || error == -EBUSY || error == -EAGAIN)
        return 0;
    // The loop thread has ended (EEXIST), and when a thread ends the kernel waits for what it had
    // under way; completions that did not reach the ring are made up for.
    for (struct loader_op *op; error == -EEXIST && (op = loader_op_list_pop(&u->under_way));) {
        op->result = -ECANCELED;
        loader_op_list_push(completed, op);
    }
    return error;
}

const struct loader_ops loader_uring_ops = {
    .name = "io_uring",
    .create = uring_create,
    .destroy = uring_destroy,
    .submit = uring_submit,
    .cancel_poll = uring_cancel_poll,
    .wait = uring_wait,
};
