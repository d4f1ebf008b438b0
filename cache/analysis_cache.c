// SPDX-License-Identifier: MIT
// All locking of the cache is here. What the other files remove from a shard is freed, and callbacks
// are made, after its lock is released; memory is allocated and the clock read before it is taken.
#include "cache/analysis_cache.h"
#include "cache/key_hash.h"
#include "cache/shard.h"
#include "cache/tick_clock.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    MOST_SHARDS = 64,
    LEAST_SHARD_ENTRIES = 32,
    MOST_ROOM_ATTEMPTS = 4, // each fails only if other threads took the bytes it had made free
};

struct analysis_cache {
    // --- immutable after creation
    struct shard *shards;
    unsigned n_shards;
    unsigned shard_bits; // n_shards == 1 << shard_bits
    size_t capacity_entries;
    // --- atomic: see tick_clock.h and budget.h
    struct tick_clock clock;
    struct budget budget;
    // --- atomic: raised by an invalidation before it takes any shard's lock. Under a shard's lock
    // an insertion reads it relaxed, since the lock orders them: one that still reads the old number
    // has the lock before the invalidation, which then removes what was inserted. Whoever is about
    // to read a lower tier acquires it, so that with the new number comes what was changed below.
    _Atomic uint64_t generation;
};

/// What was taken out of a shard under its lock, to be freed outside.
struct garbage {
    struct entry *entries;
    struct failure *failures;
};

static void free_garbage(struct garbage *garbage)
{
    entry_destroy_all(&garbage->entries);
    failure_destroy_all(&garbage->failures);
}

// --- Making and unmaking ------------------------------------------------------------------------

struct analysis_cache_config analysis_cache_config_default(void)
{
    return (struct analysis_cache_config){
        .capacity_entries = 50,
        .capacity_bytes = (size_t)64 << 20,
        .ttl_ns = (int64_t)3600 * 1000000000,
    };
}

static unsigned shards_by_default(size_t capacity_entries)
{
    unsigned shards = 1;
    while (shards < MOST_SHARDS && capacity_entries / (shards * 2) >= LEAST_SHARD_ENTRIES)
        shards *= 2;
    return shards;
}

static int has_valid_shards(const struct analysis_cache_config *config)
{
    const unsigned shards = config->shards;
    if (shards <= 1)
        return 1;
    return shards <= MOST_SHARDS && (shards & (shards - 1)) == 0 &&
           config->capacity_entries / shards >= LEAST_SHARD_ENTRIES;
}

static int init_shards(struct analysis_cache *cache, const struct analysis_cache_config *config)
{
    const unsigned shards =
        config->shards ? config->shards : shards_by_default(config->capacity_entries);
    cache->shards = aligned_alloc(SHARD_ALIGNMENT_BYTES, shards * sizeof(struct shard));
    if (!cache->shards)
        return -ENOMEM;
    for (unsigned i = 0; i < shards; ++i) {
        const struct store_limits limits = {
            .entries = config->capacity_entries / shards + (i < config->capacity_entries % shards),
            .ttl_ns = config->ttl_ns,
            .idle_ns = config->idle_ns,
        };
        const int error = shard_init(&cache->shards[i], &limits, &cache->budget);
        if (error)
            return error;
        cache->n_shards = i + 1;
    }
    while (1U << cache->shard_bits < shards)
        ++cache->shard_bits;
    return 0;
}

int analysis_cache_create(struct analysis_cache **out, const struct analysis_cache_config *config)
{
    *out = NULL;
    if (!has_valid_shards(config) || config->ttl_ns < 0 || config->idle_ns < 0)
        return -EINVAL;
    struct analysis_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return -ENOMEM;
    cache->capacity_entries = config->capacity_entries;
    tick_clock_init(&cache->clock, config->now_ns, config->now_context);
    budget_init(&cache->budget, config->capacity_bytes);
    atomic_init(&cache->generation, 0);
    const int error = init_shards(cache, config);
    if (error)
        analysis_cache_destroy(&cache);
    *out = cache;
    return error;
}

void analysis_cache_destroy(struct analysis_cache **cache)
{
    struct analysis_cache *mine = *cache;
    *cache = NULL;
    if (!mine)
        return;
    for (unsigned i = 0; i < mine->n_shards; ++i)
        shard_deinit(&mine->shards[i]);
    free(mine->shards);
    free(mine);
}

// --- Looking up ---------------------------------------------------------------------------------

static struct shard *shard_of(const struct analysis_cache *cache, uint64_t hash)
{
    // In two steps, since a shift by all 64 bits is undefined.
    return &cache->shards[hash >> 32 >> (32 - cache->shard_bits)];
}

static uint64_t hash_of(const struct analysis_cache_key *key)
{
    assert(key->bytes && key->size > 0);
    return key_hash(key->bytes, key->size);
}

struct record *analysis_cache_acquire(struct analysis_cache *cache,
                                      const struct analysis_cache_key *key)
{
    const uint64_t hash = hash_of(key);
    struct shard *shard = shard_of(cache, hash);
    store_prefetch(&shard->store, hash); // arrives while the clock is read
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    struct entry *removed = NULL;

    mutex_lock(&shard->lock);
    struct record *record =
        store_acquire(&shard->store, hash, key, shard_tick(shard, now_ns), &removed);
    if (!record)
        ++shard->store.stats.misses;
    mutex_unlock(&shard->lock);

    if (removed)
        entry_destroy_all(&removed);
    return record;
}

struct record *analysis_cache_peek(struct analysis_cache *cache,
                                   const struct analysis_cache_key *key)
{
    const uint64_t hash = hash_of(key);
    struct shard *shard = shard_of(cache, hash);
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);

    mutex_lock(&shard->lock);
    struct record *record = store_peek(&shard->store, hash, key, shard_tick(shard, now_ns));
    if (record)
        record_ref(record);
    mutex_unlock(&shard->lock);
    return record;
}

int analysis_cache_has(struct analysis_cache *cache, const struct analysis_cache_key *key)
{
    struct record *record = analysis_cache_peek(cache, key);
    const int found = record != NULL;
    record_unref(&record);
    return found;
}

// --- Keeping records ----------------------------------------------------------------------------

/// A record on its way into the store, and what may forbid it.
struct insertion {
    struct entry *entry;   // owned until it is kept
    struct flight *flight; // that made it, or NULL
    uint64_t generation;   // where there is no flight
    int has_room;          // its bytes are taken from the budget
};

static int is_stale_locked(const struct analysis_cache *cache, const struct shard *shard,
                           const struct insertion *in) REQUIRES(shard->lock)
{
    (void)shard; // named by the annotation alone
    if (in->flight)
        return in->flight->is_stale;
    return in->generation != atomic_load_explicit(&cache->generation, memory_order_relaxed);
}

/// @return 0; -ESTALE; -EFBIG: larger than the whole capacity; -ENOSPC: other shards must give way.
static int keep_locked(struct analysis_cache *cache, struct shard *shard, struct insertion *in,
                       int64_t now_ns, struct garbage *garbage) REQUIRES(shard->lock)
{
    const struct key_node *node = &in->entry->node;
    const struct analysis_cache_key key = {.bytes = node->key, .size = node->key_bytes};
    if (is_stale_locked(cache, shard, in))
        return -ESTALE;
    if (cache->capacity_entries == 0)
        return -EFBIG;
    if (in->entry->bytes > cache->budget.limit_bytes) {
        ++shard->store.stats.refused;
        return -EFBIG;
    }
    store_expire(&shard->store, now_ns, &garbage->entries);
    store_replace(&shard->store, node->hash, &key, &garbage->entries);
    if (!in->has_room)
        in->has_room = store_make_room(&shard->store, in->entry->bytes, &garbage->entries);
    if (!in->has_room)
        return -ENOSPC;
    backoff_forget(&shard->backoff, node->hash, node->key, node->key_bytes, &garbage->failures);
    store_insert(&shard->store, in->entry, now_ns, &garbage->entries);
    in->entry = NULL;
    in->has_room = 0; // it is the store's now
    return 0;
}

/// Evict from the other shards until `bytes` are taken. @return 1 if they are.
static int make_room_elsewhere(struct analysis_cache *cache, const struct shard *own, size_t bytes)
{
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    const unsigned first = (unsigned)(own - cache->shards);
    int has_room = 0;
    for (unsigned step = 1; step < cache->n_shards && !has_room; ++step) {
        struct shard *shard = &cache->shards[(first + step) % cache->n_shards];
        struct garbage garbage = {0};
        mutex_lock(&shard->lock);
        store_expire(&shard->store, shard_tick(shard, now_ns), &garbage.entries);
        has_room = store_make_room(&shard->store, bytes, &garbage.entries);
        mutex_unlock(&shard->lock);
        free_garbage(&garbage);
    }
    return has_room;
}

/// Keep `in`'s record if that may be, and end its flight, if any, in the same instant.
static int keep(struct analysis_cache *cache, struct shard *shard, struct insertion *in,
                struct record *record)
{
    entry_set_record(in->entry, record);
    const size_t bytes = in->entry->bytes;
    int error = -ENOSPC;
    for (int attempt = 0; error == -ENOSPC; ++attempt) {
        struct garbage garbage = {0};
        const int64_t now_ns = tick_clock_read_ns(&cache->clock);
        mutex_lock(&shard->lock);
        error = keep_locked(cache, shard, in, shard_tick(shard, now_ns), &garbage);
        if (error == -ENOSPC && attempt == MOST_ROOM_ATTEMPTS) {
            ++shard->store.stats.refused;
            error = -EFBIG;
        }
        if (in->flight && error != -ENOSPC)
            flights_end(&shard->flights, in->flight, record, 0);
        mutex_unlock(&shard->lock);
        free_garbage(&garbage);
        if (error == -ENOSPC)
            in->has_room = make_room_elsewhere(cache, shard, bytes);
    }
    if (in->has_room)
        budget_give(&cache->budget, bytes);
    entry_destroy_all(&in->entry);
    return error;
}

int analysis_cache_insert(struct analysis_cache *cache, const struct analysis_cache_key *key,
                          struct record *record, uint64_t generation)
{
    assert(key->path && record);
    const uint64_t hash = hash_of(key);
    struct insertion in = {.entry = entry_create(key, hash), .generation = generation};
    if (!in.entry)
        return -ENOMEM;
    const int error = keep(cache, shard_of(cache, hash), &in, record);
    return error == -ESTALE ? -ESTALE : 0;
}

uint64_t analysis_cache_generation(const struct analysis_cache *cache)
{
    return atomic_load_explicit(&cache->generation, memory_order_acquire);
}

// --- Single flight ------------------------------------------------------------------------------

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
    struct garbage garbage = {0};
    *record = NULL;
    *ticket = NULL;

    mutex_lock(&shard->lock);
    int outcome = look_up_locked(shard, key, hash, shard_tick(shard, now_ns), record, &garbage);
    mutex_unlock(&shard->lock);
    free_garbage(&garbage);
    if (outcome != ANALYSIS_CACHE_LEAD)
        return outcome;

    struct proposal proposal;
    const int error = propose(&proposal, shard, key, hash);
    if (error)
        return error;
    // It may have arrived since.
    mutex_lock(&shard->lock);
    outcome = look_up_locked(shard, key, hash, shard_tick(shard, now_ns), record, &garbage);
    if (outcome == ANALYSIS_CACHE_LEAD) {
        outcome = take_part_locked(shard, key, hash, &proposal);
        *ticket = proposal.ticket;
    }
    mutex_unlock(&shard->lock);
    if (!*ticket)
        free(proposal.ticket);
    flight_destroy(&proposal.flight);
    free_garbage(&garbage);
    return outcome;
}

/// Free the ticket, and its flight with the last one.
static void close_ticket(struct analysis_cache_ticket **ticket)
{
    struct analysis_cache_ticket *mine = *ticket;
    struct shard *shard = mine->flight->shard;
    *ticket = NULL;
    mutex_lock(&shard->lock);
    struct flight *last = ticket_close(mine);
    mutex_unlock(&shard->lock);
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
        mutex_lock(&shard->lock);
        const int is_due = flight_next_callback(flight, &fn, &context);
        mutex_unlock(&shard->lock);
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
    const int error = keep(cache, flight->shard, &in, record);
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
    struct garbage garbage = {0};
    struct failure *failure = error != -ECANCELED && cache->capacity_entries > 0
                                  ? failure_create(&key, flight->node.hash, error)
                                  : NULL;
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    mutex_lock(&shard->lock);
    if (failure && !flight->is_stale) {
        backoff_add(&shard->backoff, failure, shard_tick(shard, now_ns), &garbage.failures);
        failure = NULL;
    }
    flights_end(&shard->flights, flight, NULL, error);
    mutex_unlock(&shard->lock);
    failure_destroy_all(&failure);
    free_garbage(&garbage);
    call_back(flight);
    close_ticket(ticket);
}

int analysis_cache_wait(struct analysis_cache *cache, struct analysis_cache_ticket **ticket,
                        int64_t deadline_ns, struct record **record)
{
    (void)cache; // the ticket knows its shard
    assert((*ticket)->role == TICKET_WAITER);
    struct flight *flight = (*ticket)->flight;
    struct shard *shard = flight->shard;
    int error = 0;
    *record = NULL;

    mutex_lock(&shard->lock);
    while (!flight->has_ended && !error) {
        if (deadline_ns == INT64_MAX)
            cond_wait(&flight->ended, &shard->lock);
        else
            error = cond_wait_until(&flight->ended, &shard->lock, deadline_ns);
    }
    const int has_ended = flight->has_ended;
    if (has_ended) {
        error = flight->error;
        *record = flight->record ? record_ref(flight->record) : NULL;
    }
    mutex_unlock(&shard->lock);
    if (has_ended)
        close_ticket(ticket);
    return error;
}

void analysis_cache_notify(struct analysis_cache *cache, struct analysis_cache_ticket *ticket,
                           void (*fn)(void *context), void *context)
{
    (void)cache; // the ticket knows its shard
    assert(fn && ticket->role == TICKET_WAITER && !ticket->fn);
    struct flight *flight = ticket->flight;
    struct shard *shard = flight->shard;
    mutex_lock(&shard->lock);
    ticket->fn = fn;
    ticket->context = context;
    const int has_ended = flight->has_ended;
    if (!has_ended)
        list_add_first(&flight->waiters, &ticket->link);
    mutex_unlock(&shard->lock);
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
    mutex_lock(&shard->lock);
    const int is_withdrawn = ticket_withdraw_callback(mine);
    flights_lose_interest(&shard->flights, mine);
    mutex_unlock(&shard->lock);
    close_ticket(ticket);
    return is_withdrawn;
}

void analysis_cache_lead_for_others(struct analysis_cache *cache,
                                    struct analysis_cache_ticket *ticket)
{
    (void)cache; // the ticket knows its shard
    assert(ticket->role == TICKET_LEADER);
    struct shard *shard = ticket->flight->shard;
    mutex_lock(&shard->lock);
    flights_lose_interest(&shard->flights, ticket);
    mutex_unlock(&shard->lock);
}

int analysis_cache_is_cancelled(const struct analysis_cache_ticket *ticket)
{
    return atomic_load_explicit(&ticket->flight->is_cancelled, memory_order_relaxed);
}

// --- Invalidation and statistics ----------------------------------------------------------------

static size_t invalidate(struct analysis_cache *cache, struct scope scope)
{
    atomic_fetch_add_explicit(&cache->generation, 1, memory_order_release);
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    size_t count = 0;
    for (unsigned i = 0; i < cache->n_shards; ++i) {
        struct shard *shard = &cache->shards[i];
        struct garbage garbage = {0};
        mutex_lock(&shard->lock);
        store_expire(&shard->store, shard_tick(shard, now_ns), &garbage.entries);
        count += store_invalidate(&shard->store, &scope, &garbage.entries);
        backoff_invalidate(&shard->backoff, &scope, &garbage.failures);
        flights_invalidate(&shard->flights, &scope);
        mutex_unlock(&shard->lock);
        free_garbage(&garbage);
    }
    return count;
}

size_t analysis_cache_invalidate_path(struct analysis_cache *cache, const char *path)
{
    return invalidate(cache, scope_path(path));
}

size_t analysis_cache_invalidate_prefix(struct analysis_cache *cache, const char *prefix)
{
    return invalidate(cache, scope_prefix(prefix));
}

size_t analysis_cache_clear(struct analysis_cache *cache)
{
    return invalidate(cache, scope_all());
}

// The analysis cannot follow a loop that takes many locks.
static void snapshot(struct analysis_cache *cache, unsigned first, unsigned end,
                     struct analysis_cache_stats *stats) NO_TS_CHECK;
static void snapshot(struct analysis_cache *cache, unsigned first, unsigned end,
                     struct analysis_cache_stats *stats)
{
    const int64_t now_ns = tick_clock_read_ns(&cache->clock);
    struct garbage garbage = {0};
    *stats = (struct analysis_cache_stats){0};
    for (unsigned i = first; i < end; ++i)
        mutex_lock(&cache->shards[i].lock);
    for (unsigned i = first; i < end; ++i) {
        struct shard *shard = &cache->shards[i];
        store_expire(&shard->store, shard_tick(shard, now_ns), &garbage.entries);
        shard_add_stats(shard, stats);
    }
    for (unsigned i = first; i < end; ++i)
        mutex_unlock(&cache->shards[i].lock);
    free_garbage(&garbage);
}

void analysis_cache_stats(struct analysis_cache *cache, struct analysis_cache_stats *stats)
{
    snapshot(cache, 0, cache->n_shards, stats);
}

unsigned analysis_cache_shards(const struct analysis_cache *cache)
{
    return cache->n_shards;
}

void analysis_cache_shard_stats(struct analysis_cache *cache, unsigned shard,
                                struct analysis_cache_stats *stats)
{
    assert(shard < cache->n_shards);
    snapshot(cache, shard, shard + 1, stats);
}
