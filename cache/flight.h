// SPDX-License-Identifier: MIT
// Extractions under way: one for each missing key, with its leader and its waiters.
#pragma once
#include "cache/analysis_cache.h"
#include "cache/key_table.h"
#include "cache/latch.h"
#include "cache/list.h"
#include "cache/scope.h"
#include <stdatomic.h>

struct entry;
struct shard;

struct flight {
    // --- immutable after flight_start()
    struct shard *shard;
    // --- protected by the shard's lock
    struct key_node node; // in flights.joinable unless `is_detached`
    struct list running;  // in flights.running until it ends
    struct list waiters;  // tickets with a callback to come
    int is_detached;      // nobody can join any more
    int is_stale;         // its key was invalidated
    size_t tickets;       // open; the flight is freed with the last one
    size_t interested;    // those that want the result
    size_t n_waiting;     // waiters among them
    // --- written by the leader under the lock before it opens `ended`, immutable after that
    struct latch ended;
    struct record *record; // of one without error
    int error;
    // --- the leader alone
    struct entry *entry; // where the record will be kept; NULL once it is in the store
    // --- atomic: written under the lock by the last one to give up, read by the leader at its work.
    // Relaxed: it carries nothing but itself.
    atomic_int is_cancelled;
    // --- immutable after flight_create()
    unsigned char key[];
};

enum ticket_role { TICKET_LEADER, TICKET_WAITER };

struct analysis_cache_ticket {
    // --- immutable
    struct flight *flight;
    enum ticket_role role;
    // --- protected by the shard's lock
    int is_interested;
    struct list link; // in flight.waiters while a callback is to come
    void (*fn)(void *context);
    void *context;
};

/// One shard's flights. Thread-safety: None; the shard's lock protects it and them.
struct flights {
    struct key_table joinable; // by key
    struct list running;       // those too that nobody can join any more
    uint64_t leads, publications, failures, stale_discarded;
    size_t in_flight, waiters;
};

/// @return 0; -ENOMEM, and then flights_deinit() is fine.
MUST_CHECK int flights_init(struct flights *flights);
void flights_deinit(struct flights *flights);

/// A flight not yet started, with an entry for its record. @return NULL without memory.
MUST_CHECK struct flight *flight_create(struct shard *shard, const struct analysis_cache_key *key,
                                        uint64_t hash);
/// Free it and set *flight to NULL. NULL is fine.
void flight_destroy(struct flight **flight);

/// @return a flight that can be joined, or NULL.
struct flight *flights_find(const struct flights *flights, uint64_t hash,
                            const struct analysis_cache_key *key);
/// Enter a flight that is not there, with `ticket` as its leader's.
void flights_start(struct flights *flights, struct flight *flight,
                   struct analysis_cache_ticket *ticket);
void flights_join(struct flights *flights, struct flight *flight,
                  struct analysis_cache_ticket *ticket);
/// The ticket's owner no longer wants the result: the last one's leaving cancels the flight.
void flights_lose_interest(struct flights *flights, struct analysis_cache_ticket *ticket);
/// End with `record` (a new reference is taken) or, where it is NULL, `error`, and let go who waits.
void flights_end(struct flights *flights, struct flight *flight, struct record *record, int error);
/// Mark those in `scope` stale: none can be joined, and none will be kept.
void flights_invalidate(struct flights *flights, const struct scope *scope);

/// Take a callback that is due off an ended flight. @return 0 if there is none.
int flight_next_callback(struct flight *flight, void (**fn)(void *context), void **context);
/// Take the ticket's callback back. @return 1 if one was still to come.
int ticket_withdraw_callback(struct analysis_cache_ticket *ticket);
/// Close a ticket. @return the flight if it was the last one, to be destroyed; else NULL.
struct flight *ticket_close(struct analysis_cache_ticket *ticket);
