// SPDX-License-Identifier: MIT
// The lock of a shard and the latch of an extraction. cmocka is not thread-safe: threads count, the
// main thread asserts.
#include "cache/latch.h"
#include "cache/lock.h"
#include "support/cache_fixture.h"
#include <errno.h>
#include <pthread.h>
#include <time.h>

enum { THREADS = 8, ROUNDS = 20000 };

struct contest {
    struct lock lock;
    // --- protected by lock
    uint64_t counter; // not atomic: what the lock does not order is lost
    int inside, most_inside;
};

static void *count_up(void *context)
{
    struct contest *contest = context;
    for (int i = 0; i < ROUNDS; ++i) {
        lock_acquire(&contest->lock);
        if (++contest->inside > contest->most_inside)
            contest->most_inside = contest->inside;
        ++contest->counter;
        --contest->inside;
        lock_release(&contest->lock);
    }
    return NULL;
}

static void one_thread_at_a_time_holds_the_lock(void **state)
{
    (void)state;
    static struct contest contest;
    pthread_t threads[THREADS];
    lock_init(&contest.lock);
    for (int i = 0; i < THREADS; ++i)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &contest), 0);
    for (int i = 0; i < THREADS; ++i)
        pthread_join(threads[i], NULL);
    assert_int_equal(contest.counter, (uint64_t)THREADS * ROUNDS);
    assert_int_equal(contest.most_inside, 1);
    assert_int_equal(atomic_load(&contest.lock.state), LOCK_FREE);
}

static void who_waits_sleeps_until_the_holder_releases(void **state)
{
    (void)state;
    static struct contest contest;
    pthread_t threads[THREADS];
    contest = (struct contest){0};
    lock_init(&contest.lock);
    lock_acquire(&contest.lock);
    for (int i = 0; i < THREADS; ++i)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &contest), 0);
    while (atomic_load(&contest.lock.state) != LOCK_AWAITED) // until one is about to sleep
        ;
    assert_int_equal(contest.counter, 0);
    lock_release(&contest.lock);
    for (int i = 0; i < THREADS; ++i)
        pthread_join(threads[i], NULL);
    assert_int_equal(contest.counter, (uint64_t)THREADS * ROUNDS);
}

// --- The latch ----------------------------------------------------------------------------------

struct gate {
    // --- written before the latch is opened, read by who has waited
    int value;
    struct latch latch;
    // --- atomic: counters
    atomic_int right, wrong;
};

static void *wait_at_gate(void *context)
{
    struct gate *gate = context;
    const int error = latch_wait_until(&gate->latch, INT64_MAX);
    atomic_fetch_add(error == 0 && gate->value == 42 ? &gate->right : &gate->wrong, 1);
    return NULL;
}

static void all_who_wait_see_what_was_written_before_the_opening(void **state)
{
    (void)state;
    for (int round = 0; round < 200; ++round) {
        struct gate gate = {0};
        pthread_t threads[THREADS];
        latch_init(&gate.latch);
        for (int i = 0; i < THREADS; ++i)
            assert_int_equal(pthread_create(&threads[i], NULL, wait_at_gate, &gate), 0);
        if (round % 2) // in half of the rounds one waits for certain
            while (atomic_load(&gate.latch.state) != LATCH_AWAITED)
                ;
        gate.value = 42;
        latch_open(&gate.latch);
        for (int i = 0; i < THREADS; ++i)
            pthread_join(threads[i], NULL);
        assert_int_equal(atomic_load(&gate.right), THREADS);
        assert_int_equal(atomic_load(&gate.wrong), 0);
    }
}

static void a_closed_latch_times_out_and_an_open_one_never_does(void **state)
{
    (void)state;
    struct latch latch;
    struct timespec now;
    latch_init(&latch);
    assert_int_equal(latch_wait_until(&latch, INT64_MIN), -ETIMEDOUT);
    assert_int_equal(latch_wait_until(&latch, 0), -ETIMEDOUT);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    const int64_t deadline_ns = now.tv_sec * (int64_t)SECOND_NS + now.tv_nsec + 2000000;
    assert_int_equal(latch_wait_until(&latch, deadline_ns), -ETIMEDOUT);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    assert_true(now.tv_sec * (int64_t)SECOND_NS + now.tv_nsec >= deadline_ns);
    assert_false(latch_is_open(&latch));
    latch_open(&latch);
    assert_true(latch_is_open(&latch));
    assert_int_equal(latch_wait_until(&latch, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_at_a_time_holds_the_lock),
        cmocka_unit_test(who_waits_sleeps_until_the_holder_releases),
        cmocka_unit_test(all_who_wait_see_what_was_written_before_the_opening),
        cmocka_unit_test(a_closed_latch_times_out_and_an_open_one_never_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
