// SPDX-License-Identifier: MIT
#include "cache/tick_clock.h"
#include <assert.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec now;
    const int error = clock_gettime(id, &now);
    assert(!error);
    (void)error; // read by the assertion alone: both clocks exist since Linux 2.6.39
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void tick_clock_init(struct tick_clock *clock, int64_t (*now_ns)(void *context), void *context)
{
    clock->now_ns = now_ns;
    clock->context = context;
    atomic_init(&clock->tick_ns, INT64_MIN);
    atomic_init(&clock->boot_ns, 0);
}

int64_t tick_clock_read_ns(struct tick_clock *clock)
{
    if (clock->now_ns)
        return clock->now_ns(clock->context);
    const int64_t tick_ns = read_ns(CLOCK_MONOTONIC_COARSE);
    if (tick_ns == atomic_load_explicit(&clock->tick_ns, memory_order_acquire))
        return atomic_load_explicit(&clock->boot_ns, memory_order_relaxed);
    const int64_t boot_ns = read_ns(CLOCK_BOOTTIME);
    atomic_store_explicit(&clock->boot_ns, boot_ns, memory_order_relaxed);
    atomic_store_explicit(&clock->tick_ns, tick_ns, memory_order_release);
    return boot_ns;
}
