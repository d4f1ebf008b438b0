// SPDX-License-Identifier: MIT
// Expiry and time, on a clock set by hand.
#include "support/cache_fixture.h"
#include "support/rng.h"
#include <time.h>

static struct analysis_cache *timed_cache(int64_t *now_ns, int64_t ttl_ns, int64_t idle_ns)
{
    return cache_with(&(struct analysis_cache_config){.capacity_entries = 50,
                                                      .ttl_ns = ttl_ns,
                                                      .idle_ns = idle_ns,
                                                      .now_ns = fake_now_ns,
                                                      .now_context = now_ns});
}

static void a_record_lives_to_the_last_nanosecond_of_its_time(void **state)
{
    (void)state;
    int64_t now = 5;
    struct analysis_cache *cache = timed_cache(&now, 100, 0);
    insert_number(cache, 1, 8);
    now = 104;
    assert_true(acquire_number(cache, 1));
    now = 105;
    assert_false(acquire_number(cache, 1));
    const struct analysis_cache_stats stats = stats_of(cache);
    assert_int_equal(stats.expirations, 1);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 1);
    analysis_cache_destroy(&cache);
}

static void a_hit_does_not_lengthen_the_time_to_live(void **state)
{
    (void)state;
    int64_t now = 0;
    struct analysis_cache *cache = timed_cache(&now, 100, 0);
    insert_number(cache, 1, 8);
    for (now = 10; now < 100; now += 10)
        assert_true(acquire_number(cache, 1));
    assert_false(acquire_number(cache, 1));
    analysis_cache_destroy(&cache);
}

static void a_hit_renews_the_idle_limit_and_a_peek_does_not(void **state)
{
    (void)state;
    int64_t now = 0;
    struct analysis_cache *cache = timed_cache(&now, 0, 100);
    insert_number(cache, 1, 8);
    insert_number(cache, 2, 8);
    now = 99;
    assert_true(acquire_number(cache, 1));
    assert_true(has_number(cache, 2));
    now = 150;
    assert_true(acquire_number(cache, 1));
    assert_false(has_number(cache, 2));
    now = 249;
    assert_true(has_number(cache, 1));
    now = 250;
    assert_false(has_number(cache, 1));
    analysis_cache_destroy(&cache);
}

static void what_has_expired_is_not_in_the_statistics(void **state)
{
    (void)state;
    int64_t now = 0;
    struct analysis_cache *cache = timed_cache(&now, 100, 0);
    for (uint64_t number = 0; number < 10; ++number, now += 10)
        insert_number(cache, number, 8);
    now = 145;
    const struct analysis_cache_stats stats = stats_of(cache);
    assert_int_equal(stats.entries, 5);
    assert_int_equal(stats.expirations, 5);
    assert_true(stats_hold(&stats));
    assert_int_equal(analysis_cache_clear(cache), 5);
    analysis_cache_destroy(&cache);
}

static void the_expired_make_room_before_the_living(void **state)
{
    (void)state;
    int64_t now = 0;
    struct analysis_cache *cache = timed_cache(&now, 100, 0);
    insert_number(cache, 0, 8);
    now = 50;
    for (uint64_t number = 1; number < 50; ++number)
        insert_number(cache, number, 8);
    assert_true(acquire_number(cache, 0)); // now the most recently used, and the oldest
    now = 120;
    insert_number(cache, 50, 8);
    for (uint64_t number = 1; number <= 50; ++number)
        assert_true(has_number(cache, number));
    assert_int_equal(stats_of(cache).evictions, 0);
    analysis_cache_destroy(&cache);
}

static void a_long_suspend_expires_everything_at_once(void **state)
{
    (void)state;
    int64_t now = 0;
    struct analysis_cache *cache = timed_cache(&now, 3600 * (int64_t)SECOND_NS, 0);
    for (uint64_t number = 0; number < 50; ++number)
        insert_number(cache, number, 8);
    now = 3600 * (int64_t)SECOND_NS - 1;
    assert_int_equal(stats_of(cache).entries, 50);
    now = 1000000 * (int64_t)SECOND_NS;
    assert_int_equal(stats_of(cache).entries, 0);
    assert_int_equal(stats_of(cache).bytes, 0);
    assert_int_equal(stats_of(cache).expirations, 50);
    analysis_cache_destroy(&cache);
}

static void without_limits_nothing_ever_expires(void **state)
{
    (void)state;
    int64_t now = 0;
    struct analysis_cache *cache = timed_cache(&now, 0, 0);
    insert_number(cache, 1, 8);
    now = INT64_MAX - 1;
    assert_true(acquire_number(cache, 1));
    analysis_cache_destroy(&cache);
}

static void a_clock_read_out_of_order_by_two_threads_does_no_harm(void **state)
{
    (void)state;
    int64_t now = 1000;
    struct analysis_cache *cache = timed_cache(&now, 100, 50);
    insert_number(cache, 1, 8);
    now = 990; // the time as a thread read it before the one that inserted
    assert_true(acquire_number(cache, 1));
    insert_number(cache, 2, 8);
    now = 1049;
    assert_true(has_number(cache, 1) && has_number(cache, 2));
    now = 1050;
    assert_int_equal(stats_of(cache).entries, 0);
    analysis_cache_destroy(&cache);
}

static void without_a_clock_of_its_own_a_cache_follows_the_systems(void **state)
{
    (void)state;
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 50, .ttl_ns = 1});
    insert_number(cache, 1, 8);
    assert_int_equal(stats_of(cache).insertions, 1);
    struct timespec start, now, tick;
    assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &start), 0);
    assert_int_equal(clock_getres(CLOCK_MONOTONIC_COARSE, &tick), 0);
    do // until two of the kernel's ticks are over
        assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
    while ((now.tv_sec - start.tv_sec) * SECOND_NS + now.tv_nsec - start.tv_nsec <=
           2 * tick.tv_nsec);
    assert_false(has_number(cache, 1));
    analysis_cache_destroy(&cache);
}

static void the_default_is_the_players(void **state)
{
    (void)state;
    const struct analysis_cache_config config = analysis_cache_config_default();
    assert_int_equal(config.capacity_entries, 50);
    assert_int_equal(config.ttl_ns, 3600 * (int64_t)SECOND_NS);
    assert_int_equal(config.idle_ns, 0);
}

// --- The oracle: an array, the most recently used first, each with its times ---------------------

struct oracle_entry {
    uint64_t number;
    int64_t inserted_ns, used_ns;
};

struct oracle {
    size_t count;
    struct oracle_entry entries[51];
};

enum { TTL_NS = 1000, IDLE_NS = 300, CAPACITY = 50 };

static void oracle_expire(struct oracle *o, int64_t now_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < o->count; ++i)
        if (now_ns - o->entries[i].inserted_ns < TTL_NS && now_ns - o->entries[i].used_ns < IDLE_NS)
            o->entries[kept++] = o->entries[i];
    o->count = kept;
}

static int oracle_acquire(struct oracle *o, uint64_t number, int64_t now_ns)
{
    for (size_t i = 0; i < o->count; ++i) {
        if (o->entries[i].number != number)
            continue;
        struct oracle_entry entry = o->entries[i];
        memmove(o->entries + 1, o->entries, i * sizeof(entry));
        entry.used_ns = now_ns;
        o->entries[0] = entry;
        return 1;
    }
    return 0;
}

static void oracle_insert(struct oracle *o, uint64_t number, int64_t now_ns)
{
    if (o->count == CAPACITY)
        --o->count;
    memmove(o->entries + 1, o->entries, o->count * sizeof(o->entries[0]));
    o->entries[0] = (struct oracle_entry){number, now_ns, now_ns};
    ++o->count;
}

static void expiry_agrees_with_a_naive_list_operation_by_operation(void **state)
{
    (void)state;
    int64_t now = 0;
    uint64_t seed = 20261122, hits = 0;
    struct oracle oracle = {0};
    struct analysis_cache *cache = timed_cache(&now, TTL_NS, IDLE_NS);
    for (int i = 0; i < 50000; ++i) {
        const uint64_t number = rng_next(&seed) % (1 + rng_next(&seed) % 100);
        now += (int64_t)(rng_next(&seed) % 8);
        if (rng_next(&seed) % 1000 == 0)
            now += (int64_t)(rng_next(&seed) % 2000);
        oracle_expire(&oracle, now);
        const int expected = oracle_acquire(&oracle, number, now);
        hits += (uint64_t)expected;
        assert_int_equal(acquire_number(cache, number), expected);
        if (!expected) {
            oracle_insert(&oracle, number, now);
            insert_number(cache, number, 8);
        }
        if (i % 16 == 0)
            assert_int_equal(stats_of(cache).entries, oracle.count);
    }
    const struct analysis_cache_stats stats = stats_of(cache);
    assert_true(stats_hold(&stats));
    assert_int_equal(stats.hits, hits);
    assert_true(stats.expirations > 1000 && stats.evictions > 1000);
    analysis_cache_destroy(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_lives_to_the_last_nanosecond_of_its_time),
        cmocka_unit_test(a_hit_does_not_lengthen_the_time_to_live),
        cmocka_unit_test(a_hit_renews_the_idle_limit_and_a_peek_does_not),
        cmocka_unit_test(what_has_expired_is_not_in_the_statistics),
        cmocka_unit_test(the_expired_make_room_before_the_living),
        cmocka_unit_test(a_long_suspend_expires_everything_at_once),
        cmocka_unit_test(without_limits_nothing_ever_expires),
        cmocka_unit_test(a_clock_read_out_of_order_by_two_threads_does_no_harm),
        cmocka_unit_test(without_a_clock_of_its_own_a_cache_follows_the_systems),
        cmocka_unit_test(the_default_is_the_players),
        cmocka_unit_test(expiry_agrees_with_a_naive_list_operation_by_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
