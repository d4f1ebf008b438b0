// SPDX-License-Identifier: MIT
// The whole of a one-shard cache beside a naive model of its contract, operation by operation: time,
// bytes, extractions, failures and invalidations mixed at random.
#include "support/cache_fixture.h"
#include "support/rng.h"
#include <errno.h>

enum {
    NUMBERS = 48,
    PATHS = 12, // number N has path N % PATHS, in folder N % PATHS % FOLDERS
    FOLDERS = 3,
    CAPACITY = 20,
    OPEN_FLIGHTS = 12,
    OPEN_WAITERS = 3,
    MOST_DATA_BYTES = 900,
    OPERATIONS = 30000,
};

static const int64_t TTL_NS = 40 * (int64_t)SECOND_NS, IDLE_NS = 15 * (int64_t)SECOND_NS;

// --- The model ----------------------------------------------------------------------------------

struct kept {
    uint64_t number, value;
    size_t bytes;
    int64_t inserted_ns, used_ns;
};

struct failed {
    uint64_t number;
    int64_t delay_ns, retry_at_ns;
};

struct flown {                            // an extraction, with the real tickets
    struct analysis_cache_ticket *leader; // NULL: this place is free
    struct analysis_cache_ticket *waiters[OPEN_WAITERS];
    uint64_t number;
    size_t n_waiting;
    int leader_is_interested, is_joinable, is_stale, is_cancelled;
};

struct model {
    size_t capacity_bytes, overhead_bytes; // of an entry beyond its record's data
    int64_t ttl_ns, idle_ns, now_ns;
    size_t n_kept, n_failed;
    struct kept kept[CAPACITY];     // the most recently used first
    struct failed failed[CAPACITY]; // the latest first
    struct flown flown[OPEN_FLIGHTS];
    struct analysis_cache_stats stats;
    struct analysis_cache *cache; // the real one
    uint64_t seed;
};

static void drop_kept(struct model *m, size_t at)
{
    m->stats.bytes -= m->kept[at].bytes;
    --m->stats.entries;
    --m->n_kept;
    memmove(&m->kept[at], &m->kept[at + 1], (m->n_kept - at) * sizeof(m->kept[0]));
}

static size_t place_of(const struct model *m, uint64_t number)
{
    size_t at = 0;
    while (at < m->n_kept && m->kept[at].number != number)
        ++at;
    return at;
}

static void model_expire(struct model *m)
{
    for (size_t at = m->n_kept; at-- > 0;) {
        if (m->now_ns - m->kept[at].inserted_ns < m->ttl_ns &&
            m->now_ns - m->kept[at].used_ns < m->idle_ns)
            continue;
        drop_kept(m, at);
        ++m->stats.expirations;
    }
}

static void model_forget_failure(struct model *m, size_t at)
{
    --m->n_failed;
    memmove(&m->failed[at], &m->failed[at + 1], (m->n_failed - at) * sizeof(m->failed[0]));
}

static size_t failure_of(const struct model *m, uint64_t number)
{
    size_t at = 0;
    while (at < m->n_failed && m->failed[at].number != number)
        ++at;
    return at;
}

/// @return the value, or 0 on a miss.
static uint64_t model_hit(struct model *m, uint64_t number)
{
    const size_t at = place_of(m, number);
    if (at == m->n_kept)
        return 0;
    struct kept kept = m->kept[at];
    kept.used_ns = m->now_ns;
    memmove(&m->kept[1], &m->kept[0], at * sizeof(kept));
    m->kept[0] = kept;
    ++m->stats.hits;
    return kept.value;
}

static void model_insert(struct model *m, uint64_t number, uint64_t value, size_t data_bytes)
{
    const size_t bytes = m->overhead_bytes + data_bytes;
    if (bytes > m->capacity_bytes) {
        ++m->stats.refused;
        return;
    }
    const size_t same = place_of(m, number);
    if (same < m->n_kept) {
        drop_kept(m, same);
        ++m->stats.replacements;
    }
    while (m->stats.bytes + bytes > m->capacity_bytes || m->n_kept == CAPACITY) {
        drop_kept(m, m->n_kept - 1);
        ++m->stats.evictions;
    }
    if (failure_of(m, number) < m->n_failed)
        model_forget_failure(m, failure_of(m, number));
    memmove(&m->kept[1], &m->kept[0], m->n_kept * sizeof(m->kept[0]));
    m->kept[0] = (struct kept){number, value, bytes, m->now_ns, m->now_ns};
    ++m->n_kept;
    ++m->stats.entries;
    ++m->stats.insertions;
    m->stats.bytes += bytes;
}

static void model_fail(struct model *m, uint64_t number)
{
    int64_t delay_ns = SECOND_NS;
    const size_t before = failure_of(m, number);
    if (before < m->n_failed) {
        delay_ns = m->failed[before].delay_ns * 2;
        if (delay_ns > 60 * (int64_t)SECOND_NS)
            delay_ns = 60 * (int64_t)SECOND_NS;
        model_forget_failure(m, before);
    }
    if (m->n_failed == CAPACITY)
        --m->n_failed;
    memmove(&m->failed[1], &m->failed[0], m->n_failed * sizeof(m->failed[0]));
    m->failed[0] = (struct failed){number, delay_ns, m->now_ns + delay_ns};
    ++m->n_failed;
}

static struct flown *flight_of(struct model *m, uint64_t number)
{
    for (int i = 0; i < OPEN_FLIGHTS; ++i)
        if (m->flown[i].leader && m->flown[i].is_joinable && m->flown[i].number == number)
            return &m->flown[i];
    return NULL;
}

static struct flown *free_flight(struct model *m)
{
    for (int i = 0; i < OPEN_FLIGHTS; ++i)
        if (!m->flown[i].leader)
            return &m->flown[i];
    return NULL;
}

static void model_lose_interest(struct flown *f)
{
    if (f->leader_is_interested || f->n_waiting > 0)
        return;
    f->is_cancelled = 1;
    f->is_joinable = 0;
}

// --- The same on both ---------------------------------------------------------------------------

static struct analysis_cache_key key_of(struct numbered_key *key, uint64_t number)
{
    numbered_key_set(key, number);
    snprintf(key->path, sizeof(key->path), "/m/%02llu/%02llu",
             (unsigned long long)(number % PATHS % FOLDERS), (unsigned long long)(number % PATHS));
    return key->key;
}

static void acquire(struct model *m, uint64_t number)
{
    struct numbered_key storage;
    const struct analysis_cache_key key = key_of(&storage, number);
    model_expire(m);
    const uint64_t expected = model_hit(m, number);
    m->stats.misses += expected == 0;
    struct record *record = analysis_cache_acquire(m->cache, &key);
    assert_int_equal(record ? record_number(record) : 0, expected);
    record_unref(&record);
}

static void peek(struct model *m, uint64_t number)
{
    struct numbered_key storage;
    const struct analysis_cache_key key = key_of(&storage, number);
    model_expire(m);
    const size_t at = place_of(m, number);
    struct record *record = analysis_cache_peek(m->cache, &key);
    assert_int_equal(record ? record_number(record) : 0, at < m->n_kept ? m->kept[at].value : 0);
    assert_int_equal(analysis_cache_has(m->cache, &key), at < m->n_kept);
    record_unref(&record);
}

static struct record *random_record(struct model *m, uint64_t *value, size_t *data_bytes)
{
    *value = rng_next(&m->seed) | 1;
    *data_bytes = 8 + rng_next(&m->seed) % (MOST_DATA_BYTES - 8);
    if (rng_next(&m->seed) % 50 == 0)
        *data_bytes = m->capacity_bytes; // with its entry too large
    struct record *record = record_of_number(*value, *data_bytes);
    assert_non_null(record);
    return record;
}

static void insert(struct model *m, uint64_t number)
{
    struct numbered_key storage;
    const struct analysis_cache_key key = key_of(&storage, number);
    uint64_t value;
    size_t data_bytes;
    struct record *record = random_record(m, &value, &data_bytes);
    model_expire(m);
    model_insert(m, number, value, data_bytes);
    assert_int_equal(
        analysis_cache_insert(m->cache, &key, record, analysis_cache_generation(m->cache)), 0);
    record_unref(&record);
}

static void give_up_waiter(struct model *m, struct flown *f)
{
    --f->n_waiting;
    --m->stats.waiters;
    assert_int_equal(analysis_cache_give_up(m->cache, &f->waiters[f->n_waiting]), 0);
    model_lose_interest(f);
}

static void request(struct model *m, uint64_t number)
{
    struct numbered_key storage;
    const struct analysis_cache_key key = key_of(&storage, number);
    struct flown *flight = flight_of(m, number), *place = free_flight(m);
    if (!place || (flight && flight->n_waiting == OPEN_WAITERS))
        return;
    model_expire(m);
    const uint64_t value = model_hit(m, number);
    const size_t failure = failure_of(m, number);
    int expected = ANALYSIS_CACHE_LEAD;
    if (value)
        expected = ANALYSIS_CACHE_HIT;
    else if (flight)
        expected = ANALYSIS_CACHE_WAIT;
    else if (failure < m->n_failed && m->now_ns < m->failed[failure].retry_at_ns)
        expected = -EIO;
    m->stats.misses += !value;

    struct record *record;
    struct analysis_cache_ticket *ticket;
    assert_int_equal(analysis_cache_get_or_lead(m->cache, &key, &record, &ticket), expected);
    assert_int_equal(record ? record_number(record) : 0, value);
    record_unref(&record);
    if (expected == ANALYSIS_CACHE_WAIT) {
        flight->waiters[flight->n_waiting++] = ticket;
        ++m->stats.waiters;
    } else if (expected == ANALYSIS_CACHE_LEAD) {
        *place = (struct flown){
            .leader = ticket, .number = number, .leader_is_interested = 1, .is_joinable = 1};
        ++m->stats.leads;
        ++m->stats.in_flight;
    }
}

static void collect(struct model *m, struct flown *f, int expected, uint64_t value)
{
    for (size_t i = 0; i < f->n_waiting; ++i) {
        struct record *record;
        assert_int_equal(analysis_cache_wait(m->cache, &f->waiters[i], 0, &record), expected);
        assert_int_equal(record ? record_number(record) : 0, value);
        record_unref(&record);
    }
    --m->stats.in_flight;
    m->stats.waiters -= f->n_waiting;
    *f = (struct flown){0};
}

static void publish(struct model *m, struct flown *f)
{
    uint64_t value;
    size_t data_bytes;
    struct record *record = random_record(m, &value, &data_bytes);
    if (f->is_stale) {
        ++m->stats.stale_discarded;
    } else {
        model_expire(m);
        model_insert(m, f->number, value, data_bytes);
        ++m->stats.publications;
    }
    analysis_cache_publish(m->cache, &f->leader, record);
    record_unref(&record);
    collect(m, f, 0, value);
}

static void end_with_error(struct model *m, struct flown *f, int error)
{
    if (error != -ECANCELED && !f->is_stale)
        model_fail(m, f->number);
    ++m->stats.failures;
    if (error == -ECANCELED)
        analysis_cache_give_up(m->cache, &f->leader);
    else
        analysis_cache_fail(m->cache, &f->leader, error);
    collect(m, f, error, 0);
}

static void go_on_with(struct model *m, struct flown *f)
{
    if (!f->leader)
        return;
    assert_int_equal(analysis_cache_is_cancelled(f->leader), f->is_cancelled);
    switch (rng_next(&m->seed) % 8) {
    case 0:
        end_with_error(m, f, -ECANCELED);
        break;
    case 1:
    case 2:
        end_with_error(m, f, -EIO);
        break;
    case 3:
        if (f->leader_is_interested) {
            f->leader_is_interested = 0;
            model_lose_interest(f);
            analysis_cache_lead_for_others(m->cache, f->leader);
        }
        break;
    case 4:
        if (f->n_waiting > 0)
            give_up_waiter(m, f);
        break;
    default:
        publish(m, f);
    }
}

static int is_covered(uint64_t number, uint64_t path, uint64_t folder)
{
    return (path == PATHS || number % PATHS == path) &&
           (folder == FOLDERS || number % PATHS % FOLDERS == folder);
}

/// PATHS or FOLDERS: any.
static size_t model_invalidate(struct model *m, uint64_t path, uint64_t folder)
{
    size_t count = 0;
    model_expire(m);
    for (size_t at = m->n_kept; at-- > 0;) {
        if (!is_covered(m->kept[at].number, path, folder))
            continue;
        drop_kept(m, at);
        ++count;
    }
    for (size_t at = m->n_failed; at-- > 0;)
        if (is_covered(m->failed[at].number, path, folder))
            model_forget_failure(m, at);
    for (int i = 0; i < OPEN_FLIGHTS; ++i) {
        if (!m->flown[i].leader || !is_covered(m->flown[i].number, path, folder))
            continue;
        m->flown[i].is_stale = 1;
        m->flown[i].is_joinable = 0;
    }
    m->stats.invalidations += count;
    return count;
}

static void invalidate(struct model *m, uint64_t number)
{
    struct numbered_key storage;
    key_of(&storage, number);
    const uint64_t path = number % PATHS;
    switch (rng_next(&m->seed) % 8) {
    case 0:
        assert_int_equal(analysis_cache_clear(m->cache), model_invalidate(m, PATHS, FOLDERS));
        break;
    case 1:
    case 2:
        storage.path[5] = '\0'; // "/m/NN"
        assert_int_equal(analysis_cache_invalidate_prefix(m->cache, storage.path),
                         model_invalidate(m, PATHS, path % FOLDERS));
        break;
    default:
        assert_int_equal(analysis_cache_invalidate_path(m->cache, storage.path),
                         model_invalidate(m, path, FOLDERS));
    }
}

static void expect_same_figures(struct model *m)
{
    model_expire(m);
    const struct analysis_cache_stats stats = stats_of(m->cache);
    assert_true(stats_hold(&stats));
    assert_memory_equal(&stats, &m->stats, sizeof(stats));
}

static void step(struct model *m)
{
    // Most often one of a few numbers, so that hits, replacements and joins come about.
    const uint64_t number = rng_next(&m->seed) % (1 + rng_next(&m->seed) % NUMBERS);
    if (rng_next(&m->seed) % 4 == 0)
        m->now_ns += (int64_t)(rng_next(&m->seed) % SECOND_NS);
    if (rng_next(&m->seed) % 300 == 0)
        m->now_ns += (int64_t)(rng_next(&m->seed) % 60) * SECOND_NS;
    switch (rng_next(&m->seed) % 32) {
    case 0:
        invalidate(m, number);
        break;
    case 1:
    case 2:
        insert(m, number);
        break;
    case 3:
        peek(m, number);
        break;
    case 4:
        expect_same_figures(m);
        break;
    default:
        if (rng_next(&m->seed) % 3 == 0)
            go_on_with(m, &m->flown[rng_next(&m->seed) % OPEN_FLIGHTS]);
        else if (rng_next(&m->seed) % 2)
            request(m, number);
        else
            acquire(m, number);
    }
}

/// What an entry takes beside its record's data: one insertion into another cache tells.
static size_t overhead_bytes(void)
{
    struct numbered_key storage;
    const struct analysis_cache_key key = key_of(&storage, 1);
    struct analysis_cache *cache =
        cache_with(&(struct analysis_cache_config){.capacity_entries = 1});
    struct record *record = record_of_number(1, 100);
    assert_int_equal(analysis_cache_insert(cache, &key, record, 0), 0);
    const size_t bytes = stats_of(cache).bytes;
    record_unref(&record);
    analysis_cache_destroy(&cache);
    return bytes - 100;
}

static void expect_model(int64_t ttl_ns, int64_t idle_ns, uint64_t seed)
{
    struct model m = {
        .overhead_bytes = overhead_bytes(),
        .ttl_ns = ttl_ns ? ttl_ns : INT64_MAX,
        .idle_ns = idle_ns ? idle_ns : INT64_MAX,
        .seed = seed,
    };
    m.capacity_bytes = 14 * (m.overhead_bytes + MOST_DATA_BYTES / 2);
    m.cache = cache_with(&(struct analysis_cache_config){.capacity_entries = CAPACITY,
                                                         .capacity_bytes = m.capacity_bytes,
                                                         .ttl_ns = ttl_ns,
                                                         .idle_ns = idle_ns,
                                                         .shards = 1,
                                                         .now_ns = fake_now_ns,
                                                         .now_context = &m.now_ns});
    for (int i = 0; i < OPERATIONS; ++i)
        step(&m);
    for (int i = 0; i < OPEN_FLIGHTS; ++i)
        if (m.flown[i].leader)
            publish(&m, &m.flown[i]);
    expect_same_figures(&m);
    assert_true(m.stats.hits > 1000 && m.stats.evictions > 200 && m.stats.replacements > 100);
    assert_true(m.stats.publications > 300 && m.stats.failures > 200 && m.stats.refused > 10);
    assert_true(m.stats.stale_discarded > 50 && m.stats.invalidations > 200);
    assert_true((ttl_ns || idle_ns) == (m.stats.expirations > 100));
    analysis_cache_destroy(&m.cache);
}

static void without_expiry_it_does_what_the_model_does(void **state)
{
    (void)state;
    expect_model(0, 0, 20261123);
    expect_model(0, 0, 1);
}

static void with_a_time_to_live_it_does_what_the_model_does(void **state)
{
    (void)state;
    expect_model(TTL_NS, 0, 20261124);
    expect_model(TTL_NS, 0, 2);
}

static void with_an_idle_limit_it_does_what_the_model_does(void **state)
{
    (void)state;
    expect_model(0, IDLE_NS, 20261125);
    expect_model(TTL_NS, IDLE_NS, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_expiry_it_does_what_the_model_does),
        cmocka_unit_test(with_a_time_to_live_it_does_what_the_model_does),
        cmocka_unit_test(with_an_idle_limit_it_does_what_the_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
