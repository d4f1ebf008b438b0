// SPDX-License-Identifier: MIT
// Looking, inserting, replacing and invalidating, one call at a time.
#include "support/cache_fixture.h"
#include <errno.h>
#include <stdlib.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peek_promotes_nothing_and_counts_nothing),
        cmocka_unit_test(a_reference_outlives_eviction_and_the_cache),
        cmocka_unit_test(any_difference_of_a_key_is_a_miss),
        cmocka_unit_test(a_second_insertion_replaces_the_first),
        cmocka_unit_test(invalidating_a_path_drops_all_its_keys_and_no_others),
        cmocka_unit_test(a_prefix_covers_whole_components),
        cmocka_unit_test(clearing_drops_everything),
        cmocka_unit_test(an_insertion_begun_before_an_invalidation_is_refused),
    };
    return cmocka_run_group_tests_name("analysis_cache", tests, NULL, NULL);
}
