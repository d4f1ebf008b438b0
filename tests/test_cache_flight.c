// SPDX-License-Identifier: MIT
// Who asks for what is under way: one leads, the others wait, are called back, or give up.
#include "support/flight_fixture.h"
#include <errno.h>

static void the_first_leads_the_others_wait_and_all_get_its_record(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *leader = lead(cache, 1), *waiters[3];
    for (int i = 0; i < 3; ++i)
        waiters[i] = join(cache, 1);
    assert_int_equal(stats_of(cache).in_flight, 1);
    assert_int_equal(stats_of(cache).waiters, 3);
    publish_number(cache, &leader, 1);
    assert_int_equal(stats_of(cache).in_flight, 0);
    assert_int_equal(stats_of(cache).waiters, 0);
    for (int i = 0; i < 3; ++i) {
        assert_int_equal(collect(cache, &waiters[i], 1), 0);
        assert_null(waiters[i]);
    }
    assert_true(acquire_number(cache, 1));
    analysis_cache_destroy(&cache);
}

static void other_keys_have_flights_of_their_own(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(1000);
    struct analysis_cache_ticket *leaders[500];
    for (uint64_t number = 0; number < 500; ++number)
        leaders[number] = lead(cache, number);
    assert_int_equal(stats_of(cache).in_flight, 500);
    for (uint64_t number = 0; number < 500; ++number)
        publish_number(cache, &leaders[number], number);
    for (uint64_t number = 0; number < 500; ++number)
        assert_true(acquire_number(cache, number));
    analysis_cache_destroy(&cache);
}

static void a_request_for_a_kept_record_is_a_hit(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *ticket = lead(cache, 1);
    publish_number(cache, &ticket, 1);
    assert_int_equal(request(cache, 1, &ticket), ANALYSIS_CACHE_HIT);
    assert_int_equal(stats_of(cache).hits, 1);
    assert_int_equal(stats_of(cache).misses, 1);
    analysis_cache_destroy(&cache);
}

static void waiters_get_the_record_even_if_it_is_not_kept(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(0);
    struct analysis_cache_ticket *leader = lead(cache, 1), *waiter = join(cache, 1);
    publish_number(cache, &leader, 1);
    assert_int_equal(collect(cache, &waiter, 1), 0);
    leader = lead(cache, 1);
    analysis_cache_fail(cache, &leader, -EIO);
    leader = lead(cache, 1);
    publish_number(cache, &leader, 1);
    const struct analysis_cache_stats stats = stats_of(cache);
    assert_true(stats_hold(&stats));
    assert_int_equal(stats.leads, 3);
    analysis_cache_destroy(&cache);
}

static void a_wait_that_times_out_leaves_the_ticket_open(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *leader = lead(cache, 1), *waiter = join(cache, 1);
    assert_int_equal(collect(cache, &waiter, 1), -ETIMEDOUT);
    assert_non_null(waiter);
    publish_number(cache, &leader, 1);
    assert_int_equal(collect(cache, &waiter, 1), 0);
    analysis_cache_destroy(&cache);
}

static void all_waiters_get_the_leaders_error(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *leader = lead(cache, 1), *first = join(cache, 1),
                                 *second = join(cache, 1);
    analysis_cache_fail(cache, &leader, -EBADMSG);
    assert_null(leader);
    assert_int_equal(collect(cache, &first, 1), -EBADMSG);
    assert_int_equal(collect(cache, &second, 1), -EBADMSG);
    assert_false(has_number(cache, 1));
    assert_int_equal(stats_of(cache).failures, 1);
    analysis_cache_destroy(&cache);
}

// --- Giving up ----------------------------------------------------------------------------------

static void a_waiter_that_gives_up_stops_nothing(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *leader = lead(cache, 1), *first = join(cache, 1),
                                 *second = join(cache, 1);
    assert_int_equal(analysis_cache_give_up(cache, &first), 0);
    assert_null(first);
    assert_false(analysis_cache_is_cancelled(leader));
    assert_int_equal(stats_of(cache).waiters, 1);
    publish_number(cache, &leader, 1);
    assert_int_equal(collect(cache, &second, 1), 0);
    analysis_cache_destroy(&cache);
}

static void the_last_one_to_give_up_cancels(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *leader = lead(cache, 1), *first = join(cache, 1),
                                 *second = join(cache, 1);
    analysis_cache_lead_for_others(cache, leader);
    analysis_cache_give_up(cache, &first);
    assert_false(analysis_cache_is_cancelled(leader));
    analysis_cache_give_up(cache, &second);
    assert_true(analysis_cache_is_cancelled(leader));
    analysis_cache_fail(cache, &leader, -ECANCELED);
    analysis_cache_destroy(&cache);
}

static void a_leader_that_works_for_nobody_is_cancelled_at_once(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *leader = lead(cache, 1);
    assert_false(analysis_cache_is_cancelled(leader));
    analysis_cache_lead_for_others(cache, leader);
    assert_true(analysis_cache_is_cancelled(leader));
    analysis_cache_give_up(cache, &leader);
    analysis_cache_destroy(&cache);
}

static void who_asks_after_a_cancellation_leads_anew(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *cancelled = lead(cache, 1);
    analysis_cache_lead_for_others(cache, cancelled);
    struct analysis_cache_ticket *leader = lead(cache, 1), *waiter = join(cache, 1);
    analysis_cache_fail(cache, &cancelled, -ECANCELED);
    assert_false(analysis_cache_is_cancelled(leader));
    publish_number(cache, &leader, 1);
    assert_int_equal(collect(cache, &waiter, 1), 0);
    analysis_cache_destroy(&cache);
}

static void what_a_cancelled_leader_publishes_all_the_same_is_kept(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *leader = lead(cache, 1);
    analysis_cache_lead_for_others(cache, leader);
    publish_number(cache, &leader, 1);
    assert_true(has_number(cache, 1));
    analysis_cache_destroy(&cache);
}

static void a_leader_that_gives_up_fails_the_others_without_back_off(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *leader = lead(cache, 1), *waiter = join(cache, 1);
    analysis_cache_give_up(cache, &leader);
    assert_null(leader);
    assert_int_equal(collect(cache, &waiter, 1), -ECANCELED);
    leader = lead(cache, 1);
    publish_number(cache, &leader, 1);
    analysis_cache_destroy(&cache);
}

// --- Callbacks ----------------------------------------------------------------------------------

struct called {
    int times;
    struct analysis_cache *cache;
    struct analysis_cache_ticket **ticket;
    uint64_t number;
};

/// What a user does: collect the record from inside the callback, which needs the lock.
static void collect_in_callback(void *context)
{
    struct called *called = context;
    ++called->times;
    assert_int_equal(collect(called->cache, called->ticket, called->number), 0);
}

static void count_call(void *context)
{
    ++((struct called *)context)->times;
}

static void each_waiter_is_called_back_once_and_may_collect_there(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *leader = lead(cache, 1), *waiters[5];
    struct called called[5];
    for (int i = 0; i < 5; ++i) {
        waiters[i] = join(cache, 1);
        called[i] = (struct called){.cache = cache, .ticket = &waiters[i], .number = 1};
        analysis_cache_notify(cache, waiters[i], collect_in_callback, &called[i]);
        assert_int_equal(called[i].times, 0);
    }
    publish_number(cache, &leader, 1);
    for (int i = 0; i < 5; ++i) {
        assert_int_equal(called[i].times, 1);
        assert_null(waiters[i]);
    }
    analysis_cache_destroy(&cache);
}

static void a_callback_asked_for_too_late_comes_at_once(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct called called = {0};
    struct analysis_cache_ticket *leader = lead(cache, 1), *waiter = join(cache, 1);
    analysis_cache_fail(cache, &leader, -EIO);
    analysis_cache_notify(cache, waiter, count_call, &called);
    assert_int_equal(called.times, 1);
    assert_int_equal(analysis_cache_give_up(cache, &waiter), 0);
    analysis_cache_destroy(&cache);
}

static void giving_up_withdraws_the_callback(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct called called = {0};
    struct analysis_cache_ticket *leader = lead(cache, 1), *waiter = join(cache, 1);
    analysis_cache_notify(cache, waiter, count_call, &called);
    assert_int_equal(analysis_cache_give_up(cache, &waiter), 1);
    publish_number(cache, &leader, 1);
    assert_int_equal(called.times, 0);
    analysis_cache_destroy(&cache);
}

static void giving_up_after_the_callback_withdraws_nothing(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct called called = {0};
    struct analysis_cache_ticket *leader = lead(cache, 1), *waiter = join(cache, 1);
    analysis_cache_notify(cache, waiter, count_call, &called);
    publish_number(cache, &leader, 1);
    assert_int_equal(called.times, 1);
    assert_int_equal(analysis_cache_give_up(cache, &waiter), 0);
    analysis_cache_destroy(&cache);
}

// --- Figures -------------------------------------------------------------------------------------

static void every_request_counts_one_hit_or_one_miss(void **state)
{
    (void)state;
    struct analysis_cache *cache = flight_cache(50);
    struct analysis_cache_ticket *ticket, *leader = lead(cache, 1), *waiter = join(cache, 1);
    publish_number(cache, &leader, 1);
    assert_int_equal(collect(cache, &waiter, 1), 0);
    assert_int_equal(request(cache, 1, &ticket), ANALYSIS_CACHE_HIT);
    fail_number(cache, 2, -EIO);
    assert_int_equal(request(cache, 2, &ticket), -EIO);
    const struct analysis_cache_stats stats = stats_of(cache);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 4);
    assert_int_equal(stats.leads, 2);
    assert_true(stats_hold(&stats));
    analysis_cache_destroy(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_leads_the_others_wait_and_all_get_its_record),
        cmocka_unit_test(other_keys_have_flights_of_their_own),
        cmocka_unit_test(a_request_for_a_kept_record_is_a_hit),
        cmocka_unit_test(waiters_get_the_record_even_if_it_is_not_kept),
        cmocka_unit_test(a_wait_that_times_out_leaves_the_ticket_open),
        cmocka_unit_test(all_waiters_get_the_leaders_error),
        cmocka_unit_test(a_waiter_that_gives_up_stops_nothing),
        cmocka_unit_test(the_last_one_to_give_up_cancels),
        cmocka_unit_test(a_leader_that_works_for_nobody_is_cancelled_at_once),
        cmocka_unit_test(who_asks_after_a_cancellation_leads_anew),
        cmocka_unit_test(what_a_cancelled_leader_publishes_all_the_same_is_kept),
        cmocka_unit_test(a_leader_that_gives_up_fails_the_others_without_back_off),
        cmocka_unit_test(each_waiter_is_called_back_once_and_may_collect_there),
        cmocka_unit_test(a_callback_asked_for_too_late_comes_at_once),
        cmocka_unit_test(giving_up_withdraws_the_callback),
        cmocka_unit_test(giving_up_after_the_callback_withdraws_nothing),
        cmocka_unit_test(every_request_counts_one_hit_or_one_miss),
    };
    return cmocka_run_group_tests_name("cache_flight", tests, NULL, NULL);
}
