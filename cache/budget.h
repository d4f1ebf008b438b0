// SPDX-License-Identifier: MIT
// A limit on bytes that all shards share.
#pragma once
#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/// Thread-safety: Safe.
struct budget {
    // --- immutable after creation
    size_t limit_bytes;
    // --- atomic: changed by whoever inserts or removes. Relaxed: it counts, and orders nothing
    // else; what is counted is published by the shards' locks.
    atomic_size_t used_bytes;
};

static inline void budget_init(struct budget *budget, size_t limit_bytes)
{
    budget->limit_bytes = limit_bytes ? limit_bytes : SIZE_MAX;
    atomic_init(&budget->used_bytes, 0);
}

/// Take `bytes` if that many are left: the limit is never passed, not for a moment.
/// @return 1 if taken, 0 if not.
static inline int budget_take(struct budget *budget, size_t bytes)
{
    size_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
    do {
        if (bytes > budget->limit_bytes - used)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(&budget->used_bytes, &used, used + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return 1;
}

static inline void budget_give(struct budget *budget, size_t bytes)
{
    const size_t before =
        atomic_fetch_sub_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
    assert(before >= bytes);
    (void)before; // read by the assertion alone
}
