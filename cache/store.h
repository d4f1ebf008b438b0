// SPDX-License-Identifier: MIT
// One shard's records: exact LRU order, expiry by age and idleness, bytes.
#pragma once
#include "cache/analysis_cache.h"
#include "cache/budget.h"
#include "cache/entry.h"
#include "cache/list.h"
#include "cache/lru.h"
#include "cache/scope.h"

struct store_limits {
    size_t entries;
    int64_t ttl_ns, idle_ns; // 0: never
};

/// Thread-safety: None; the shard's lock protects it. Time never goes back between two calls.
/// Nothing is freed in it: what is removed is chained to *removed for entry_destroy_all(), which
/// belongs outside the lock.
struct store {
    // --- protected by the shard's lock, and with it in one line: what a hit reads and writes
    struct lru lru;      // its end is evicted, and is the most idle
    int64_t carefree_ns; // the age below which a record has not expired by any rule and its use
                         // need not be noted for one: 0 with an idle limit
    struct analysis_cache_stats stats; // all but what is in flight; the hits come first
    struct list newest;                // by insertion, the latest first: its end is the oldest
    // --- immutable after store_init()
    int64_t ttl_ns, idle_ns; // INT64_MAX: never
    size_t most_entries;
    struct budget *budget; // not owned
};

/// @return 0; -ENOMEM, and then store_deinit() is fine.
MUST_CHECK int store_init(struct store *store, const struct store_limits *limits,
                          struct budget *budget);
/// Frees the entries too.
void store_deinit(struct store *store);

/// The rest of store_acquire(), for a record that is not carefree: remove it if it has expired, or
/// note its use. @return 1 if it lives, else 0.
int store_revive(struct store *store, struct lru_node *node, int64_t now_ns,
                 struct entry **removed);

/// Find a record, make it the most recently used and count a hit. Removes it if it has expired.
/// @return a new reference, or NULL; a miss is the caller's to count.
static inline struct record *store_acquire(struct store *store, uint64_t hash,
                                           const struct analysis_cache_key *key, int64_t now_ns,
                                           struct entry **removed)
{
    struct lru_node *node = lru_find(&store->lru, hash, key);
    if (!node)
        return NULL;
    if (__builtin_expect(now_ns - node->inserted_ns >= store->carefree_ns, 0) &&
        !store_revive(store, node, now_ns, removed))
        return NULL;
    lru_promote(&store->lru, node);
    ++store->stats.hits;
    return record_ref(node->record);
}

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
