// SPDX-License-Identifier: MIT
// What the suites of extractions under way share: requests that lead or wait, and what comes of them.
#pragma once
#include "support/cache_fixture.h"

static int64_t now_ns;

static inline struct analysis_cache *flight_cache(size_t capacity_entries)
{
    now_ns = 0;
    return cache_with(&(struct analysis_cache_config){
        .capacity_entries = capacity_entries, .now_ns = fake_now_ns, .now_context = &now_ns});
}

static inline int request(struct analysis_cache *cache, uint64_t number,
                          struct analysis_cache_ticket **ticket)
{
    struct numbered_key key;
    struct record *record;
    const int outcome =
        analysis_cache_get_or_lead(cache, numbered_key_set(&key, number), &record, ticket);
    assert_int_equal(record != NULL, outcome == ANALYSIS_CACHE_HIT);
    assert_int_equal(*ticket != NULL,
                     outcome == ANALYSIS_CACHE_LEAD || outcome == ANALYSIS_CACHE_WAIT);
    record_unref(&record);
    return outcome;
}

static inline struct analysis_cache_ticket *lead(struct analysis_cache *cache, uint64_t number)
{
    struct analysis_cache_ticket *ticket;
    assert_int_equal(request(cache, number, &ticket), ANALYSIS_CACHE_LEAD);
    return ticket;
}

static inline struct analysis_cache_ticket *join(struct analysis_cache *cache, uint64_t number)
{
    struct analysis_cache_ticket *ticket;
    assert_int_equal(request(cache, number, &ticket), ANALYSIS_CACHE_WAIT);
    return ticket;
}

static inline void publish_number(struct analysis_cache *cache,
                                  struct analysis_cache_ticket **ticket, uint64_t number)
{
    struct record *record = record_of_number(number, 8);
    analysis_cache_publish(cache, ticket, record);
    assert_null(*ticket);
    record_unref(&record);
}

/// @return what the wait gave: 0, with a record that carries `number`, or an error.
static inline int collect(struct analysis_cache *cache, struct analysis_cache_ticket **ticket,
                          uint64_t number)
{
    struct record *record;
    const int error = analysis_cache_wait(cache, ticket, 0, &record);
    assert_int_equal(record != NULL, error == 0);
    if (record)
        assert_int_equal(record_number(record), number);
    record_unref(&record);
    return error;
}

static inline void fail_number(struct analysis_cache *cache, uint64_t number, int error)
{
    struct analysis_cache_ticket *leader = lead(cache, number);
    analysis_cache_fail(cache, &leader, error);
}
