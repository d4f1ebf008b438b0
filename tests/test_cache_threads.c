// SPDX-License-Identifier: MIT
// Many threads at once. cmocka is not thread-safe: threads count, the main thread asserts.
#include "support/cache_fixture.h"
#include "support/rng.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__SANITIZE_THREAD__)
enum { GETTERS = 200, KEYS = 200, STRESS_OPERATIONS = 6000 };
#else
enum { GETTERS = 1000, KEYS = 1000, STRESS_OPERATIONS = 20000 };
#endif

// --- Every thread asks for every key ------------------------------------------------------------

struct crowd {
    // --- immutable while threads run
    struct analysis_cache *cache;
    pthread_barrier_t start;
    // --- atomic: written by all threads, read after they are joined; counters only
    atomic_uint extractions[KEYS];
    atomic_ulong right, wrong;
};

static struct record *extract_or_wait(struct crowd *crowd, uint64_t number)
{
    struct numbered_key key;
    struct analysis_cache_ticket *ticket;
    struct record *record;
    const int outcome =
        analysis_cache_get_or_lead(crowd->cache, numbered_key_set(&key, number), &record, &ticket);
    if (outcome == ANALYSIS_CACHE_LEAD) {
        atomic_fetch_add(&crowd->extractions[number], 1);
        record = record_of_number(number, 8);
        analysis_cache_publish(crowd->cache, &ticket, record);
    } else if (outcome == ANALYSIS_CACHE_WAIT &&
               analysis_cache_wait(crowd->cache, &ticket, INT64_MAX, &record) != 0) {
        return NULL;
    }
    return record;
}

static void *ask_for_all_keys(void *context)
{
    struct crowd *crowd = context;
    pthread_barrier_wait(&crowd->start);
    for (uint64_t number = 0; number < KEYS; ++number) {
        struct record *record = extract_or_wait(crowd, number);
        if (record && record_number(record) == number)
            atomic_fetch_add(&crowd->right, 1);
        else
            atomic_fetch_add(&crowd->wrong, 1);
        record_unref(&record);
    }
    return NULL;
}

static void a_thousand_threads_cause_one_extraction_a_key(void **state)
{
    (void)state;
    static struct crowd crowd;
    static pthread_t threads[GETTERS];
    crowd.cache = cache_with(&(struct analysis_cache_config){.capacity_entries = 2 * KEYS});
    assert_int_equal(pthread_barrier_init(&crowd.start, NULL, GETTERS), 0);
    pthread_attr_t attributes;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, 256 << 10), 0);
    for (int i = 0; i < GETTERS; ++i)
        assert_int_equal(pthread_create(&threads[i], &attributes, ask_for_all_keys, &crowd), 0);
    for (int i = 0; i < GETTERS; ++i)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < KEYS; ++i)
        assert_int_equal(atomic_load(&crowd.extractions[i]), 1);
    assert_int_equal(atomic_load(&crowd.right), (unsigned long)GETTERS * KEYS);
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    const struct analysis_cache_stats stats = stats_of(crowd.cache);
    assert_int_equal(stats.hits + stats.misses, (uint64_t)GETTERS * KEYS);
    assert_int_equal(stats.insertions, KEYS);
    assert_int_equal(stats.in_flight + stats.waiters, 0);
    pthread_attr_destroy(&attributes);
    pthread_barrier_destroy(&crowd.start);
    analysis_cache_destroy(&crowd.cache);
}

// --- Files that change while they are extracted -------------------------------------------------

enum { FILES = 16, CHANGES = 2000, READERS = 3 };

struct library {
    // --- immutable while threads run
    struct analysis_cache *cache;
    // --- atomic: each file's version, raised by the changer before it invalidates, read by the
    // extractors; and the version up to which it has invalidated, read by who asks
    atomic_ulong versions[FILES], invalidated[FILES];
    // --- atomic: counters and the end
    atomic_ulong reads, stale;
    atomic_int is_over;
};

/// A hit must be of at least the version that was last invalidated before the request.
static void read_file(struct library *library, uint64_t file)
{
    struct numbered_key key;
    struct analysis_cache_ticket *ticket;
    struct record *record;
    const unsigned long at_least = atomic_load(&library->invalidated[file]);
    const int outcome =
        analysis_cache_get_or_lead(library->cache, numbered_key_set(&key, file), &record, &ticket);
    if (outcome == ANALYSIS_CACHE_LEAD) {
        record = record_of_number(atomic_load(&library->versions[file]), 8);
        for (int i = 0; i < 50; ++i) // the extraction takes its time
            (void)analysis_cache_is_cancelled(ticket);
        analysis_cache_publish(library->cache, &ticket, record);
    } else if (outcome == ANALYSIS_CACHE_WAIT) {
        if (analysis_cache_wait(library->cache, &ticket, INT64_MAX, &record) != 0)
            return;
    }
    if (record_number(record) < at_least)
        atomic_fetch_add(&library->stale, 1);
    atomic_fetch_add(&library->reads, 1);
    record_unref(&record);
}

static void *read_files(void *context)
{
    struct library *library = context;
    uint64_t seed = 11;
    while (!atomic_load(&library->is_over))
        read_file(library, rng_next(&seed) % FILES);
    return NULL;
}

static void no_stale_record_is_seen_after_an_invalidation(void **state)
{
    (void)state;
    static struct library library;
    pthread_t readers[READERS];
    library.cache = cache_with(&(struct analysis_cache_config){.capacity_entries = 50});
    for (int i = 0; i < READERS; ++i)
        assert_int_equal(pthread_create(&readers[i], NULL, read_files, &library), 0);
    uint64_t seed = 3;
    for (int i = 0; i < CHANGES || atomic_load(&library.reads) < CHANGES; ++i) {
        struct numbered_key key;
        const uint64_t file = rng_next(&seed) % FILES;
        numbered_key_set(&key, file);
        const unsigned long version = atomic_fetch_add(&library.versions[file], 1) + 1;
        analysis_cache_invalidate_path(library.cache, key.path);
        atomic_store(&library.invalidated[file], version);
    }
    atomic_store(&library.is_over, 1);
    for (int i = 0; i < READERS; ++i)
        pthread_join(readers[i], NULL);
    assert_true(atomic_load(&library.reads) >= CHANGES);
    assert_int_equal(atomic_load(&library.stale), 0);
    analysis_cache_destroy(&library.cache);
}

// --- Everything at once -------------------------------------------------------------------------

struct stress {
    // --- immutable while threads run
    struct analysis_cache *cache;
    // --- atomic: counters
    atomic_ulong requests, publications, failures, waits, gave_up, callbacks, callbacks_due, wrong,
        broken_snapshots;
};

struct stress_thread {
    struct stress *stress;
    uint64_t seed;
};

static void count_callback(void *context)
{
    atomic_fetch_add(&((struct stress *)context)->callbacks, 1);
}

static void end_as_leader(struct stress *s, struct analysis_cache_ticket **ticket, uint64_t number,
                          uint64_t choice)
{
    if (choice % 8 == 0)
        analysis_cache_lead_for_others(s->cache, *ticket);
    if (analysis_cache_is_cancelled(*ticket) || choice % 16 == 1) {
        analysis_cache_give_up(s->cache, ticket);
        atomic_fetch_add(&s->failures, 1);
    } else if (choice % 16 == 2) {
        analysis_cache_fail(s->cache, ticket, -EIO);
        atomic_fetch_add(&s->failures, 1);
    } else {
        struct record *record = record_of_number(number, choice % 300);
        analysis_cache_publish(s->cache, ticket, record);
        record_unref(&record);
        atomic_fetch_add(&s->publications, 1);
    }
}

static void end_as_waiter(struct stress *s, struct analysis_cache_ticket **ticket, uint64_t number,
                          uint64_t choice)
{
    struct record *record = NULL;
    if (choice % 4 == 0) {
        atomic_fetch_add(&s->callbacks_due, 1);
        analysis_cache_notify(s->cache, *ticket, count_callback, s);
    }
    if (choice % 4 < 2) {
        if (analysis_cache_give_up(s->cache, ticket))
            atomic_fetch_sub(&s->callbacks_due, 1);
        atomic_fetch_add(&s->gave_up, 1);
    } else if (analysis_cache_wait(s->cache, ticket, INT64_MAX, &record) == 0) {
        if (record_number(record) != number)
            atomic_fetch_add(&s->wrong, 1);
        atomic_fetch_add(&s->waits, 1);
    }
    record_unref(&record);
}

static void make_request(struct stress *s, uint64_t number, uint64_t choice)
{
    struct numbered_key key;
    struct analysis_cache_ticket *ticket;
    struct record *record;
    atomic_fetch_add(&s->requests, 1);
    switch (
        analysis_cache_get_or_lead(s->cache, numbered_key_set(&key, number), &record, &ticket)) {
    case ANALYSIS_CACHE_LEAD:
        end_as_leader(s, &ticket, number, choice);
        break;
    case ANALYSIS_CACHE_WAIT:
        end_as_waiter(s, &ticket, number, choice);
        break;
    case ANALYSIS_CACHE_HIT:
        if (record_number(record) != number)
            atomic_fetch_add(&s->wrong, 1);
        record_unref(&record);
        break;
    default: // the back-off after a failure
        break;
    }
}

static void disturb(struct stress *s, uint64_t number, uint64_t choice)
{
    struct numbered_key key;
    struct analysis_cache_stats stats;
    numbered_key_set(&key, number);
    switch (choice % 5) {
    case 0:
        analysis_cache_invalidate_path(s->cache, key.path);
        break;
    case 1:
        analysis_cache_invalidate_prefix(s->cache, "/music/1");
        break;
    case 2:
        if (choice % 7 == 0)
            analysis_cache_clear(s->cache);
        break;
    case 3:
        (void)analysis_cache_has(s->cache, &key.key);
        break;
    default:
        analysis_cache_stats(s->cache, &stats);
        if (!stats_hold(&stats))
            atomic_fetch_add(&s->broken_snapshots, 1);
    }
}

static void *run_stress(void *context)
{
    struct stress_thread *thread = context;
    for (int i = 0; i < STRESS_OPERATIONS; ++i) {
        const uint64_t number = rng_next(&thread->seed) % 150, choice = rng_next(&thread->seed);
        if (rng_next(&thread->seed) % 8 == 0)
            disturb(thread->stress, number, choice);
        else
            make_request(thread->stress, number, choice);
    }
    return NULL;
}

static void every_operation_at_once_keeps_every_identity(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    static struct stress stress;
    struct stress_thread threads[THREADS];
    pthread_t ids[THREADS];
    stress.cache = cache_with(&(struct analysis_cache_config){
        .capacity_entries = 128, .capacity_bytes = 20000, .ttl_ns = SECOND_NS / 100});
    for (int i = 0; i < THREADS; ++i) {
        threads[i] = (struct stress_thread){&stress, 20261122 + (uint64_t)i};
        assert_int_equal(pthread_create(&ids[i], NULL, run_stress, &threads[i]), 0);
    }
    for (int i = 0; i < THREADS; ++i)
        pthread_join(ids[i], NULL);

    const struct analysis_cache_stats stats = stats_of(stress.cache);
    assert_true(atomic_load(&stress.publications) > 1000);
    assert_true(atomic_load(&stress.failures) > 10);
    assert_int_equal(atomic_load(&stress.wrong), 0);
    assert_int_equal(atomic_load(&stress.broken_snapshots), 0);
    assert_int_equal(atomic_load(&stress.callbacks), atomic_load(&stress.callbacks_due));
    assert_int_equal(stats.hits + stats.misses, atomic_load(&stress.requests));
    assert_int_equal(stats.publications + stats.stale_discarded, atomic_load(&stress.publications));
    assert_int_equal(stats.failures, atomic_load(&stress.failures));
    assert_int_equal(stats.in_flight + stats.waiters, 0);
    assert_true(stats_hold(&stats) && stats.bytes <= 20000);
    analysis_cache_destroy(&stress.cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_threads_cause_one_extraction_a_key),
        cmocka_unit_test(no_stale_record_is_seen_after_an_invalidation),
        cmocka_unit_test(every_operation_at_once_keeps_every_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
