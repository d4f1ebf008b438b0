// SPDX-License-Identifier: MIT
#include "cache/lock.h"
#include "cache/futex.h"

// The lock is held for some hundred instructions, so that it is mostly free again before a thread
// would be asleep; a holder that does not run is waited for asleep.
enum { LOOKS_BEFORE_SLEEP = 40 };

static int take_if_free(struct lock *lock)
{
    uint32_t state = LOCK_FREE;
    return atomic_load_explicit(&lock->state, memory_order_relaxed) == LOCK_FREE &&
           atomic_compare_exchange_strong_explicit(&lock->state, &state, LOCK_HELD,
                                                   memory_order_acquire, memory_order_relaxed);
}

void lock_wait(struct lock *lock)
{
    for (int look = 0; look < LOOKS_BEFORE_SLEEP; ++look)
        if (take_if_free(lock))
            return;
    // Whoever has slept takes it as awaited, since others may sleep still: at worst its release
    // wakes nobody.
    while (atomic_exchange_explicit(&lock->state, LOCK_AWAITED, memory_order_acquire) != LOCK_FREE)
        (void)futex_wait_until(&lock->state, LOCK_AWAITED,
                               INT64_MAX); // looked at again in any case
}

void lock_wake(struct lock *lock)
{
    futex_wake(&lock->state, 1);
}
