// SPDX-License-Identifier: MIT
#include "cache/latch.h"
#include "cache/futex.h"
#include <assert.h>
#include <limits.h>

void latch_open(struct latch *latch)
{
    const uint32_t before =
        atomic_exchange_explicit(&latch->state, LATCH_OPEN, memory_order_release);
    assert(before != LATCH_OPEN);
    if (before == LATCH_AWAITED)
        futex_wake(&latch->state, INT_MAX);
}

int latch_wait_until(struct latch *latch, int64_t deadline_ns)
{
    int error = 0;
    while (!latch_is_open(latch) && !error) {
        uint32_t state = LATCH_CLOSED;
        // Relaxed: it only asks to be woken; what the opener wrote is acquired above.
        if (atomic_compare_exchange_strong_explicit(&latch->state, &state, LATCH_AWAITED,
                                                    memory_order_relaxed, memory_order_relaxed) ||
            state == LATCH_AWAITED)
            error = futex_wait_until(&latch->state, LATCH_AWAITED, deadline_ns);
    }
    return latch_is_open(latch) ? 0 : error;
}
