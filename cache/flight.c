// SPDX-License-Identifier: MIT
#include "cache/flight.h"
#include "cache/store.h"
#include <assert.h>
#include <stdlib.h>

// Far more than workers extract at a time.
enum { EXPECTED_FLIGHTS = 256 };

int flights_init(struct flights *flights)
{
    *flights = (struct flights){0};
    list_init(&flights->running);
    return key_table_init(&flights->joinable, EXPECTED_FLIGHTS);
}

void flights_deinit(struct flights *flights)
{
    assert(flights->in_flight == 0 && flights->waiters == 0);
    key_table_deinit(&flights->joinable);
}

struct flight *flight_create(struct shard *shard, const struct analysis_cache_key *key,
                             uint64_t hash)
{
    struct flight *flight = calloc(1, sizeof(*flight) + key_copy_bytes(key));
    if (!flight)
        return NULL;
    flight->entry = entry_create(key, hash);
    if (!flight->entry) {
        free(flight);
        return NULL;
    }
    latch_init(&flight->ended);
    flight->shard = shard;
    key_node_init(&flight->node, flight->key, key, hash);
    list_init(&flight->running);
    list_init(&flight->waiters);
    atomic_init(&flight->is_cancelled, 0);
    return flight;
}

void flight_destroy(struct flight **flight)
{
    struct flight *mine = *flight;
    *flight = NULL;
    if (!mine)
        return;
    assert(mine->tickets == 0 && list_is_empty(&mine->running) && list_is_empty(&mine->waiters));
    entry_destroy(&mine->entry);
    record_unref(&mine->record);
    free(mine);
}

struct flight *flights_find(const struct flights *flights, uint64_t hash,
                            const struct analysis_cache_key *key)
{
    struct key_node *node = key_table_find(&flights->joinable, hash, key->bytes, key->size);
    return node ? LIST_ENTRY(node, struct flight, node) : NULL;
}

static void issue(struct flight *flight, struct analysis_cache_ticket *ticket,
                  enum ticket_role role)
{
    *ticket = (struct analysis_cache_ticket){.flight = flight, .role = role, .is_interested = 1};
    list_init(&ticket->link);
    ++flight->tickets;
    ++flight->interested;
}

void flights_start(struct flights *flights, struct flight *flight,
                   struct analysis_cache_ticket *ticket)
{
    assert(flight->tickets == 0);
    key_table_add(&flights->joinable, &flight->node);
    list_add_first(&flights->running, &flight->running);
    issue(flight, ticket, TICKET_LEADER);
    ++flights->leads;
    ++flights->in_flight;
}

void flights_join(struct flights *flights, struct flight *flight,
                  struct analysis_cache_ticket *ticket)
{
    assert(!latch_is_open(&flight->ended) && !flight->is_detached);
    issue(flight, ticket, TICKET_WAITER);
    ++flight->n_waiting;
    ++flights->waiters;
}

static void detach(struct flights *flights, struct flight *flight)
{
    if (flight->is_detached)
        return;
    key_table_remove(&flights->joinable, &flight->node);
    flight->is_detached = 1;
}

void flights_lose_interest(struct flights *flights, struct analysis_cache_ticket *ticket)
{
    struct flight *flight = ticket->flight;
    assert(ticket->is_interested && flight->interested > 0);
    ticket->is_interested = 0;
    --flight->interested;
    if (latch_is_open(&flight->ended))
        return;
    if (ticket->role == TICKET_WAITER) {
        --flight->n_waiting;
        --flights->waiters;
    }
    if (flight->interested > 0)
        return;
    // The leader may see this at any time and stop, so a newcomer must not be let in.
    atomic_store_explicit(&flight->is_cancelled, 1, memory_order_relaxed);
    detach(flights, flight);
}

void flights_end(struct flights *flights, struct flight *flight, struct record *record, int error)
{
    assert(!latch_is_open(&flight->ended) && (record != NULL) == (error == 0));
    detach(flights, flight);
    list_remove(&flight->running);
    flight->error = error;
    flight->record = record ? record_ref(record) : NULL;
    if (!record)
        ++flights->failures;
    else if (flight->is_stale)
        ++flights->stale_discarded;
    else
        ++flights->publications;
    --flights->in_flight;
    flights->waiters -= flight->n_waiting;
    latch_open(&flight->ended);
}

void flights_invalidate(struct flights *flights, const struct scope *scope)
{
    for (struct list *at = flights->running.next; at != &flights->running; at = at->next) {
        struct flight *flight = LIST_ENTRY(at, struct flight, running);
        if (flight->is_stale || !scope_has(scope, key_node_path(&flight->node)))
            continue;
        flight->is_stale = 1;
        detach(flights, flight);
    }
}

int flight_next_callback(struct flight *flight, void (**fn)(void *context), void **context)
{
    assert(latch_is_open(&flight->ended));
    if (list_is_empty(&flight->waiters))
        return 0;
    struct analysis_cache_ticket *ticket =
        LIST_ENTRY(flight->waiters.previous, struct analysis_cache_ticket, link);
    *fn = ticket->fn;
    *context = ticket->context;
    list_remove(&ticket->link);
    return 1;
}

int ticket_withdraw_callback(struct analysis_cache_ticket *ticket)
{
    const int was_to_come = !list_is_empty(&ticket->link);
    list_remove(&ticket->link);
    return was_to_come;
}

struct flight *ticket_close(struct analysis_cache_ticket *ticket)
{
    struct flight *flight = ticket->flight;
    assert(flight->tickets > 0);
    list_remove(&ticket->link);
    return --flight->tickets == 0 ? flight : NULL;
}
