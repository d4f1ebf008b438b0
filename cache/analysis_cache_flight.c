// SPDX-License-Identifier: MIT
// Single flight: leading, waiting, giving up, publishing, failing.
#include "cache/analysis_cache_impl.h"
#include <errno.h>
#include <stdlib.h>

/// What a caller may need to take part in an extraction; made before the lock is taken.
struct proposal {
    struct analysis_cache_ticket *ticket;
    struct flight *flight;
};

static int propose(struct proposal *proposal, struct shard *shard,
                   const struct analysis_cache_key *key, uint64_t hash)
{
    proposal->ticket = malloc(sizeof(*proposal->ticket));
    proposal->flight = proposal->ticket ? flight_create(shard, key, hash) : NULL;
    if (proposal->flight)
        return 0;
    free(proposal->ticket);
    return -ENOMEM;
}

/// Find a record, or an error to answer with. @return ANALYSIS_CACHE_HIT, an error, or
/// ANALYSIS_CACHE_LEAD where there is neither: the caller must join or lead.
static int look_up_locked(struct shard *shard, const struct analysis_cache_key *key, uint64_t hash,
                          int64_t now_ns, struct record **record, struct garbage *garbage)
    REQUIRES(shard->lock)
{
    *record = store_acquire(&shard->store, hash, key, now_ns, &garbage->entries);
    if (*record)
        return ANALYSIS_CACHE_HIT;
    if (flights_find(&shard->flights, hash, key))
        return ANALYSIS_CACHE_LEAD;
    const int error = backoff_error(&shard->backoff, hash, key, now_ns);
    if (!error)
        return ANALYSIS_CACHE_LEAD;
    ++shard->store.stats.misses;
    return error;
}

static int take_part_locked(struct shard *shard, const struct analysis_cache_key *key,
                            uint64_t hash, struct proposal *proposal) REQUIRES(shard->lock)
{
    ++shard->store.stats.misses;
    struct flight *flight = flights_find(&shard->flights, hash, key);
    if (flight) {
        flights_join(&shard->flights, flight, proposal->ticket);
        return ANALYSIS_CACHE_WAIT;
    }
    flights_start(&shard->flights, proposal->flight, proposal->ticket);
    proposal->flight = NULL;
    return ANALYSIS_CACHE_LEAD;
}

int analysis_cache_get_or_lead(struct analysis_cache *cache, const struct analysis_cache_key *key,
                               struct record **record, struct analysis_cache_ticket **ticket)
{
    assert(key->path);
    const uint64_t hash = hash_of(key);
    struct shard *shard = shard_of(cache, hash);
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    struct garbage garbage;
    garbage_init(&garbage);
    *record = NULL;
    *ticket = NULL;

    lock_acquire(&shard->lock);
    int outcome = look_up_locked(shard, key, hash, shard_tick(shard, now_ns), record, &garbage);
    lock_release(&shard->lock);
    garbage_free(&garbage);
    if (outcome != ANALYSIS_CACHE_LEAD)
        return outcome;

    struct proposal proposal;
    const int error = propose(&proposal, shard, key, hash);
    if (error)
        return error;
    // It may have arrived since.
    lock_acquire(&shard->lock);
    outcome = look_up_locked(shard, key, hash, shard_tick(shard, now_ns), record, &garbage);
    if (outcome == ANALYSIS_CACHE_LEAD) {
        outcome = take_part_locked(shard, key, hash, &proposal);
        *ticket = proposal.ticket;
    }
    lock_release(&shard->lock);
    if (!*ticket)
        free(proposal.ticket);
    flight_destroy(&proposal.flight);
    garbage_free(&garbage);
    return outcome;
}

/// Free the ticket, and its flight with the last one.
static void close_ticket(struct analysis_cache_ticket **ticket)
{
    struct analysis_cache_ticket *mine = *ticket;
    struct shard *shard = mine->flight->shard;
    *ticket = NULL;
    lock_acquire(&shard->lock);
    struct flight *last = ticket_close(mine);
    lock_release(&shard->lock);
    free(mine);
    flight_destroy(&last);
}

/// Call back those who asked for it; the leader's ticket keeps the flight alive meanwhile.
static void call_back(struct flight *flight)
{
    struct shard *shard = flight->shard;
    for (;;) {
        void (*fn)(void *context) = NULL;
        void *context = NULL;
        lock_acquire(&shard->lock);
        const int is_due = flight_next_callback(flight, &fn, &context);
        lock_release(&shard->lock);
        if (!is_due)
            return;
        fn(context);
    }
}

void analysis_cache_publish(struct analysis_cache *cache, struct analysis_cache_ticket **ticket,
                            struct record *record)
{
    assert(record && (*ticket)->role == TICKET_LEADER);
    struct flight *flight = (*ticket)->flight;
    struct insertion in = {.entry = flight->entry, .flight = flight};
    flight->entry = NULL;
    const int error = insertion_keep(cache, flight->shard, &in, record);
    (void)error; // the waiters have it, kept or not
    call_back(flight);
    close_ticket(ticket);
}

void analysis_cache_fail(struct analysis_cache *cache, struct analysis_cache_ticket **ticket,
                         int error)
{
    assert(error < 0 && (*ticket)->role == TICKET_LEADER);
    struct flight *flight = (*ticket)->flight;
    struct shard *shard = flight->shard;
    const struct analysis_cache_key key = {flight->key, flight->node.key_bytes,
                                           key_node_path(&flight->node)};
    // Without memory there is no back-off, and the next request tries again at once.
    struct garbage garbage;
    garbage_init(&garbage);
    struct failure *failure = error != -ECANCELED && cache->capacity_entries > 0
                                  ? failure_create(&key, flight->node.hash, error)
                                  : NULL;
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    lock_acquire(&shard->lock);
    if (failure && !flight->is_stale) {
        backoff_add(&shard->backoff, failure, shard_tick(shard, now_ns), &garbage.failures);
        failure = NULL;
    }
    flights_end(&shard->flights, flight, NULL, error);
    lock_release(&shard->lock);
    failure_destroy_all(&failure);
    garbage_free(&garbage);
    call_back(flight);
    close_ticket(ticket);
}

int analysis_cache_wait(struct analysis_cache *cache, struct analysis_cache_ticket **ticket,
                        int64_t deadline_ns, struct record **record)
{
    (void)cache; // the ticket knows its shard
    assert((*ticket)->role == TICKET_WAITER);
    struct flight *flight = (*ticket)->flight;
    *record = NULL;
    const int error = latch_wait_until(&flight->ended, deadline_ns);
    if (error)
        return error;
    *record = flight->record ? record_ref(flight->record) : NULL;
    const int outcome = flight->error;
    close_ticket(ticket);
    return outcome;
}

void analysis_cache_notify(struct analysis_cache *cache, struct analysis_cache_ticket *ticket,
                           void (*fn)(void *context), void *context)
{
    (void)cache; // the ticket knows its shard
    assert(fn && ticket->role == TICKET_WAITER && !ticket->fn);
    struct flight *flight = ticket->flight;
    struct shard *shard = flight->shard;
    lock_acquire(&shard->lock);
    ticket->fn = fn;
    ticket->context = context;
    const int has_ended = latch_is_open(&flight->ended);
    if (!has_ended)
        list_add_first(&flight->waiters, &ticket->link);
    lock_release(&shard->lock);
    if (has_ended)
        fn(context);
}

int analysis_cache_give_up(struct analysis_cache *cache, struct analysis_cache_ticket **ticket)
{
    struct analysis_cache_ticket *mine = *ticket;
    if (mine->role == TICKET_LEADER) {
        analysis_cache_fail(cache, ticket, -ECANCELED);
        return 0;
    }
    struct shard *shard = mine->flight->shard;
    lock_acquire(&shard->lock);
    const int is_withdrawn = ticket_withdraw_callback(mine);
    flights_lose_interest(&shard->flights, mine);
    lock_release(&shard->lock);
    close_ticket(ticket);
    return is_withdrawn;
}

void analysis_cache_lead_for_others(struct analysis_cache *cache,
                                    struct analysis_cache_ticket *ticket)
{
    (void)cache; // the ticket knows its shard
    assert(ticket->role == TICKET_LEADER);
    struct shard *shard = ticket->flight->shard;
    lock_acquire(&shard->lock);
    flights_lose_interest(&shard->flights, ticket);
    lock_release(&shard->lock);
}

int analysis_cache_is_cancelled(const struct analysis_cache_ticket *ticket)
{
    return atomic_load_explicit(&ticket->flight->is_cancelled, memory_order_relaxed);
}
