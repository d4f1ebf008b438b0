// SPDX-License-Identifier: MIT
// An event that happens once and stays so, for any number of threads to wait for.
#pragma once
#include "dsp/annotate.h"
#include <stdatomic.h>
#include <stdint.h>

enum latch_state { LATCH_CLOSED, LATCH_AWAITED, LATCH_OPEN }; // awaited: closed, and some may sleep

/// Thread-safety: Safe.
struct latch {
    // --- atomic: opened once (release), read by who waits (acquire), who then sees all that was
    // written before it was opened.
    _Atomic uint32_t state;
};

static inline void latch_init(struct latch *latch)
{
    atomic_init(&latch->state, LATCH_CLOSED);
}

static inline int latch_is_open(const struct latch *latch)
{
    return atomic_load_explicit(&latch->state, memory_order_acquire) == LATCH_OPEN;
}

/// Open it and wake all who wait. Once.
void latch_open(struct latch *latch);
/// Wait until it is open or CLOCK_MONOTONIC reads `deadline_ns` (INT64_MAX: for ever). Blocks.
/// @return 0 or -ETIMEDOUT.
MUST_CHECK int latch_wait_until(struct latch *latch, int64_t deadline_ns);
