// SPDX-License-Identifier: MIT
#include "cache/shard.h"

int shard_init(struct shard *shard, const struct store_limits *limits, struct budget *budget)
{
    lock_init(&shard->lock);
    shard->now_ns = INT64_MIN;
    shard->backoff = (struct backoff){0};
    shard->flights = (struct flights){0};
    int error = store_init(&shard->store, limits, budget);
    if (!error)
        error = flights_init(&shard->flights);
    if (!error)
        error = backoff_init(&shard->backoff, limits->entries);
    if (error)
        shard_deinit(shard);
    return error;
}

void shard_deinit(struct shard *shard)
{
    backoff_deinit(&shard->backoff);
    flights_deinit(&shard->flights);
    store_deinit(&shard->store);
}

void shard_add_stats(const struct shard *shard, struct analysis_cache_stats *sum)
{
    const struct analysis_cache_stats *store = &shard->store.stats;
    sum->hits += shard->store.hits;
    sum->misses += store->misses;
    sum->insertions += store->insertions;
    sum->evictions += store->evictions;
    sum->expirations += store->expirations;
    sum->invalidations += store->invalidations;
    sum->replacements += store->replacements;
    sum->refused += store->refused;
    sum->entries += store->entries;
    sum->bytes += store->bytes;
    sum->leads += shard->flights.leads;
    sum->publications += shard->flights.publications;
    sum->failures += shard->flights.failures;
    sum->stale_discarded += shard->flights.stale_discarded;
    sum->in_flight += shard->flights.in_flight;
    sum->waiters += shard->flights.waiters;
}
