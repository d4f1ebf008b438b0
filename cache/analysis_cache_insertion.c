// SPDX-License-Identifier: MIT
// Keeping records: making room for them, refusing what is stale.
#include "cache/analysis_cache_impl.h"
#include <errno.h>

enum { MOST_ROOM_ATTEMPTS = 4 }; // each fails only if other threads took the bytes it had made free

static int is_stale_locked(const struct analysis_cache *cache, const struct shard *shard,
                           const struct insertion *in) REQUIRES(shard->lock)
{
    (void)shard; // named by the annotation alone
    if (in->flight)
        return in->flight->is_stale;
    return in->generation != atomic_load_explicit(&cache->generation, memory_order_relaxed);
}

/// @return 0; -ESTALE; -EFBIG: larger than the whole capacity; -ENOSPC: other shards must give way.
static int keep_locked(struct analysis_cache *cache, struct shard *shard, struct insertion *in,
                       int64_t now_ns, struct garbage *garbage) REQUIRES(shard->lock)
{
    const struct entry *entry = in->entry;
    const struct analysis_cache_key key = {.bytes = entry->key, .size = entry->key_bytes};
    if (is_stale_locked(cache, shard, in))
        return -ESTALE;
    if (cache->capacity_entries == 0)
        return -EFBIG;
    if (entry->bytes > cache->budget.limit_bytes) {
        ++shard->store.stats.refused;
        return -EFBIG;
    }
    store_expire(&shard->store, now_ns, &garbage->entries);
    store_replace(&shard->store, entry->hash, &key, &garbage->entries);
    if (!in->has_room)
        in->has_room = store_make_room(&shard->store, entry->bytes, &garbage->entries);
    if (!in->has_room)
        return -ENOSPC;
    backoff_forget(&shard->backoff, entry->hash, key.bytes, key.size, &garbage->failures);
    store_insert(&shard->store, in->entry, now_ns, &garbage->entries);
    in->entry = NULL;
    in->has_room = 0; // it is the store's now
    return 0;
}

/// Evict from the other shards until `bytes` are taken. @return 1 if they are.
static int make_room_elsewhere(struct analysis_cache *cache, const struct shard *own, size_t bytes)
{
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    const unsigned first = (unsigned)(own - cache->shards);
    int has_room = 0;
    for (unsigned step = 1; step < cache->n_shards && !has_room; ++step) {
        struct shard *shard = &cache->shards[(first + step) % cache->n_shards];
        struct garbage garbage;
        garbage_init(&garbage);
        lock_acquire(&shard->lock);
        store_expire(&shard->store, shard_tick(shard, now_ns), &garbage.entries);
        has_room = store_make_room(&shard->store, bytes, &garbage.entries);
        lock_release(&shard->lock);
        garbage_free(&garbage);
    }
    return has_room;
}

int insertion_keep(struct analysis_cache *cache, struct shard *shard, struct insertion *in,
                   struct record *record)
{
    entry_set_record(in->entry, record);
    const size_t bytes = in->entry->bytes;
    int error = -ENOSPC;
    for (int attempt = 0; error == -ENOSPC; ++attempt) {
        struct garbage garbage;
        garbage_init(&garbage);
        const int64_t now_ns = tick_clock_read_ns(&cache->clock);
        lock_acquire(&shard->lock);
        error = keep_locked(cache, shard, in, shard_tick(shard, now_ns), &garbage);
        if (error == -ENOSPC && attempt == MOST_ROOM_ATTEMPTS) {
            ++shard->store.stats.refused;
            error = -EFBIG;
        }
        if (in->flight && error != -ENOSPC)
            flights_end(&shard->flights, in->flight, record, 0);
        lock_release(&shard->lock);
        garbage_free(&garbage);
        if (error == -ENOSPC)
            in->has_room = make_room_elsewhere(cache, shard, bytes);
    }
    if (in->has_room)
        budget_give(&cache->budget, bytes);
    entry_destroy(&in->entry);
    return error;
}

int analysis_cache_insert(struct analysis_cache *cache, const struct analysis_cache_key *key,
                          struct record *record, uint64_t generation)
{
    assert(key->path && record);
    const uint64_t hash = hash_of(key);
    struct insertion in = {.entry = entry_create(key, hash), .generation = generation};
    if (!in.entry)
        return -ENOMEM;
    const int error = insertion_keep(cache, shard_of(cache, hash), &in, record);
    return error == -ESTALE ? -ESTALE : 0;
}

uint64_t analysis_cache_generation(const struct analysis_cache *cache)
{
    return atomic_load_explicit(&cache->generation, memory_order_acquire);
}
