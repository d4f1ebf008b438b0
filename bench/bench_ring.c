// SPDX-License-Identifier: MIT
// The ring beside a ring with a mutex and Concurrency Kit's ck_ring: the same blocks, the same two threads.
#include "bench.h"
#include "dsp/mutex.h"
#include "engine/audio/ring.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE__
#    include <xmmintrin.h>
#endif
#ifdef HAVE_CK
#    include <ck_ring.h>
#endif

enum {
    CAPACITY = 64, // blocks
    ITEMS = 50000, // a few ms: a race fits between two turns of a busy machine's scheduler
    RACES_MOST = 600,
    RACES_S = 10, // no new ones after that
    // On a full or an empty ring: time in which the other can do something, unhindered.
    PAUSES = 32,
    TURNS = 4096, // before another thread gets the processor: who yields comes behind all others
};

/// What a ring of blocks does, with the blocks staying where they are.
struct contender {
    const char *name;
    void *ring;
    struct ring_block *(*reserve)(void *ring);
    void (*commit)(void *ring);
    const struct ring_block *(*peek)(void *ring);
    void (*release)(void *ring);
};

// --- the contenders

static struct ring_block *segue_reserve(void *ring)
{
    return ring_reserve(ring);
}

static void segue_commit(void *ring)
{
    ring_commit(ring);
}

static const struct ring_block *segue_peek(void *ring)
{
    return ring_peek(ring);
}

static void segue_release(void *ring)
{
    ring_release(ring);
}

struct mutex_ring {
    struct mutex lock;
    // --- protected by lock
    uint32_t head, tail;
    // --- handed to and fro
    struct ring_block *blocks;
};

static struct ring_block *mutex_reserve(void *context)
{
    struct mutex_ring *ring = context;
    mutex_lock(&ring->lock);
    struct ring_block *block =
        ring->tail - ring->head < CAPACITY ? &ring->blocks[ring->tail % CAPACITY] : NULL;
    mutex_unlock(&ring->lock);
    return block;
}

static void mutex_commit(void *context)
{
    struct mutex_ring *ring = context;
    mutex_lock(&ring->lock);
    ring->tail++;
    mutex_unlock(&ring->lock);
}

static const struct ring_block *mutex_peek(void *context)
{
    struct mutex_ring *ring = context;
    mutex_lock(&ring->lock);
    const struct ring_block *block =
        ring->tail != ring->head ? &ring->blocks[ring->head % CAPACITY] : NULL;
    mutex_unlock(&ring->lock);
    return block;
}

static void mutex_release(void *context)
{
    struct mutex_ring *ring = context;
    mutex_lock(&ring->lock);
    ring->head++;
    mutex_unlock(&ring->lock);
}

#ifdef HAVE_CK
/// ck_ring passes pointers: one ring of them brings full blocks, another one the empty blocks back.
struct peer_ring {
    ck_ring_t full, empty;
    ck_ring_buffer_t full_buffer[2 * CAPACITY], empty_buffer[2 * CAPACITY];
    _Alignas(64) void *reserved; // writer only
    _Alignas(64) void *peeked;   // reader only
};

static struct ring_block *peer_reserve(void *context)
{
    struct peer_ring *peer = context;
    bool has_one = ck_ring_dequeue_spsc(&peer->empty, peer->empty_buffer, &peer->reserved);
    return has_one ? peer->reserved : NULL;
}

static void peer_commit(void *context)
{
    struct peer_ring *peer = context;
    // It has room for all the blocks there are.
    (void)ck_ring_enqueue_spsc(&peer->full, peer->full_buffer, peer->reserved);
}

static const struct ring_block *peer_peek(void *context)
{
    struct peer_ring *peer = context;
    bool has_one = ck_ring_dequeue_spsc(&peer->full, peer->full_buffer, &peer->peeked);
    return has_one ? peer->peeked : NULL;
}

static void peer_release(void *context)
{
    struct peer_ring *peer = context;
    (void)ck_ring_enqueue_spsc(&peer->empty, peer->empty_buffer, peer->peeked);
}
#endif

// --- the race

struct race {
    const struct contender *contender;
    uint64_t in_order; // reader's
    _Atomic int ready; // threads that are at the start; both go when both are
};

static void give_way(unsigned *turns)
{
    for (int i = 0; i < PAUSES; i++)
#ifdef __SSE__
        _mm_pause();
#else
        atomic_signal_fence(memory_order_seq_cst); // the loop stays
#endif
    if (++*turns % TURNS == 0)
        sched_yield();
}

/// Two threads on one processor would take turns instead of racing. Where there is but one, they do.
static void pin_to(size_t processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void wait_for_both(struct race *race)
{
    unsigned turns = 0;
    atomic_fetch_add(&race->ready, 1);
    while (atomic_load(&race->ready) < 2)
        give_way(&turns);
}

static void *write_all(void *context)
{
    struct race *race = context;
    const struct contender *c = race->contender;
    unsigned turns = 0;
    pin_to(1);
    wait_for_both(race);
    for (uint64_t i = 0; i < ITEMS;) {
        struct ring_block *block = c->reserve(c->ring);
        if (block) {
            block->first_frame = i++;
            c->commit(c->ring);
        } else {
            give_way(&turns);
        }
    }
    return NULL;
}

static void read_all(struct race *race)
{
    const struct contender *c = race->contender;
    unsigned turns = 0;
    for (uint64_t i = 0; i < ITEMS;) {
        const struct ring_block *block = c->peek(c->ring);
        if (block) {
            race->in_order += block->first_frame == i++;
            c->release(c->ring);
        } else {
            give_way(&turns);
        }
    }
}

/// @return million items a second, or 0: no thread, or items out of order.
static double run_race(const struct contender *contender)
{
    struct race race = {.contender = contender};
    pin_to(0);
    pthread_t writer;
    if (pthread_create(&writer, NULL, write_all, &race))
        return 0.0;
    wait_for_both(&race);
    const int64_t start_ns = bench_wall_ns();
    read_all(&race);
    const double elapsed_s = 1e-9 * (double)(bench_wall_ns() - start_ns);
    pthread_join(writer, NULL);
    return race.in_order == ITEMS ? ITEMS / 1e6 / elapsed_s : 0.0;
}

/// Of the fastest tenth: a thread that is not running says nothing of a ring. Sorts the rates.
static double best_rate(double *rates, size_t count)
{
    const size_t best = count / 10 ? count / 10 : 1;
    (void)bench_median(rates, count); // it sorts them
    return bench_median(rates + count - best, best);
}

/// Races in turn, so that what else the machine does meets all alike. @return an exit status.
static int compare(const struct contender *contenders, size_t n)
{
    static double rates[3][RACES_MOST];
    const int64_t end_ns = bench_wall_ns() + INT64_C(1000000000) * RACES_S;
    size_t count = 0;
    for (; count == 0 || (count < RACES_MOST && bench_wall_ns() < end_ns); count++) {
        for (size_t i = 0; i < n; i++) {
            rates[i][count] = run_race(&contenders[i]);
            if (rates[i][count] == 0.0) {
                fprintf(stderr, "segue-bench: %s: failed\n", contenders[i].name);
                return 1;
            }
        }
    }
    double best[3];
    for (size_t i = 0; i < n; i++) {
        best[i] = best_rate(rates[i], count);
        printf("ring name=%s items=%d races=%zu best_tenth_mops=%.2f median_mops=%.2f "
               "most_mops=%.2f\n",
               contenders[i].name, ITEMS, count, best[i], rates[i][count / 2], rates[i][count - 1]);
    }
    for (size_t i = 1; i < n; i++)
        printf("ring ratio=segue/%s value=%.2f\n", contenders[i].name, best[0] / best[i]);
    return 0;
}

/// Race the ring and its peers over blocks of the same size. @return an exit status.
static int race_all(struct ring *ring, struct mutex_ring *with_mutex)
{
    struct contender contenders[3] = {
        {"segue", ring, segue_reserve, segue_commit, segue_peek, segue_release},
        {"mutex", with_mutex, mutex_reserve, mutex_commit, mutex_peek, mutex_release},
    };
    size_t n = 2;
#ifdef HAVE_CK
    static struct peer_ring peer;
    ck_ring_init(&peer.full, 2 * CAPACITY);
    ck_ring_init(&peer.empty, 2 * CAPACITY);
    for (size_t i = 0; i < CAPACITY; i++)
        (void)ck_ring_enqueue_spsc(&peer.empty, peer.empty_buffer, &with_mutex->blocks[i]);
    contenders[n++] =
        (struct contender){"ck_ring", &peer, peer_reserve, peer_commit, peer_peek, peer_release};
#endif
    return compare(contenders, n);
}

int bench_ring(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return 2;
    struct ring *ring = NULL;
    struct mutex_ring with_mutex = {.blocks = calloc(CAPACITY, sizeof(struct ring_block))};
    int error = with_mutex.blocks ? ring_create(&ring, CAPACITY, RING_ONE_SIDE) : -ENOMEM;
    if (!error)
        error = mutex_init(&with_mutex.lock);
    int status = 1;
    if (error) {
        fprintf(stderr, "segue-bench: %s\n", strerror(-error));
    } else {
        status = race_all(ring, &with_mutex);
        mutex_deinit(&with_mutex.lock);
    }
    ring_destroy(&ring);
    free(with_mutex.blocks);
    return status;
}
