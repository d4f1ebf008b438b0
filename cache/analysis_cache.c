// SPDX-License-Identifier: MIT
// Making, unmaking and looking up.
#include "cache/analysis_cache_impl.h"
#include <errno.h>
#include <stdlib.h>

enum {
    MOST_SHARDS = 64,
    LEAST_SHARD_ENTRIES = 32,
};

struct analysis_cache_config analysis_cache_config_default(void)
{
    return (struct analysis_cache_config){
        .capacity_entries = 50,
        .capacity_bytes = (size_t)64 << 20,
        .ttl_ns = (int64_t)3600 * 1000000000,
    };
}

static unsigned shards_by_default(size_t capacity_entries)
{
    unsigned shards = 1;
    while (shards < MOST_SHARDS && capacity_entries / ((size_t)shards * 2) >= LEAST_SHARD_ENTRIES)
        shards *= 2;
    return shards;
}

static int has_valid_shards(const struct analysis_cache_config *config)
{
    const unsigned shards = config->shards;
    if (shards <= 1)
        return 1;
    return shards <= MOST_SHARDS && (shards & (shards - 1)) == 0 &&
           config->capacity_entries / shards >= LEAST_SHARD_ENTRIES;
}

static int init_shards(struct analysis_cache *cache, const struct analysis_cache_config *config)
{
    const unsigned shards =
        config->shards ? config->shards : shards_by_default(config->capacity_entries);
    cache->shards = aligned_alloc(SHARD_ALIGNMENT_BYTES, shards * sizeof(struct shard));
    if (!cache->shards)
        return -ENOMEM;
    for (unsigned i = 0; i < shards; ++i) {
        const struct store_limits limits = {
            .entries = config->capacity_entries / shards + (i < config->capacity_entries % shards),
            .ttl_ns = config->ttl_ns,
            .idle_ns = config->idle_ns,
            .order = shards == 1 || config->idle_ns ? LRU_EXACT : LRU_LAZY,
        };
        const int error = shard_init(&cache->shards[i], &limits, &cache->budget);
        if (error)
            return error;
        cache->n_shards = i + 1;
    }
    cache->shard_mask = shards - 1;
    return 0;
}

int analysis_cache_create(struct analysis_cache **out, const struct analysis_cache_config *config)
{
    *out = NULL;
    if (!has_valid_shards(config) || config->ttl_ns < 0 || config->idle_ns < 0)
        return -EINVAL;
    struct analysis_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return -ENOMEM;
    cache->capacity_entries = config->capacity_entries;
    tick_clock_init(&cache->clock, config->now_ns, config->now_context);
    budget_init(&cache->budget, config->capacity_bytes);
    atomic_init(&cache->generation, 0);
    const int error = init_shards(cache, config);
    if (error)
        analysis_cache_destroy(&cache);
    *out = cache;
    return error;
}

void analysis_cache_destroy(struct analysis_cache **cache)
{
    struct analysis_cache *mine = *cache;
    *cache = NULL;
    if (!mine)
        return;
    for (unsigned i = 0; i < mine->n_shards; ++i)
        shard_deinit(&mine->shards[i]);
    free(mine->shards);
    free(mine);
}

// --- Looking up ---------------------------------------------------------------------------------

/// What few need: removing what has expired, noting a use for the idle limit, counting a miss. It
/// begins anew, so that a hit need not carry along what only this uses.
__attribute__((noinline)) static struct record *acquire_slowly(struct analysis_cache *cache,
                                                               const struct analysis_cache_key *key)
{
    const uint64_t hash = hash_of(key);
    struct shard *shard = shard_of(cache, hash);
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    struct list removed;
    list_init(&removed);
    lock_acquire(&shard->lock);
    struct record *record =
        store_acquire(&shard->store, hash, key, shard_tick(shard, now_ns), &removed);
    if (!record)
        ++shard->store.stats.misses;
    lock_release(&shard->lock);
    store_free_removed(&removed);
    return record;
}

struct record *analysis_cache_acquire(struct analysis_cache *cache,
                                      const struct analysis_cache_key *key)
{
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    const uint64_t hash = hash_of(key);
    struct shard *shard = shard_of(cache, hash);
    const struct lru_slot *home = lru_home(&shard->store.lru, hash);
    __builtin_prefetch(home); // arrives while the lock is taken

    lock_acquire(&shard->lock);
    // The time need not be the latest seen here: what it would come too late for was removed then.
    struct record *record = store_hit(&shard->store, home, hash, key, now_ns);
    lock_release(&shard->lock);
    return record ? record : acquire_slowly(cache, key);
}

struct record *analysis_cache_peek(struct analysis_cache *cache,
                                   const struct analysis_cache_key *key)
{
    const uint64_t hash = hash_of(key);
    struct shard *shard = shard_of(cache, hash);
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);

    lock_acquire(&shard->lock);
    struct record *record = store_peek(&shard->store, hash, key, shard_tick(shard, now_ns));
    if (record)
        record_ref(record);
    lock_release(&shard->lock);
    return record;
}

int analysis_cache_has(struct analysis_cache *cache, const struct analysis_cache_key *key)
{
    struct record *record = analysis_cache_peek(cache, key);
    const int found = record != NULL;
    record_unref(&record);
    return found;
}
