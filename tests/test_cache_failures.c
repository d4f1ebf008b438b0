// SPDX-License-Identifier: MIT
// What ends an extraction otherwise than by a record: an invalidation meanwhile, and errors with their back-off.
#include "support/flight_fixture.h"
#include <errno.h>

// --- Invalidation meanwhile ---------------------------------------------------------------------

static void expect_stale_after(size_t (*invalidate)(struct analysis_cache *cache, const char *path),
                               const char *path, int is_stale)
{
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *leader = lead(cache, 1), *waiter = join(cache, 1);
    assert_int_equal(invalidate(cache, path), 0);
    publish_number(cache, &leader, 1);
    assert_int_equal(collect(cache, &waiter, 1), 0);
    assert_int_equal(has_number(cache, 1), !is_stale);
    assert_int_equal(stats_of(cache).stale_discarded, is_stale);
    analysis_cache_destroy(&cache);
}

static size_t clear_all(struct analysis_cache *cache, const char *path)
{
    (void)path;
    return analysis_cache_clear(cache);
}

static void what_was_invalidated_meanwhile_is_not_kept(void **state)
{
    (void)state;
    expect_stale_after(analysis_cache_invalidate_path, "/music/1/track", 1);
    expect_stale_after(analysis_cache_invalidate_prefix, "/music/1", 1);
    expect_stale_after(clear_all, NULL, 1);
}

static void an_invalidation_of_something_else_does_not_matter(void **state)
{
    (void)state;
    expect_stale_after(analysis_cache_invalidate_path, "/music/2/track", 0);
    expect_stale_after(analysis_cache_invalidate_prefix, "/music/12", 0);
}

static void who_asks_after_an_invalidation_does_not_get_the_old_extraction(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *old = lead(cache, 1);
    analysis_cache_invalidate_path(cache, "/music/1/track");
    struct analysis_cache_ticket *fresh = lead(cache, 1);
    publish_number(cache, &fresh, 1);
    publish_number(cache, &old, 666);
    assert_true(acquire_number(cache, 1));
    analysis_cache_destroy(&cache);
}

// --- Failures -----------------------------------------------------------------------------------

static void the_back_off_doubles_from_a_second_to_a_minute(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    const int64_t expected_s[] = {1, 2, 4, 8, 16, 32, 60, 60};
    for (size_t i = 0; i < sizeof(expected_s) / sizeof(expected_s[0]); ++i) {
        struct analysis_cache_ticket *ticket;
        fail_number(cache, 1, -EIO);
        now_ns += expected_s[i] * SECOND_NS - 1;
        assert_int_equal(request(cache, 1, &ticket), -EIO);
        now_ns += 1;
    }
    fail_number(cache, 1, -EIO);
    analysis_cache_destroy(&cache);
}

static void a_failure_is_never_served_as_data(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    fail_number(cache, 1, -EIO);
    assert_false(acquire_number(cache, 1));
    assert_false(has_number(cache, 1));
    assert_int_equal(stats_of(cache).entries, 0);
    analysis_cache_destroy(&cache);
}

static void a_success_ends_the_back_off(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(1);
    fail_number(cache, 1, -EIO);
    insert_number(cache, 1, 8);
    insert_number(cache, 2, 8); // evicts the first, whose failure must not come back with that
    assert_false(has_number(cache, 1));
    struct analysis_cache_ticket *leader = lead(cache, 1);
    publish_number(cache, &leader, 1);
    analysis_cache_destroy(&cache);
}

static void an_invalidation_ends_the_back_off(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    fail_number(cache, 1, -EIO);
    fail_number(cache, 2, -EIO);
    analysis_cache_invalidate_path(cache, "/music/1/track");
    fail_number(cache, 1, -EIO);
    struct analysis_cache_ticket *ticket;
    assert_int_equal(request(cache, 2, &ticket), -EIO);
    now_ns += SECOND_NS; // the count of failures began anew
    fail_number(cache, 1, -EIO);
    analysis_cache_destroy(&cache);
}

static void a_failure_of_what_was_invalidated_meanwhile_is_forgotten(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *old = lead(cache, 1);
    analysis_cache_clear(cache);
    analysis_cache_fail(cache, &old, -EIO);
    fail_number(cache, 1, -EIO);
    assert_int_equal(stats_of(cache).failures, 2);
    analysis_cache_destroy(&cache);
}

static void no_more_failures_are_remembered_than_records(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(3);
    struct analysis_cache_ticket *ticket;
    for (uint64_t number = 1; number <= 4; ++number)
        fail_number(cache, number, -EIO);
    for (uint64_t number = 2; number <= 4; ++number)
        assert_int_equal(request(cache, number, &ticket), -EIO);
    fail_number(cache, 1, -EIO);
    analysis_cache_destroy(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_invalidated_meanwhile_is_not_kept),
        cmocka_unit_test(an_invalidation_of_something_else_does_not_matter),
        cmocka_unit_test(who_asks_after_an_invalidation_does_not_get_the_old_extraction),
        cmocka_unit_test(the_back_off_doubles_from_a_second_to_a_minute),
        cmocka_unit_test(a_failure_is_never_served_as_data),
        cmocka_unit_test(a_success_ends_the_back_off),
        cmocka_unit_test(an_invalidation_ends_the_back_off),
        cmocka_unit_test(a_failure_of_what_was_invalidated_meanwhile_is_forgotten),
        cmocka_unit_test(no_more_failures_are_remembered_than_records),
    };
    return cmocka_run_group_tests_name("cache_failures", tests, NULL, NULL);
}
