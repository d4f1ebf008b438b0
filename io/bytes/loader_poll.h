// SPDX-License-Identifier: MIT
// The poll operations of a back end without a ring: a set of them, waited for with ppoll().
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/loader_ops.h"
#include <poll.h>

/// Thread-safety: loop thread only.
struct loader_poll_set {
    struct loader_op_list ops;
    struct pollfd *entries;
    size_t n_ops, capacity;
};

void loader_poll_init(struct loader_poll_set *set);
void loader_poll_deinit(struct loader_poll_set *set);
/// @return 0 or -ENOMEM.
MUST_CHECK int loader_poll_add(struct loader_poll_set *set, struct loader_op *op);
void loader_poll_remove(struct loader_poll_set *set, struct loader_op *op);
/// Wait until one is readable or CLOCK_MONOTONIC reads deadline_ns (0: look, do not wait); append
/// what is. @return 0 or -errno.
MUST_CHECK int loader_poll_wait(struct loader_poll_set *set, int64_t deadline_ns,
                                struct loader_op_list *completed);
/// CLOCK_MONOTONIC in nanoseconds.
int64_t loader_now_ns(void);
