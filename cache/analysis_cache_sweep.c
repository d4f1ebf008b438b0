// SPDX-License-Identifier: MIT
// What goes through all shards: invalidation and statistics.
#include "cache/analysis_cache_impl.h"

static size_t invalidate(struct analysis_cache *cache, struct scope scope)
{
    atomic_fetch_add_explicit(&cache->generation, 1, memory_order_release);
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    size_t count = 0;
    for (unsigned i = 0; i < cache->n_shards; ++i) {
        struct shard *shard = &cache->shards[i];
        struct garbage garbage;
        garbage_init(&garbage);
        lock_acquire(&shard->lock);
        store_expire(&shard->store, shard_tick(shard, now_ns), &garbage.entries);
        count += store_invalidate(&shard->store, &scope, &garbage.entries);
        backoff_invalidate(&shard->backoff, &scope, &garbage.failures);
        flights_invalidate(&shard->flights, &scope);
        lock_release(&shard->lock);
        garbage_free(&garbage);
    }
    return count;
}

size_t analysis_cache_invalidate_path(struct analysis_cache *cache, const char *path)
{
    return invalidate(cache, scope_path(path));
}

size_t analysis_cache_invalidate_prefix(struct analysis_cache *cache, const char *prefix)
{
    return invalidate(cache, scope_prefix(prefix));
}

size_t analysis_cache_clear(struct analysis_cache *cache)
{
    return invalidate(cache, scope_all());
}

// The analysis cannot follow a loop that takes many locks.
static void snapshot(struct analysis_cache *cache, unsigned first, unsigned end,
                     struct analysis_cache_stats *stats) NO_TS_CHECK;
static void snapshot(struct analysis_cache *cache, unsigned first, unsigned end,
                     struct analysis_cache_stats *stats)
{
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    struct garbage garbage;
    garbage_init(&garbage);
    *stats = (struct analysis_cache_stats){0};
    for (unsigned i = first; i < end; ++i)
        lock_acquire(&cache->shards[i].lock);
    for (unsigned i = first; i < end; ++i) {
        struct shard *shard = &cache->shards[i];
        store_expire(&shard->store, shard_tick(shard, now_ns), &garbage.entries);
        shard_add_stats(shard, stats);
    }
    for (unsigned i = first; i < end; ++i)
        lock_release(&cache->shards[i].lock);
    garbage_free(&garbage);
}

void analysis_cache_stats(struct analysis_cache *cache, struct analysis_cache_stats *stats)
{
    snapshot(cache, 0, cache->n_shards, stats);
}

unsigned analysis_cache_shards(const struct analysis_cache *cache)
{
    return cache->n_shards;
}

void analysis_cache_shard_stats(struct analysis_cache *cache, unsigned shard,
                                struct analysis_cache_stats *stats)
{
    assert(shard < cache->n_shards);
    snapshot(cache, shard, shard + 1, stats);
}
