// SPDX-License-Identifier: MIT
#include "cache/record.h"
#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum { NOBODY = -1 };

struct record {
    // --- atomic: changed by every holder. A new reference is made from one already held, so taking
    // one needs no order; giving one back releases this holder's reads, and the last giver acquires
    // them all before it frees.
    atomic_long others; // references beyond one, so that the sign of a sum tells all
    // --- immutable after creation
    size_t bytes;
    // --- written by the creator before publication, immutable after it
    alignas(max_align_t) unsigned char data[];
};

struct record *record_create(size_t bytes)
{
    if (bytes > SIZE_MAX - sizeof(struct record))
        return NULL;
    struct record *record = calloc(1, sizeof(*record) + bytes);
    if (!record)
        return NULL;
    atomic_init(&record->others, 0);
    record->bytes = bytes;
    return record;
}

struct record *record_ref(struct record *record)
{
    const long others = atomic_fetch_add_explicit(&record->others, 1, memory_order_relaxed);
    assert(others != NOBODY);
    (void)others; // read by the assertion alone
    return record;
}

static void destroy(struct record *record)
{
    assert(atomic_load_explicit(&record->others, memory_order_relaxed) == NOBODY);
    free(record);
}

void record_unref(struct record **record)
{
    struct record *mine = *record;
    *record = NULL;
    if (!mine)
        return;
    const long others = atomic_fetch_sub_explicit(&mine->others, 1, memory_order_acq_rel) - 1;
    if (others < 0)
        destroy(mine);
}

void *record_data_mutable(struct record *record)
{
    assert(atomic_load_explicit(&record->others, memory_order_relaxed) == 0);
    return record->data;
}

const void *record_data(const struct record *record)
{
    return record->data;
}

size_t record_bytes(const struct record *record)
{
    return record->bytes;
}

size_t record_footprint_bytes(const struct record *record)
{
    return sizeof(*record) + record->bytes;
}
