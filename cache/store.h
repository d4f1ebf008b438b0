// SPDX-License-Identifier: MIT
// One shard's records: LRU order, exact or lazy, expiry by age and idleness, bytes.
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
    enum lru_order order;    // exact with an idle limit: its end is the most idle
};

/// Thread-safety: None; the shard's lock protects it. Time never goes back between two calls.
/// Nothing is freed in it: what is removed is added to the list `removed` for store_free_removed(),
/// which belongs outside the lock.
struct store {
    // --- protected by the shard's lock; up to the lru's mask in one line with it: all that a hit
    // needs of the store
    int64_t carefree_ns; // the age below which a record has not expired by any rule and its use
                         // need not be noted for one: 0 with an idle limit
    uint64_t hits;
    struct lru lru;                    // its end is evicted, and in the exact order the most idle
    struct list newest;                // by insertion, the latest first: its end is the oldest
    struct analysis_cache_stats stats; // all but hits and what is in flight
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

/// The common case of store_acquire(): `home` is lru_home() of the hash. @return NULL on a miss, and
/// where a record needs a closer look.
static inline struct record *store_hit(struct store *store, const struct lru_slot *home,
                                       uint64_t hash, const struct analysis_cache_key *key,
                                       int64_t now_ns)
{
    const struct lru_slot *slot = lru_find(home, hash, key);
    if (!slot || now_ns - slot->inserted_ns >= store->carefree_ns)
        return NULL;
    lru_use(&store->lru, slot);
    ++store->hits;
    return record_ref(slot->record);
}
/// Find a record, note its use and count a hit. Removes it if it has expired.
/// @return a new reference, or NULL; a miss is the caller's to count.
struct record *store_acquire(struct store *store, uint64_t hash,
                             const struct analysis_cache_key *key, int64_t now_ns,
                             struct list *removed);
/// Find a record and change nothing. @return the store's reference, or NULL.
struct record *store_peek(const struct store *store, uint64_t hash,
                          const struct analysis_cache_key *key, int64_t now_ns);
/// Remove all that has expired.
void store_expire(struct store *store, int64_t now_ns, struct list *removed);
/// Remove the record with this key, to make place for a newer one.
void store_replace(struct store *store, uint64_t hash, const struct analysis_cache_key *key,
                   struct list *removed);
/// Evict until `bytes` are taken from the budget or nothing is left. @return 1 if taken, else 0.
int store_make_room(struct store *store, size_t bytes, struct list *removed);
/// Take `entry`, whose bytes the caller took from the budget, as the most recently used. No other
/// with its key may be there: store_replace().
void store_insert(struct store *store, struct entry *entry, int64_t now_ns, struct list *removed);
/// Remove all in `scope`. @return how many.
size_t store_invalidate(struct store *store, const struct scope *scope, struct list *removed);
/// Free what was removed and leave the list empty.
void store_free_removed(struct list *removed);
