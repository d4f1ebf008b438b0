// SPDX-License-Identifier: MIT
// A mutex of one word, for what is locked at every hit: without contention two instructions of it
// wait for memory, and no library is called.
#pragma once
#include "dsp/annotate.h"
#include <stdatomic.h>
#include <stdint.h>

enum lock_state { LOCK_FREE, LOCK_HELD, LOCK_AWAITED }; // awaited: held, and others may sleep

/// Thread-safety: Safe. Not recursive; who waits sleeps in the kernel.
struct CAPABILITY("mutex") lock {
    // --- atomic: changed by whoever takes it (acquire) and gives it back (release), so that what one
    // holder wrote the next one sees.
    _Atomic uint32_t state;
};

static inline void lock_init(struct lock *lock)
{
    atomic_init(&lock->state, LOCK_FREE);
}

/// The rest of lock_acquire(): wait for the holder, then take the lock. Blocks.
void lock_wait(struct lock *lock);
/// The rest of lock_release(): wake one who sleeps.
void lock_wake(struct lock *lock);

static inline void lock_acquire(struct lock *lock) ACQUIRES(lock)
NO_TS_CHECK;
static inline void lock_acquire(struct lock *lock)
{
    uint32_t state = LOCK_FREE;
    if (!atomic_compare_exchange_strong_explicit(&lock->state, &state, LOCK_HELD,
                                                 memory_order_acquire, memory_order_relaxed))
        lock_wait(lock);
}

static inline void lock_release(struct lock *lock) RELEASES(lock)
NO_TS_CHECK;
static inline void lock_release(struct lock *lock)
{
    if (atomic_exchange_explicit(&lock->state, LOCK_FREE, memory_order_release) == LOCK_AWAITED)
        lock_wake(lock);
}
