// SPDX-License-Identifier: MIT
#include "io/bytes/loader_ops.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void loader_op_list_push(struct loader_op_list *list, struct loader_op *op)
{
    op->next = NULL;
    op->previous = list->last;
    if (list->last)
        list->last->next = op;
    else
        list->first = op;
    list->last = op;
}

void loader_op_list_push_front(struct loader_op_list *list, struct loader_op *op)
{
    op->previous = NULL;
    op->next = list->first;
    if (list->first)
        list->first->previous = op;
    else
        list->last = op;
    list->first = op;
}

void loader_op_list_remove(struct loader_op_list *list, struct loader_op *op)
{
    assert(op->previous ? op->previous->next == op : list->first == op);
    if (op->previous)
        op->previous->next = op->next;
    else
        list->first = op->next;
    if (op->next)
        op->next->previous = op->previous;
    else
        list->last = op->previous;
    op->next = op->previous = NULL;
}

struct loader_op *loader_op_list_pop(struct loader_op_list *list)
{
    struct loader_op *op = list->first;
    if (op)
        loader_op_list_remove(list, op);
    return op;
}

static int64_t perform(struct loader_op *op)
{
    switch (op->kind) {
    case LOADER_OP_STAT_PATH:
        return statx(AT_FDCWD, op->path, 0, STATX_BASIC_STATS, &op->status);
    case LOADER_OP_STAT_FD:
        return statx(op->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &op->status);
    case LOADER_OP_OPEN:
        return open(op->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    case LOADER_OP_READ:
        return pread(op->fd, op->buffer, op->bytes, (off_t)op->offset);
    case LOADER_OP_CLOSE:
        return close(op->fd);
    case LOADER_OP_POLL:
        break;
    }
    assert(op->kind != LOADER_OP_POLL); // a poll is not executed
    errno = EINVAL;
    return -1;
}

void loader_op_execute(struct loader_op *op)
{
    int64_t result = perform(op);
    op->result = result < 0 ? -errno : result;
}
