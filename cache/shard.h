// SPDX-License-Identifier: MIT
// One shard of the cache: a lock and what it protects.
#pragma once
#include "cache/backoff.h"
#include "cache/flight.h"
#include "cache/lock.h"
#include "cache/store.h"
#include <stdalign.h>

enum { SHARD_ALIGNMENT_BYTES = 512 }; // cache lines of its own, and a shift finds it by its index

/// Thread-safety: None of its own; analysis_cache.c does the locking.
struct shard {
    alignas(SHARD_ALIGNMENT_BYTES) struct lock lock; // leaf, but for a snapshot: all, by index
    // --- protected by lock
    int64_t now_ns; // the latest time seen
    struct store store;
    struct flights flights;
    struct backoff backoff;
};

/// @return 0; -ENOMEM. On error nothing is left to deinit.
MUST_CHECK int shard_init(struct shard *shard, const struct store_limits *limits,
                          struct budget *budget);
void shard_deinit(struct shard *shard);

/// Two threads may read the clock in one order and take the lock in the other. @return `now_ns`, or
/// the latest time seen here if that is later.
static inline int64_t shard_tick(struct shard *shard, int64_t now_ns)
{
    if (now_ns > shard->now_ns)
        shard->now_ns = now_ns;
    return shard->now_ns;
}
/// Add this shard's figures to `sum`.
void shard_add_stats(const struct shard *shard, struct analysis_cache_stats *sum);
