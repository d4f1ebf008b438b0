// SPDX-License-Identifier: MIT
// Each operation with each of its allocations failing, one after the other.
#include "support/cache_fixture.h"
#include "support/failing_alloc.h"
#include <errno.h>

/// Something that may run out of memory. @return 0 or -ENOMEM; after either the world is as sound as
/// before, and after -ENOMEM it is as before.
typedef int (*scenario_fn)(struct analysis_cache *cache);

static const struct analysis_cache_config CONFIG = {.capacity_entries = 128};

static int create_and_destroy(struct analysis_cache *cache)
{
    (void)cache;
    struct analysis_cache *other;
    const int error = analysis_cache_create(&other, &CONFIG);
    assert_int_equal(other == NULL, error != 0);
    analysis_cache_destroy(&other);
    return error;
}

static int create_a_record(struct analysis_cache *cache)
{
    (void)cache;
    struct record *record = record_create(100);
    const int error = record ? 0 : -ENOMEM;
    record_unref(&record);
    return error;
}

static int insert(struct analysis_cache *cache)
{
    struct numbered_key key;
    struct record *record = record_of_number(1, 8);
    if (!record)
        return -ENOMEM;
    const int error = analysis_cache_insert(cache, numbered_key_set(&key, 1), record,
                                            analysis_cache_generation(cache));
    assert_int_equal(analysis_cache_has(cache, &key.key), error == 0);
    record_unref(&record);
    return error;
}

static int request(struct analysis_cache *cache, uint64_t number,
                   struct analysis_cache_ticket **ticket)
{
    struct numbered_key key;
    struct record *record;
    const int outcome =
        analysis_cache_get_or_lead(cache, numbered_key_set(&key, number), &record, ticket);
    assert_null(record);
    assert_int_equal(*ticket == NULL, outcome < 0);
    return outcome;
}

static int lead_and_publish(struct analysis_cache *cache)
{
    struct analysis_cache_ticket *ticket;
    const int outcome = request(cache, 2, &ticket);
    if (outcome < 0)
        return outcome;
    assert_int_equal(outcome, ANALYSIS_CACHE_LEAD);
    struct record *record = record_of_number(2, 8);
    const int error = record ? 0 : -ENOMEM;
    if (record)
        analysis_cache_publish(cache, &ticket, record);
    else
        analysis_cache_give_up(cache, &ticket);
    record_unref(&record);
    assert_int_equal(has_number(cache, 2), error == 0);
    return error;
}

static int join_and_collect(struct analysis_cache *cache)
{
    struct analysis_cache_ticket *leader, *waiter;
    struct record *record = NULL;
    const int outcome = request(cache, 3, &leader);
    if (outcome < 0)
        return outcome;
    int error = request(cache, 3, &waiter);
    analysis_cache_fail(cache, &leader, -ECANCELED);
    if (error == ANALYSIS_CACHE_WAIT)
        error = analysis_cache_wait(cache, &waiter, INT64_MAX, &record);
    assert_null(record);
    return error == -ECANCELED ? 0 : error;
}

/// Without memory for it a failure has no back-off, and nothing else goes wrong.
static int lead_and_fail(struct analysis_cache *cache)
{
    struct analysis_cache_ticket *ticket;
    const int outcome = request(cache, 4, &ticket);
    if (outcome < 0)
        return outcome;
    analysis_cache_fail(cache, &ticket, -EIO);
    const int second = request(cache, 4, &ticket);
    if (second == -EIO) {
        analysis_cache_invalidate_path(cache, "/music/4/track");
        return 0;
    }
    if (ticket)
        analysis_cache_give_up(cache, &ticket);
    return -ENOMEM;
}

static int look_and_invalidate(struct analysis_cache *cache)
{
    // These need no memory at all.
    assert_false(acquire_number(cache, 99));
    assert_true(acquire_number(cache, 1000));
    assert_int_equal(analysis_cache_invalidate_prefix(cache, "/nowhere"), 0);
    assert_true(stats_of(cache).entries >= 1);
    assert_false(failing_alloc_has_failed());
    return 0;
}

static void replay(scenario_fn scenario, size_t allocations)
{
    struct analysis_cache *cache = cache_with(&CONFIG);
    insert_number(cache, 1000, 8);
    size_t n_failed = 0;
    for (size_t k = 0;; ++k) {
        const size_t live = failing_alloc_live();
        failing_alloc_arm(k);
        const int error = scenario(cache);
        const int has_failed = failing_alloc_has_failed();
        failing_alloc_arm(SIZE_MAX);
        assert_int_equal(error, has_failed ? -ENOMEM : 0);
        const struct analysis_cache_stats stats = stats_of(cache);
        assert_true(stats_hold(&stats) && stats.in_flight + stats.waiters == 0);
        assert_true(has_number(cache, 1000));
        if (!has_failed)
            break;
        assert_int_equal(failing_alloc_live(), live);
        ++n_failed;
    }
    assert_int_equal(n_failed, allocations);
    analysis_cache_destroy(&cache);
}

static void creating_a_cache_survives_each_failure(void **state)
{
    (void)state;
    replay(create_and_destroy, 2 + 4 * 5); // itself, its shards; in each of four five arrays
}

static void creating_a_record_survives_its_failure(void **state)
{
    (void)state;
    replay(create_a_record, 1);
}

static void inserting_survives_each_failure(void **state)
{
    (void)state;
    replay(insert, 2); // the record, the entry
}

static void leading_survives_each_failure(void **state)
{
    (void)state;
    replay(lead_and_publish, 4); // ticket, flight, entry; the record
}

static void joining_survives_each_failure(void **state)
{
    (void)state;
    replay(join_and_collect, 3 + 3);
}

static void failing_survives_each_failure(void **state)
{
    (void)state;
    replay(lead_and_fail, 3 + 1); // the back-off stops the second request before it needs memory
}

static void looking_and_invalidating_need_no_memory(void **state)
{
    (void)state;
    replay(look_and_invalidate, 0);
}

static void nothing_leaks_over_a_whole_life(void **state)
{
    (void)state;
    const size_t live = failing_alloc_live();
    struct analysis_cache *cache = cache_with(&CONFIG);
    for (uint64_t number = 0; number < 1000; ++number)
        insert_number(cache, number, number);
    analysis_cache_invalidate_prefix(cache, "/music/990");
    assert_true(failing_alloc_live() > live);
    analysis_cache_destroy(&cache);
    assert_int_equal(failing_alloc_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_a_cache_survives_each_failure),
        cmocka_unit_test(creating_a_record_survives_its_failure),
        cmocka_unit_test(inserting_survives_each_failure),
        cmocka_unit_test(leading_survives_each_failure),
        cmocka_unit_test(joining_survives_each_failure),
        cmocka_unit_test(failing_survives_each_failure),
        cmocka_unit_test(looking_and_invalidating_need_no_memory),
        cmocka_unit_test(nothing_leaks_over_a_whole_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
