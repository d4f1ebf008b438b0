// SPDX-License-Identifier: MIT
#include "cache/record.h"
#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

struct record {
    // --- atomic: changed by every holder. A new reference is made from one already held, so taking
    // one needs no order; giving one back releases this holder's reads, and the last giver acquires
    // them all before it frees.
    atomic_size_t references;
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
    atomic_init(&record->references, 1);
    record->bytes = bytes;
    return record;
}

struct record *record_ref(struct record *record)
{
    assert(record);
    const size_t before = atomic_fetch_add_explicit(&record->references, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before; // read by the assertion alone
    return record;
}

void record_unref(struct record **record)
{
    struct record *mine = *record;
    *record = NULL;
    if (!mine)
        return;
    const size_t before = atomic_fetch_sub_explicit(&mine->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1)
        free(mine);
}

void *record_data_mutable(struct record *record)
{
    assert(atomic_load_explicit(&record->references, memory_order_relaxed) == 1);
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
