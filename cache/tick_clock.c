// SPDX-License-Identifier: MIT
#include "cache/tick_clock.h"

void tick_clock_init(struct tick_clock *clock, int64_t (*now_ns)(void *context), void *context)
{
    clock->now_ns = now_ns;
    clock->context = context;
    atomic_init(&clock->tick_ns, INT64_MIN);
    atomic_init(&clock->boot_ns, 0);
}

int64_t tick_clock_renew_ns(struct tick_clock *clock, int64_t tick_ns)
{
    const int64_t boot_ns = tick_clock_system_ns(CLOCK_BOOTTIME);
    atomic_store_explicit(&clock->boot_ns, boot_ns, memory_order_relaxed);
    atomic_store_explicit(&clock->tick_ns, tick_ns, memory_order_release);
    return boot_ns;
}
