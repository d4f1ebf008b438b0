// SPDX-License-Identifier: MIT
// What analysis_cache*.c share. All locking of shards is in those files: what the others remove from
// a shard is freed, and callbacks are made, after its lock is released; memory is allocated and the
// clock read before it is taken.
#pragma once
#include "cache/analysis_cache.h"
#include "cache/key_hash.h"
#include "cache/shard.h"
#include "cache/tick_clock.h"

struct analysis_cache {
    // --- immutable after creation
    struct shard *shards;
    unsigned n_shards;
    unsigned shard_mask; // n_shards - 1, and n_shards a power of two
    size_t capacity_entries;
    // --- atomic: see tick_clock.h and budget.h
    struct tick_clock clock;
    struct budget budget;
    // --- atomic: raised by an invalidation before it takes any shard's lock. Under a shard's lock
    // an insertion reads it relaxed, since the lock orders them: one that still reads the old number
    // has the lock before the invalidation, which then removes what was inserted. Whoever is about
    // to read a lower tier acquires it, so that with the new number comes what was changed below.
    _Atomic uint64_t generation;
};

static inline uint64_t hash_of(const struct analysis_cache_key *key)
{
    return key_hash(key->bytes, key->size);
}

static inline struct shard *shard_of(const struct analysis_cache *cache, uint64_t hash)
{
    return &cache->shards[hash >> 32 & cache->shard_mask];
}

/// What was taken out of a shard under its lock, to be freed outside.
struct garbage {
    struct list entries;
    struct failure *failures;
};

static inline void garbage_init(struct garbage *garbage)
{
    list_init(&garbage->entries);
    garbage->failures = NULL;
}

static inline void garbage_free(struct garbage *garbage)
{
    store_free_removed(&garbage->entries);
    failure_destroy_all(&garbage->failures);
}

/// A record on its way into a shard's store, and what may forbid it.
struct insertion {
    struct entry *entry;   // owned until it is kept
    struct flight *flight; // that made it, or NULL
    uint64_t generation;   // where there is no flight
    int has_room;          // its bytes are taken from the budget
};

/// Keep `in`'s record if that may be, and end its flight, if any, in the same instant. Frees what of
/// `in` is not kept. @return 0; -ESTALE; -EFBIG: no room for it.
int insertion_keep(struct analysis_cache *cache, struct shard *shard, struct insertion *in,
                   struct record *record);
