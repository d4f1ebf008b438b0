// SPDX-License-Identifier: MIT
#include "cache/analysis_cache_impl.h"
#include "support/cache_fixture.h"
#include "support/rng.h"
#include <errno.h>
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

// --- Sizes --------------------------------------------------------------------------------------

static void shards_follow_from_the_capacity(void **state)
{
    (void)state;
    const struct {
        size_t entries;
        unsigned shards;
    } cases[] = {{0, 1},   {1, 1},   {50, 1},    {63, 1},    {64, 2},
                 {127, 2}, {128, 4}, {2047, 32}, {2048, 64}, {100000, 64}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        struct analysis_cache *cache =
            cache_with(&(struct analysis_cache_config){.capacity_entries = cases[i].entries});
        assert_int_equal(analysis_cache_shards(cache), cases[i].shards);
        analysis_cache_destroy(&cache);
    }
}

static void a_bad_configuration_is_refused(void **state)
{
    (void)state;
    const struct analysis_cache_config bad[] = {
        {.capacity_entries = 1000, .shards = 3}, {.capacity_entries = 1 << 20, .shards = 128},
        {.capacity_entries = 63, .shards = 2},   {.capacity_entries = 10, .ttl_ns = -1},
        {.capacity_entries = 10, .idle_ns = -1},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
        struct analysis_cache *cache = (struct analysis_cache *)&bad;
        assert_int_equal(analysis_cache_create(&cache, &bad[i]), -EINVAL);
        assert_null(cache);
    }
}

static void all_shards_together_hold_the_capacity_and_no_more(void **state)
{
    (void)state;
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 1003});
    for (uint64_t number = 0; number < 20000; ++number) {
        insert_number(cache, number, 8);
        if (number % 997 == 0)
            assert_true(stats_of(cache).entries <= 1003);
    }
    const struct analysis_cache_stats total = stats_of(cache);
    assert_int_equal(total.entries, 1003);
    assert_int_equal(total.insertions, 20000);
    assert_int_equal(total.evictions, 20000 - 1003);
    analysis_cache_destroy(&cache);
}

static void shard_figures_sum_to_the_total(void **state)
{
    (void)state;
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 256});
    for (uint64_t number = 0; number < 1000; ++number)
        if (!acquire_number(cache, number * 7 % 300))
            insert_number(cache, number * 7 % 300, 8);
    struct analysis_cache_stats sum = {0};
    for (unsigned i = 0; i < analysis_cache_shards(cache); ++i) {
        struct analysis_cache_stats shard;
        analysis_cache_shard_stats(cache, i, &shard);
        assert_true(stats_hold(&shard) && shard.entries > 0);
        sum.hits += shard.hits;
        sum.misses += shard.misses;
        sum.entries += shard.entries;
        sum.bytes += shard.bytes;
    }
    const struct analysis_cache_stats total = stats_of(cache);
    assert_int_equal(sum.hits, total.hits);
    assert_int_equal(sum.misses, total.misses);
    assert_int_equal(sum.hits + sum.misses, 1000);
    assert_int_equal(sum.entries, total.entries);
    assert_int_equal(sum.bytes, total.bytes);
    analysis_cache_destroy(&cache);
}

static size_t entry_bytes(size_t record_data_bytes)
{
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 1});
    insert_number(cache, 10, record_data_bytes);
    const size_t bytes = stats_of(cache).bytes;
    analysis_cache_destroy(&cache);
    return bytes;
}

static void bytes_are_those_of_the_records_and_of_entries_in_whole_lines(void **state)
{
    (void)state;
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 10});
    struct record *record = record_create(100);
    char path[65] = "/";
    memset(path + 1, 'a', 63);
    const struct analysis_cache_key key[] = {{"abcdefg", 7, "/a"}, {"abcdefg", 6, path}};
    size_t bytes[3] = {0};
    for (int i = 0; i < 2; ++i) {
        assert_int_equal(analysis_cache_insert(cache, &key[i], record, 0), 0);
        bytes[i + 1] = stats_of(cache).bytes;
    }
    assert_int_equal((bytes[2] - bytes[1]) - bytes[1], 64); // 10 bytes more than fit in a line
    assert_int_equal(entry_bytes(5000) - entry_bytes(1000), 4000);
    record_unref(&record);
    assert_int_equal(analysis_cache_clear(cache), 2);
    assert_int_equal(stats_of(cache).bytes, 0);
    analysis_cache_destroy(&cache);
}

static void the_byte_capacity_evicts_the_least_recent_to_the_byte(void **state)
{
    (void)state;
    const size_t one = entry_bytes(1000);
    struct analysis_cache *cache = cache_with(
        &(struct analysis_cache_config){.capacity_entries = 50, .capacity_bytes = 3 * one});
    for (uint64_t number = 10; number < 13; ++number)
        insert_number(cache, number, 1000);
    assert_int_equal(stats_of(cache).bytes, 3 * one);
    assert_true(acquire_number(cache, 10));
    insert_number(cache, 13, 1000);
    assert_true(has_number(cache, 10) && !has_number(cache, 11) && has_number(cache, 12));
    insert_number(cache, 14, 1001);
    assert_int_equal(stats_of(cache).entries, 2);
    assert_int_equal(stats_of(cache).bytes, 2 * one + 1);
    analysis_cache_destroy(&cache);
}

static void a_record_larger_than_the_capacity_is_refused_and_evicts_nothing(void **state)
{
    (void)state;
    const size_t one = entry_bytes(1000);
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 50, .capacity_bytes = one});
    insert_number(cache, 10, 1000);
    insert_number(cache, 11, 1001);
    assert_true(has_number(cache, 10) && !has_number(cache, 11));
    assert_int_equal(stats_of(cache).refused, 1);
    analysis_cache_destroy(&cache);
}

static void a_record_larger_than_its_shards_share_takes_room_from_the_others(void **state)
{
    (void)state;
    const size_t one = entry_bytes(1000), capacity = 128 * one;
    struct analysis_cache *cache = cache_with(
        &(struct analysis_cache_config){.capacity_entries = 256, .capacity_bytes = capacity});
    assert_int_equal(analysis_cache_shards(cache), 8);
    for (uint64_t number = 10; number < 99; ++number)
        insert_number(cache, number, 1000);
    const size_t large = 100 * one;
    insert_number(cache, 99, large);
    const struct analysis_cache_stats stats = stats_of(cache);
    assert_true(has_number(cache, 99));
    assert_true(stats.bytes <= capacity);
    assert_true(stats.entries > 1); // it did not sweep all shards empty
    analysis_cache_destroy(&cache);
}

static void random_sizes_never_exceed_the_byte_capacity(void **state)
{
    (void)state;
    uint64_t seed = 7;
    const size_t capacity = 40 * entry_bytes(1000);
    struct analysis_cache *cache = cache_with(
        &(struct analysis_cache_config){.capacity_entries = 256, .capacity_bytes = capacity});
    for (int i = 0; i < 5000; ++i) {
        insert_number(cache, rng_next(&seed) % 400, rng_next(&seed) % 6000);
        const struct analysis_cache_stats stats = stats_of(cache);
        assert_true(stats.bytes <= capacity && stats_hold(&stats));
    }
    assert_int_equal(stats_of(cache).refused, 0);
    analysis_cache_destroy(&cache);
}

static void a_cache_of_capacity_0_keeps_nothing(void **state)
{
    (void)state;
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 0});
    insert_number(cache, 1, 8);
    assert_false(acquire_number(cache, 1));
    assert_int_equal(stats_of(cache).entries, 0);
    assert_int_equal(stats_of(cache).bytes, 0);
    assert_int_equal(stats_of(cache).misses, 1);
    analysis_cache_destroy(&cache);
}

// --- Looking, inserting, invalidating -----------------------------------------------------------

static void peek_promotes_nothing_and_counts_nothing(void **state)
{
    (void)state;
    struct numbered_key key;
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 2});
    insert_number(cache, 1, 8);
    insert_number(cache, 2, 8);
    struct record *record = analysis_cache_peek(cache, numbered_key_set(&key, 1));
    assert_non_null(record);
    assert_null(analysis_cache_peek(cache, numbered_key_set(&key, 9)));
    insert_number(cache, 3, 8);
    assert_false(has_number(cache, 1));
    assert_true(has_number(cache, 2));
    assert_int_equal(stats_of(cache).hits + stats_of(cache).misses, 0);
    record_unref(&record);
    analysis_cache_destroy(&cache);
}

static void a_reference_outlives_eviction_and_the_cache(void **state)
{
    (void)state;
    struct numbered_key key;
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 1});
    insert_number(cache, 1, 8);
    struct record *record = analysis_cache_acquire(cache, numbered_key_set(&key, 1));
    insert_number(cache, 2, 8);
    assert_false(has_number(cache, 1));
    analysis_cache_destroy(&cache);
    assert_int_equal(record_number(record), 1);
    record_unref(&record);
}

static void any_difference_of_a_key_is_a_miss(void **state)
{
    (void)state;
    char bytes[40];
    memset(bytes, 'a', sizeof(bytes));
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 10});
    struct record *record = record_create(1);
    struct analysis_cache_key key = {bytes, 39, "/a"};
    assert_int_equal(analysis_cache_insert(cache, &key, record, 0), 0);
    for (size_t i = 0; i < 39; ++i) {
        bytes[i] ^= 1;
        assert_false(analysis_cache_has(cache, &key));
        bytes[i] ^= 1;
    }
    for (size_t size = 1; size <= 40; ++size) {
        key.size = size;
        assert_int_equal(analysis_cache_has(cache, &key), size == 39);
    }
    record_unref(&record);
    analysis_cache_destroy(&cache);
}

static void a_second_insertion_replaces_the_first(void **state)
{
    (void)state;
    struct numbered_key key;
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 10});
    insert_number(cache, 1, 8);
    struct record *newer = record_of_number(77, 8);
    assert_int_equal(analysis_cache_insert(cache, numbered_key_set(&key, 1), newer, 0), 0);
    struct record *found = analysis_cache_peek(cache, &key.key);
    assert_ptr_equal(found, newer);
    const struct analysis_cache_stats stats = stats_of(cache);
    assert_int_equal(stats.replacements, 1);
    assert_int_equal(stats.entries, 1);
    assert_true(stats_hold(&stats));
    record_unref(&found);
    record_unref(&newer);
    analysis_cache_destroy(&cache);
}

static struct analysis_cache *cache_of_paths(const char *const *paths, size_t count)
{
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 200});
    struct record *record = record_create(1);
    for (size_t i = 0; i < count; ++i) {
        const struct analysis_cache_key key = {&i, sizeof(i), paths[i]};
        assert_int_equal(analysis_cache_insert(cache, &key, record, 0), 0);
    }
    record_unref(&record);
    return cache;
}

static void invalidating_a_path_drops_all_its_keys_and_no_others(void **state)
{
    (void)state;
    const char *const paths[] = {"/a/b", "/a/b", "/a/b/c", "/a", "/a/b "};
    struct analysis_cache *cache = cache_of_paths(paths, 5);
    assert_int_equal(analysis_cache_invalidate_path(cache, "/a/b"), 2);
    for (size_t i = 0; i < 5; ++i) {
        const struct analysis_cache_key key = {&i, sizeof(i), NULL};
        assert_int_equal(analysis_cache_has(cache, &key), i >= 2);
    }
    assert_int_equal(stats_of(cache).invalidations, 2);
    analysis_cache_destroy(&cache);
}

static void a_prefix_covers_whole_components(void **state)
{
    (void)state;
    const char *const paths[] = {"/a/b", "/a/b/c", "/a/bc", "/a/b/c/d", "/a", "b/a/b"};
    const struct {
        const char *prefix;
        size_t dropped;
    } cases[] = {{"/a/b", 3},       {"/a/b/", 3}, {"/a//", 5},  {"/", 5},
                 {"/a/b/c/d/e", 0}, {"b", 1},     {"/a/b/c", 2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        struct analysis_cache *cache = cache_of_paths(paths, 6);
        assert_int_equal(analysis_cache_invalidate_prefix(cache, cases[i].prefix),
                         cases[i].dropped);
        assert_int_equal(stats_of(cache).entries, 6 - cases[i].dropped);
        analysis_cache_destroy(&cache);
    }
}

static void clearing_drops_everything(void **state)
{
    (void)state;
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 200});
    for (uint64_t number = 0; number < 40; ++number)
        insert_number(cache, number, 8);
    assert_int_equal(analysis_cache_clear(cache), 40);
    assert_int_equal(stats_of(cache).entries, 0);
    assert_int_equal(stats_of(cache).bytes, 0);
    assert_int_equal(analysis_cache_clear(cache), 0);
    analysis_cache_destroy(&cache);
}

static void an_insertion_begun_before_an_invalidation_is_refused(void **state)
{
    (void)state;
    struct numbered_key key;
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 10});
    struct record *record = record_create(1);
    const uint64_t generation = analysis_cache_generation(cache);
    analysis_cache_invalidate_path(cache, numbered_key_set(&key, 1)->path);
    assert_int_equal(analysis_cache_insert(cache, &key.key, record, generation), -ESTALE);
    assert_false(has_number(cache, 1));
    assert_int_equal(
        analysis_cache_insert(cache, &key.key, record, analysis_cache_generation(cache)), 0);
    assert_true(analysis_cache_has(cache, &key.key));
    record_unref(&record);
    analysis_cache_destroy(&cache);
}

// As when another shard gave way to it while its track was invalidated.
static void room_taken_for_a_record_that_goes_stale_is_given_back(void **state)
{
    (void)state;
    struct numbered_key key;
    const size_t bytes = entry_bytes(1000);
    struct analysis_cache *cache = cache_with(
        &(struct analysis_cache_config){.capacity_entries = 256, .capacity_bytes = 2 * bytes});
    const uint64_t hash = hash_of(numbered_key_set(&key, 10));
    struct record *record = record_of_number(10, 1000);
    struct insertion in = {.entry = entry_create(&key.key, hash),
                           .generation = analysis_cache_generation(cache),
                           .has_room = budget_take(&cache->budget, bytes)};
    assert_true(in.entry && record && in.has_room);
    analysis_cache_clear(cache);
    assert_int_equal(insertion_keep(cache, shard_of(cache, hash), &in, record), -ESTALE);
    assert_int_equal(cache->budget.used_bytes, 0);
    record_unref(&record);
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
        cmocka_unit_test(shards_follow_from_the_capacity),
        cmocka_unit_test(a_bad_configuration_is_refused),
        cmocka_unit_test(all_shards_together_hold_the_capacity_and_no_more),
        cmocka_unit_test(shard_figures_sum_to_the_total),
        cmocka_unit_test(bytes_are_those_of_the_records_and_of_entries_in_whole_lines),
        cmocka_unit_test(the_byte_capacity_evicts_the_least_recent_to_the_byte),
        cmocka_unit_test(a_record_larger_than_the_capacity_is_refused_and_evicts_nothing),
        cmocka_unit_test(a_record_larger_than_its_shards_share_takes_room_from_the_others),
        cmocka_unit_test(random_sizes_never_exceed_the_byte_capacity),
        cmocka_unit_test(a_cache_of_capacity_0_keeps_nothing),
        cmocka_unit_test(peek_promotes_nothing_and_counts_nothing),
        cmocka_unit_test(a_reference_outlives_eviction_and_the_cache),
        cmocka_unit_test(any_difference_of_a_key_is_a_miss),
        cmocka_unit_test(a_second_insertion_replaces_the_first),
        cmocka_unit_test(invalidating_a_path_drops_all_its_keys_and_no_others),
        cmocka_unit_test(a_prefix_covers_whole_components),
        cmocka_unit_test(clearing_drops_everything),
        cmocka_unit_test(an_insertion_begun_before_an_invalidation_is_refused),
        cmocka_unit_test(room_taken_for_a_record_that_goes_stale_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
