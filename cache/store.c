// SPDX-License-Identifier: MIT
#include "cache/store.h"
#include <assert.h>

int store_init(struct store *store, const struct store_limits *limits, struct budget *budget)
{
    assert(limits->ttl_ns >= 0 && limits->idle_ns >= 0);
    *store = (struct store){
        .most_entries = limits->entries,
        .carefree_ns = limits->idle_ns  ? 0
                       : limits->ttl_ns ? limits->ttl_ns
                                        : INT64_MAX,
        .ttl_ns = limits->ttl_ns ? limits->ttl_ns : INT64_MAX,
        .idle_ns = limits->idle_ns ? limits->idle_ns : INT64_MAX,
        .budget = budget,
    };
    list_init(&store->newest);
    return lru_init(&store->lru, limits->entries);
}

static void remove_entry(struct store *store, struct entry *entry, struct entry **removed)
{
    assert(store->stats.entries > 0 && store->stats.bytes >= entry->bytes);
    lru_remove(&store->lru, entry);
    list_remove(&entry->age);
    --store->stats.entries;
    store->stats.bytes -= entry->bytes;
    budget_give(store->budget, entry->bytes);
    entry->next_removed = *removed;
    *removed = entry;
}

void store_deinit(struct store *store)
{
    // A store that was never initialised is all zero.
    struct entry *removed = NULL;
    if (store->lru.nodes) {
        const struct scope everything = scope_all();
        store_invalidate(store, &everything, &removed);
    }
    entry_destroy_all(&removed);
    lru_deinit(&store->lru);
}

static int has_expired(const struct store *store, const struct lru_node *node, int64_t now_ns)
{
    return now_ns - node->inserted_ns >= store->ttl_ns ||
           (store->idle_ns != INT64_MAX && now_ns - node->entry->used_ns >= store->idle_ns);
}

int store_revive(struct store *store, struct lru_node *node, int64_t now_ns, struct entry **removed)
{
    if (has_expired(store, node, now_ns)) {
        remove_entry(store, node->entry, removed);
        ++store->stats.expirations;
        return 0;
    }
    node->entry->used_ns = now_ns;
    return 1;
}

struct record *store_peek(const struct store *store, uint64_t hash,
                          const struct analysis_cache_key *key, int64_t now_ns)
{
    const struct lru_node *node = lru_find(&store->lru, hash, key);
    return node && !has_expired(store, node, now_ns) ? node->record : NULL;
}

/// @return 1 if `last` had expired and was removed, else 0.
static int expire_one(struct store *store, struct entry *last, int64_t now_ns,
                      struct entry **removed)
{
    if (!has_expired(store, &store->lru.nodes[last->node], now_ns))
        return 0;
    remove_entry(store, last, removed);
    ++store->stats.expirations;
    return 1;
}

void store_expire(struct store *store, int64_t now_ns, struct entry **removed)
{
    // Time does not go back, so each order ends with what expires first by its rule.
    while (
        !list_is_empty(&store->newest) &&
        expire_one(store, LIST_ENTRY(store->newest.previous, struct entry, age), now_ns, removed))
        ;
    while (!lru_is_empty(&store->lru) &&
           expire_one(store, lru_oldest(&store->lru), now_ns, removed))
        ;
}

static void evict_least_recent(struct store *store, struct entry **removed)
{
    remove_entry(store, lru_oldest(&store->lru), removed);
    ++store->stats.evictions;
}

void store_replace(struct store *store, uint64_t hash, const struct analysis_cache_key *key,
                   struct entry **removed)
{
    struct lru_node *node = lru_find(&store->lru, hash, key);
    if (!node)
        return;
    remove_entry(store, node->entry, removed);
    ++store->stats.replacements;
}

int store_make_room(struct store *store, size_t bytes, struct entry **removed)
{
    while (!budget_take(store->budget, bytes)) {
        if (lru_is_empty(&store->lru))
            return 0;
        evict_least_recent(store, removed);
    }
    return 1;
}

void store_insert(struct store *store, struct entry *entry, int64_t now_ns, struct entry **removed)
{
    assert(entry->record && store->most_entries > 0);
    while (store->stats.entries >= store->most_entries)
        evict_least_recent(store, removed);
    lru_add(&store->lru, entry, now_ns);
    list_add_first(&store->newest, &entry->age);
    entry->used_ns = now_ns;
    ++store->stats.entries;
    ++store->stats.insertions;
    store->stats.bytes += entry->bytes;
}

size_t store_invalidate(struct store *store, const struct scope *scope, struct entry **removed)
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
