// SPDX-License-Identifier: MIT
#include "io/bytes/loader_poll.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

int64_t loader_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void loader_poll_init(struct loader_poll_set *set)
{
    *set = (struct loader_poll_set){0};
}

void loader_poll_deinit(struct loader_poll_set *set)
{
    free(set->entries);
    *set = (struct loader_poll_set){0};
}

int loader_poll_add(struct loader_poll_set *set, struct loader_op *op)
{
    assert(op->kind == LOADER_OP_POLL);
    if (set->n_ops == set->capacity) {
        size_t capacity = set->capacity ? 2 * set->capacity : 8;
        struct pollfd *entries = realloc(set->entries, capacity * sizeof *entries);
        if (!entries)
            return -ENOMEM;
        set->entries = entries;
        set->capacity = capacity;
    }
    loader_op_list_push(&set->ops, op);
    set->n_ops++;
    return 0;
}

void loader_poll_remove(struct loader_poll_set *set, struct loader_op *op)
{
    assert(set->n_ops > 0);
    loader_op_list_remove(&set->ops, op);
    set->n_ops--;
}

int loader_poll_wait(struct loader_poll_set *set, int64_t deadline_ns,
                     struct loader_op_list *completed)
{
    size_t n = 0;
    for (struct loader_op *op = set->ops.first; op; op = op->next)
        set->entries[n++] = (struct pollfd){.fd = op->fd, .events = POLLIN};
    int64_t left_ns = deadline_ns ? deadline_ns - loader_now_ns() : 0;
    if (left_ns < 0)
        left_ns = 0;
    struct timespec timeout = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
    int ready = ppoll(set->entries, n, deadline_ns == INT64_MAX ? NULL : &timeout, NULL);
    if (ready < 0)
        return errno == EINTR ? 0 : -errno;
    n = 0;
    for (struct loader_op *op = set->ops.first, *next; op; op = next) {
        next = op->next;
        short events = set->entries[n++].revents;
        if (!events)
            continue;
        loader_poll_remove(set, op);
        op->result = events;
        loader_op_list_push(completed, op);
    }
    return 0;
}
