// SPDX-License-Identifier: MIT
#include "dsp/history.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Spare elements: the kept ones move to the front once in so many, so that one-frame blocks stay cheap. More of them
// would only make a line longer than the caches like: a chain has twenty.
enum { SPARE = HISTORY_PIECE };

int history_init(struct history *history, size_t element_bytes, uint32_t keep)
{
    history->element_bytes = element_bytes;
    history->keep = keep;
    history->capacity = keep + SPARE;
    history->end = keep;
    history->bytes = calloc((size_t)history->capacity + HISTORY_SLACK, element_bytes);
    return history->bytes ? 0 : -ENOMEM;
}

void history_deinit(struct history *history)
{
    free(history->bytes);
    history->bytes = NULL;
}

void history_fill(struct history *history, const void *element)
{
    history->end = history->keep;
    for (uint32_t i = 0; i < history->keep; ++i)
        memcpy(history->bytes + i * history->element_bytes, element, history->element_bytes);
}

void *history_grow(struct history *history, uint32_t count)
{
    assert(count <= HISTORY_PIECE);
    const size_t element = history->element_bytes;
    if (history->end + count > history->capacity) {
        memmove(history->bytes, history->bytes + (history->end - history->keep) * element,
                history->keep * element);
        history->end = history->keep;
    }
    unsigned char *added = history->bytes + history->end * element;
    history->end += count;
    return added;
}
