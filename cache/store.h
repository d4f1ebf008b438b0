// SPDX-License-Identifier: MIT
// One shard's records: exact LRU order, expiry by age and idleness, bytes.
#pragma once
#include "cache/analysis_cache.h"
#include "cache/budget.h"
#include "cache/key_table.h"
#include "cache/list.h"
#include "cache/scope.h"
#include <stdalign.h>

enum { STORE_LINE_BYTES = 64 };

/// A kept record, or one still to come: whoever asks for an extraction makes its entry first, so
/// that publishing needs no memory. Owned by the store while it is in it.
///
/// What a hit reads fills one cache line, the key comes right after it, and what only insertion and
/// removal need stands in front: with 100,000 entries a hit is mostly a wait for memory.
struct entry {
    struct list age; // in store.newest
    int64_t used_ns; // meaningful with an idle limit alone
    size_t bytes;    // of the entry, its key, its path and its record
    alignas(STORE_LINE_BYTES) struct key_node node;
    struct list use; // in store.recent
    struct record *record;
    int64_t inserted_ns;
    unsigned char key[];
};

/// @return an entry without a record; NULL without memory.
MUST_CHECK struct entry *entry_create(const struct analysis_cache_key *key, uint64_t hash);
/// Give the entry its record: a new reference.
void entry_set_record(struct entry *entry, struct record *record);
/// Free it and those chained to it, and set *entry to NULL. NULL is fine.
void entry_destroy_all(struct entry **entry);

struct store_limits {
    size_t entries;
    int64_t ttl_ns, idle_ns; // 0: never
};

/// Thread-safety: None; the shard's lock protects it. Time never goes back between two calls.
/// Nothing is freed in it: what is removed is chained to *removed for entry_destroy_all(), which
/// belongs outside the lock.
struct store {
    // --- immutable after store_init()
    size_t most_entries;
    int64_t ttl_ns, idle_ns; // INT64_MAX: never
    struct budget *budget;   // not owned
    // --- protected by the shard's lock
    struct key_table table;
    struct list recent; // by last use, the latest first: its end is evicted, and is the most idle
    struct list newest; // by insertion, the latest first: its end is the oldest
    struct analysis_cache_stats stats; // all but what is in flight
};

/// @return 0; -ENOMEM, and then store_deinit() is fine.
MUST_CHECK int store_init(struct store *store, const struct store_limits *limits,
                          struct budget *budget);
/// Frees the entries too.
void store_deinit(struct store *store);

/// Ask for the memory where a look-up will begin. Needs no lock: the buckets stay where they are.
static inline void store_prefetch(const struct store *store, uint64_t hash)
{
    __builtin_prefetch(&store->table.buckets[hash & store->table.mask]);
}
/// Find a record, make it the most recently used and count a hit. Removes it if it has expired.
/// @return a new reference, or NULL; a miss is the caller's to count.
struct record *store_acquire(struct store *store, uint64_t hash,
                             const struct analysis_cache_key *key, int64_t now_ns,
                             struct entry **removed);
/// Find a record and change nothing. @return the store's reference, or NULL.
struct record *store_peek(const struct store *store, uint64_t hash,
                          const struct analysis_cache_key *key, int64_t now_ns);
/// Remove all that has expired.
void store_expire(struct store *store, int64_t now_ns, struct entry **removed);
/// Remove the record with this key, to make place for a newer one.
void store_replace(struct store *store, uint64_t hash, const struct analysis_cache_key *key,
                   struct entry **removed);
/// Evict until `bytes` are taken from the budget or nothing is left. @return 1 if taken, else 0.
int store_make_room(struct store *store, size_t bytes, struct entry **removed);
/// Take `entry`, whose bytes the caller took from the budget, as the most recently used. No other
/// with its key may be there: store_replace().
void store_insert(struct store *store, struct entry *entry, int64_t now_ns, struct entry **removed);
/// Remove all in `scope`. @return how many.
size_t store_invalidate(struct store *store, const struct scope *scope, struct entry **removed);
