// SPDX-License-Identifier: MIT
#include "cache/store.h"
#include <assert.h>
#include <stdlib.h>

struct entry *entry_create(const struct analysis_cache_key *key, uint64_t hash)
{
    // Whole lines, as aligned_alloc() wants it.
    const size_t lines =
        (sizeof(struct entry) + key_copy_bytes(key) + STORE_LINE_BYTES - 1) / STORE_LINE_BYTES;
    const size_t bytes = lines * STORE_LINE_BYTES;
    struct entry *entry = aligned_alloc(STORE_LINE_BYTES, bytes);
    if (!entry)
        return NULL;
    *entry = (struct entry){.bytes = bytes};
    key_node_init(&entry->node, entry->key, key, hash);
    list_init(&entry->use);
    list_init(&entry->age);
    return entry;
}

void entry_set_record(struct entry *entry, struct record *record)
{
    assert(!entry->record);
    entry->record = record_ref(record);
    entry->bytes += record_footprint_bytes(record);
}

void entry_destroy_all(struct entry **entry)
{
    struct entry *next = *entry;
    *entry = NULL;
    while (next) {
        struct entry *mine = next;
        next = mine->node.chain ? LIST_ENTRY(mine->node.chain, struct entry, node) : NULL;
        record_unref(&mine->record);
        free(mine);
    }
}

int store_init(struct store *store, const struct store_limits *limits, struct budget *budget)
{
    assert(limits->ttl_ns >= 0 && limits->idle_ns >= 0);
    *store = (struct store){
        .most_entries = limits->entries,
        .ttl_ns = limits->ttl_ns ? limits->ttl_ns : INT64_MAX,
        .idle_ns = limits->idle_ns ? limits->idle_ns : INT64_MAX,
        .budget = budget,
    };
    list_init(&store->recent);
    list_init(&store->newest);
    return key_table_init(&store->table, limits->entries);
}

static void remove_entry(struct store *store, struct entry *entry, struct entry **removed)
{
    assert(store->stats.entries > 0 && store->stats.bytes >= entry->bytes);
    key_table_remove(&store->table, &entry->node);
    list_remove(&entry->use);
    list_remove(&entry->age);
    --store->stats.entries;
    store->stats.bytes -= entry->bytes;
    budget_give(store->budget, entry->bytes);
    entry->node.chain = *removed ? &(*removed)->node : NULL;
    *removed = entry;
}

void store_deinit(struct store *store)
{
    // A store that was never initialised is all zero.
    struct entry *removed = NULL;
    if (store->table.buckets) {
        const struct scope everything = scope_all();
        store_invalidate(store, &everything, &removed);
    }
    entry_destroy_all(&removed);
    key_table_deinit(&store->table);
}

static int has_expired(const struct store *store, const struct entry *entry, int64_t now_ns)
{
    return now_ns - entry->inserted_ns >= store->ttl_ns ||
           (store->idle_ns != INT64_MAX && now_ns - entry->used_ns >= store->idle_ns);
}

static struct entry *find(const struct store *store, uint64_t hash,
                          const struct analysis_cache_key *key)
{
    struct key_node *node = key_table_find(&store->table, hash, key->bytes, key->size);
    return node ? LIST_ENTRY(node, struct entry, node) : NULL;
}

/// As find(), but asks for the lines that a hit goes on to write while the key is still compared:
/// taking a reference is a locked instruction, which would wait for them one after the other.
static struct entry *find_to_use(const struct store *store, uint64_t hash,
                                 const struct analysis_cache_key *key)
{
    struct key_node *node = store->table.buckets[hash & store->table.mask];
    for (; node; node = node->chain) {
        if (node->hash != hash)
            continue;
        struct entry *entry = LIST_ENTRY(node, struct entry, node);
        __builtin_prefetch(entry->record, 1);
        __builtin_prefetch(entry->use.previous, 1);
        __builtin_prefetch(entry->use.next, 1);
        if (node->key_bytes == key->size && memcmp(node->key, key->bytes, key->size) == 0)
            return entry;
    }
    return NULL;
}

struct record *store_acquire(struct store *store, uint64_t hash,
                             const struct analysis_cache_key *key, int64_t now_ns,
                             struct entry **removed)
{
    struct entry *entry = find_to_use(store, hash, key);
    if (!entry)
        return NULL;
    if (__builtin_expect(has_expired(store, entry, now_ns), 0)) {
        remove_entry(store, entry, removed);
        ++store->stats.expirations;
        return NULL;
    }
    list_move_first(&store->recent, &entry->use);
    if (store->idle_ns != INT64_MAX)
        entry->used_ns = now_ns;
    ++store->stats.hits;
    return record_ref(entry->record);
}

struct record *store_peek(const struct store *store, uint64_t hash,
                          const struct analysis_cache_key *key, int64_t now_ns)
{
    const struct entry *entry = find(store, hash, key);
    return entry && !has_expired(store, entry, now_ns) ? entry->record : NULL;
}

/// @return 1 if `last` had expired and was removed, else 0.
static int expire_one(struct store *store, struct entry *last, int64_t now_ns,
                      struct entry **removed)
{
    if (!has_expired(store, last, now_ns))
        return 0;
    remove_entry(store, last, removed);
    ++store->stats.expirations;
    return 1;
}

void store_expire(struct store *store, int64_t now_ns, struct entry **removed)
{
    // Time does not go back, so each list ends with what expires first by its rule.
    while (
        !list_is_empty(&store->newest) &&
        expire_one(store, LIST_ENTRY(store->newest.previous, struct entry, age), now_ns, removed))
        ;
    while (
        !list_is_empty(&store->recent) &&
        expire_one(store, LIST_ENTRY(store->recent.previous, struct entry, use), now_ns, removed))
        ;
}

static void evict_least_recent(struct store *store, struct entry **removed)
{
    remove_entry(store, LIST_ENTRY(store->recent.previous, struct entry, use), removed);
    ++store->stats.evictions;
}

void store_replace(struct store *store, uint64_t hash, const struct analysis_cache_key *key,
                   struct entry **removed)
{
    struct entry *entry = find(store, hash, key);
    if (!entry)
        return;
    remove_entry(store, entry, removed);
    ++store->stats.replacements;
}

int store_make_room(struct store *store, size_t bytes, struct entry **removed)
{
    while (!budget_take(store->budget, bytes)) {
        if (list_is_empty(&store->recent))
            return 0;
        evict_least_recent(store, removed);
    }
    return 1;
}

void store_insert(struct store *store, struct entry *entry, int64_t now_ns, struct entry **removed)
{
    assert(entry->record && store->most_entries > 0);
    assert(!key_table_find(&store->table, entry->node.hash, entry->key, entry->node.key_bytes));
    while (store->stats.entries >= store->most_entries)
        evict_least_recent(store, removed);
    key_table_add(&store->table, &entry->node);
    list_add_first(&store->recent, &entry->use);
    list_add_first(&store->newest, &entry->age);
    entry->inserted_ns = entry->used_ns = now_ns;
    ++store->stats.entries;
    ++store->stats.insertions;
    store->stats.bytes += entry->bytes;
}

size_t store_invalidate(struct store *store, const struct scope *scope, struct entry **removed)
{
    size_t count = 0;
    for (struct list *at = store->recent.next, *next; at != &store->recent; at = next) {
        next = at->next;
        struct entry *entry = LIST_ENTRY(at, struct entry, use);
        if (!scope_has(scope, key_node_path(&entry->node)))
            continue;
        remove_entry(store, entry, removed);
        ++count;
    }
    store->stats.invalidations += count;
    return count;
}
