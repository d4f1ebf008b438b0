// SPDX-License-Identifier: MIT
// Capacities in entries and in bytes, and how shards share them.
#include "cache/analysis_cache_impl.h"
#include "support/cache_fixture.h"
#include "support/rng.h"
#include <errno.h>
#include <stdlib.h>

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
        cmocka_unit_test(room_taken_for_a_record_that_goes_stale_is_given_back),
    };
    return cmocka_run_group_tests_name("cache_sizes", tests, NULL, NULL);
}
