// SPDX-License-Identifier: MIT
// What is kept along traces of thousands of look-ups, against a list in order of use.
#include "support/cache_fixture.h"
#include "support/rng.h"
#include <math.h>
#include <stdlib.h>

// --- The oracle: an array, the most recently used first -----------------------------------------

enum { ORACLE_MOST = 512 };

struct oracle {
    size_t capacity, count;
    uint64_t numbers[ORACLE_MOST];
};

static int oracle_acquire(struct oracle *o, uint64_t number)
{
    for (size_t i = 0; i < o->count; ++i) {
        if (o->numbers[i] != number)
            continue;
        memmove(o->numbers + 1, o->numbers, i * sizeof(number));
        o->numbers[0] = number;
        return 1;
    }
    return 0;
}

static void oracle_insert(struct oracle *o, uint64_t number)
{
    if (o->count == o->capacity)
        --o->count;
    memmove(o->numbers + 1, o->numbers, o->count * sizeof(number));
    o->numbers[0] = number;
    ++o->count;
}

// --- Traces -------------------------------------------------------------------------------------

enum { TRACE_LENGTH = 20000, TRACE_NUMBERS = 1000 };

static void zipf_trace(uint64_t *trace, uint64_t seed)
{
    static double cumulative[TRACE_NUMBERS];
    double sum = 0;
    for (int i = 0; i < TRACE_NUMBERS; ++i)
        cumulative[i] = sum += pow(i + 1, -0.99);
    for (int i = 0; i < TRACE_LENGTH; ++i) {
        const double at = rng_unit(&seed) * sum;
        uint64_t number = 0;
        while (number < TRACE_NUMBERS - 1 && cumulative[number] < at)
            ++number;
        trace[i] = number;
    }
}

/// Zipf with a scan over numbers that never come back in between.
static void scan_trace(uint64_t *trace, uint64_t seed)
{
    zipf_trace(trace, seed);
    for (int i = 0; i < TRACE_LENGTH; ++i)
        if (i / 500 % 3 == 2)
            trace[i] = 100000 + (uint64_t)i;
}

/// Loops of lengths around the capacities: the worst case of LRU beside its best.
static void loop_trace(uint64_t *trace, uint64_t seed)
{
    const uint64_t lengths[] = {49, 50, 51, 100, 30};
    for (int i = 0, k = 0; i < TRACE_LENGTH; ++i, ++k) {
        if (i % 2000 == 0)
            k = (int)(rng_next(&seed) % 7);
        trace[i] = (uint64_t)k % lengths[i / 2000 % 5];
    }
}

static void expect_exact_lru(void (*make)(uint64_t *trace, uint64_t seed), size_t capacity)
{
    static uint64_t trace[TRACE_LENGTH];
    struct oracle oracle = {.capacity = capacity};
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = capacity, .shards = 1});
    make(trace, 20261122 + capacity);
    uint64_t hits = 0;
    for (int i = 0; i < TRACE_LENGTH; ++i) {
        const int expected = oracle_acquire(&oracle, trace[i]);
        assert_int_equal(acquire_number(cache, trace[i]), expected);
        hits += (uint64_t)expected;
        if (expected)
            continue;
        oracle_insert(&oracle, trace[i]);
        insert_number(cache, trace[i], 8);
    }
    const struct analysis_cache_stats stats = stats_of(cache);
    assert_true(hits > 0 && hits < TRACE_LENGTH);
    assert_int_equal(stats.hits, hits);
    assert_int_equal(stats.misses, TRACE_LENGTH - hits);
    analysis_cache_destroy(&cache);
}

static void one_shard_is_an_exact_lru_on_zipf_traces(void **state)
{
    (void)state;
    expect_exact_lru(zipf_trace, 50);
    expect_exact_lru(zipf_trace, 7);
    expect_exact_lru(zipf_trace, 500);
}

static void one_shard_is_an_exact_lru_on_scans(void **state)
{
    (void)state;
    expect_exact_lru(scan_trace, 50);
    expect_exact_lru(scan_trace, 333);
}

static void one_shard_is_an_exact_lru_on_loops(void **state)
{
    (void)state;
    expect_exact_lru(loop_trace, 50);
    expect_exact_lru(loop_trace, 99);
}

static uint64_t hits_on(const uint64_t *trace, size_t capacity, unsigned shards)
{
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = capacity, .shards = shards});
    for (int i = 0; i < TRACE_LENGTH; ++i)
        if (!acquire_number(cache, trace[i]))
            insert_number(cache, trace[i], 8);
    const uint64_t hits = stats_of(cache).hits;
    analysis_cache_destroy(&cache);
    return hits;
}

/// Half a per cent of a trace is what the lazy order and the splitting may cost, at 32 entries a shard.
static void several_shards_hit_nearly_as_often_as_one(void **state)
{
    (void)state;
    static uint64_t trace[TRACE_LENGTH];
    zipf_trace(trace, 20261129);
    for (unsigned shards = 2; shards <= 8; shards *= 2) {
        const uint64_t one = hits_on(trace, 32 * shards, 1),
                       several = hits_on(trace, 32 * shards, shards);
        print_message("%u shards: %llu of %llu hits\n", shards, (unsigned long long)several,
                      (unsigned long long)one);
        assert_true(several + TRACE_LENGTH / 200 >= one);
    }
}

static void what_remains_after_a_trace_is_what_the_oracle_holds(void **state)
{
    (void)state;
    static uint64_t trace[TRACE_LENGTH];
    struct oracle oracle = {.capacity = 50};
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 50});
    zipf_trace(trace, 1);
    for (int i = 0; i < TRACE_LENGTH; ++i) {
        if (!oracle_acquire(&oracle, trace[i]))
            oracle_insert(&oracle, trace[i]);
        if (!acquire_number(cache, trace[i]))
            insert_number(cache, trace[i], 8);
    }
    size_t found = 0;
    for (uint64_t number = 0; number < TRACE_NUMBERS; ++number)
        found += (size_t)has_number(cache, number);
    assert_int_equal(found, 50);
    for (size_t i = 0; i < oracle.count; ++i)
        assert_true(has_number(cache, oracle.numbers[i]));
    analysis_cache_destroy(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_shard_is_an_exact_lru_on_zipf_traces),
        cmocka_unit_test(one_shard_is_an_exact_lru_on_scans),
        cmocka_unit_test(one_shard_is_an_exact_lru_on_loops),
        cmocka_unit_test(several_shards_hit_nearly_as_often_as_one),
        cmocka_unit_test(what_remains_after_a_trace_is_what_the_oracle_holds),
    };
    return cmocka_run_group_tests_name("cache_traces", tests, NULL, NULL);
}
