// SPDX-License-Identifier: MIT
// What the suites of the cache share: a clock set by hand, numbered keys, records that carry a number.
#pragma once
#include "cache/analysis_cache.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> // needs the four above: stdarg, stddef, stdint, setjmp

enum { SECOND_NS = 1000000000 };

/// A key of 64 bytes made from a number, and a path: "/music/N/track".
struct numbered_key {
    char bytes[64];
    char path[48];
    struct analysis_cache_key key;
};

static inline const struct analysis_cache_key *numbered_key_set(struct numbered_key *key,
                                                                uint64_t number)
{
    memset(key->bytes, 'k', sizeof(key->bytes));
    memcpy(key->bytes + 24, &number, sizeof(number));
    snprintf(key->path, sizeof(key->path), "/music/%llu/track", (unsigned long long)number);
    key->key = (struct analysis_cache_key){key->bytes, sizeof(key->bytes), key->path};
    return &key->key;
}

static inline struct record *record_of_number(uint64_t number, size_t bytes)
{
    struct record *record = record_create(bytes < sizeof(number) ? sizeof(number) : bytes);
    if (record)
        memcpy(record_data_mutable(record), &number, sizeof(number));
    return record;
}

static inline uint64_t record_number(const struct record *record)
{
    uint64_t number;
    memcpy(&number, record_data(record), sizeof(number));
    return number;
}

static inline int64_t fake_now_ns(void *context)
{
    return *(int64_t *)context;
}

static inline struct analysis_cache *cache_with(const struct analysis_cache_config *config)
{
    struct analysis_cache *cache;
    assert_int_equal(analysis_cache_create(&cache, config), 0);
    return cache;
}

/// Insert a record that carries its key's number.
static inline void insert_number(struct analysis_cache *cache, uint64_t number, size_t bytes)
{
    struct numbered_key key;
    struct record *record = record_of_number(number, bytes);
    assert_non_null(record);
    assert_int_equal(analysis_cache_insert(cache, numbered_key_set(&key, number), record,
                                           analysis_cache_generation(cache)),
                     0);
    record_unref(&record);
}

/// @return 1 if the number's record was found, which must carry it.
static inline int acquire_number(struct analysis_cache *cache, uint64_t number)
{
    struct numbered_key key;
    struct record *record = analysis_cache_acquire(cache, numbered_key_set(&key, number));
    if (!record)
        return 0;
    assert_int_equal(record_number(record), number);
    record_unref(&record);
    return 1;
}

static inline int has_number(struct analysis_cache *cache, uint64_t number)
{
    struct numbered_key key;
    return analysis_cache_has(cache, numbered_key_set(&key, number));
}

static inline struct analysis_cache_stats stats_of(struct analysis_cache *cache)
{
    struct analysis_cache_stats stats;
    analysis_cache_stats(cache, &stats);
    return stats;
}

/// The identities that a snapshot must satisfy at any instant.
static inline int stats_hold(const struct analysis_cache_stats *s)
{
    return s->entries ==
               s->insertions - s->evictions - s->expirations - s->invalidations - s->replacements &&
           s->leads == s->publications + s->stale_discarded + s->failures + s->in_flight;
}
