// SPDX-License-Identifier: MIT
#include "cache/store.h"
#include <assert.h>

int store_init(struct store *store, const struct store_limits *limits, struct budget *budget)
{
    assert(limits->ttl_ns >= 0 && limits->idle_ns >= 0);
    assert(limits->order == LRU_EXACT || !limits->idle_ns);
    *store = (struct store){
        .most_entries = limits->entries,
        .ttl_ns = limits->ttl_ns ? limits->ttl_ns : INT64_MAX,
        .idle_ns = limits->idle_ns ? limits->idle_ns : INT64_MAX,
        .budget = budget,
    };
    store->carefree_ns = limits->idle_ns ? 0 : store->ttl_ns;
    list_init(&store->newest);
    return lru_init(&store->lru, limits->entries, limits->order);
}

static void remove_entry(struct store *store, struct entry *entry, struct list *removed)
{
    assert(store->stats.entries > 0 && store->stats.bytes >= entry->bytes);
    lru_remove(&store->lru, entry);
    list_remove(&entry->age);
    --store->stats.entries;
    store->stats.bytes -= entry->bytes;
    budget_give(store->budget, entry->bytes);
    list_add_first(removed, &entry->age);
}

void store_deinit(struct store *store)
{
    // A store that was never initialised is all zero.
    struct list removed;
    list_init(&removed);
    if (store->lru.slots) {
        const struct scope everything = scope_all();
        store_invalidate(store, &everything, &removed);
    }
    store_free_removed(&removed);
    lru_deinit(&store->lru);
}

static int has_expired(const struct store *store, const struct entry *entry, int64_t now_ns)
{
    return now_ns - entry->inserted_ns >= store->ttl_ns ||
           (store->idle_ns != INT64_MAX && now_ns - entry->used_ns >= store->idle_ns);
}

static const struct lru_slot *find(const struct store *store, uint64_t hash,
                                   const struct analysis_cache_key *key)
{
    return lru_find(lru_home(&store->lru, hash), hash, key);
}

struct record *store_acquire(struct store *store, uint64_t hash,
                             const struct analysis_cache_key *key, int64_t now_ns,
                             struct list *removed)
{
    const struct lru_slot *slot = find(store, hash, key);
    if (!slot)
        return NULL;
    struct entry *entry = slot->entry;
    if (has_expired(store, entry, now_ns)) {
        remove_entry(store, entry, removed);
        ++store->stats.expirations;
        return NULL;
    }
    lru_use(&store->lru, slot);
    entry->used_ns = now_ns;
    ++store->hits;
    return record_ref(entry->record);
}

struct record *store_peek(const struct store *store, uint64_t hash,
                          const struct analysis_cache_key *key, int64_t now_ns)
{
    const struct lru_slot *slot = find(store, hash, key);
    return slot && !has_expired(store, slot->entry, now_ns) ? slot->record : NULL;
}

/// @return 1 if `last` had expired and was removed, else 0.
static int expire_one(struct store *store, struct entry *last, int64_t now_ns, struct list *removed)
{
    if (!has_expired(store, last, now_ns))
        return 0;
    remove_entry(store, last, removed);
    ++store->stats.expirations;
    return 1;
}

void store_expire(struct store *store, int64_t now_ns, struct list *removed)
{
    // Time does not go back, so each order ends with what expires first by its rule.
    while (
        !list_is_empty(&store->newest) &&
        expire_one(store, LIST_ENTRY(store->newest.previous, struct entry, age), now_ns, removed))
        ;
    while (store->idle_ns != INT64_MAX && store->stats.entries > 0 &&
           expire_one(store, lru_oldest(&store->lru), now_ns, removed))
        ;
}

static void evict_one(struct store *store, struct list *removed)
{
    remove_entry(store, lru_oldest(&store->lru), removed);
    ++store->stats.evictions;
}

void store_replace(struct store *store, uint64_t hash, const struct analysis_cache_key *key,
                   struct list *removed)
{
    const struct lru_slot *slot = find(store, hash, key);
    if (!slot)
        return;
    remove_entry(store, slot->entry, removed);
    ++store->stats.replacements;
}

int store_make_room(struct store *store, size_t bytes, struct list *removed)
{
    while (!budget_take(store->budget, bytes)) {
        if (store->stats.entries == 0)
            return 0;
        evict_one(store, removed);
    }
    return 1;
}

void store_insert(struct store *store, struct entry *entry, int64_t now_ns, struct list *removed)
{
    assert(entry->record && store->most_entries > 0);
    while (store->stats.entries >= store->most_entries)
        evict_one(store, removed);
    entry->inserted_ns = entry->used_ns = now_ns;
    lru_add(&store->lru, entry);
    list_add_first(&store->newest, &entry->age);
    ++store->stats.entries;
    ++store->stats.insertions;
    store->stats.bytes += entry->bytes;
}

size_t store_invalidate(struct store *store, const struct scope *scope, struct list *removed)
{
    size_t count = 0;
    for (struct list *at = store->newest.next, *next; at != &store->newest; at = next) {
        next = at->next;
        struct entry *entry = LIST_ENTRY(at, struct entry, age);
        if (!scope_has(scope, entry_path(entry)))
            continue;
        remove_entry(store, entry, removed);
        ++count;
    }
    store->stats.invalidations += count;
    return count;
}

void store_free_removed(struct list *removed)
{
    while (!list_is_empty(removed)) {
        struct entry *entry = LIST_ENTRY(removed->next, struct entry, age);
        list_remove(&entry->age);
        entry_destroy(&entry);
    }
}
