// SPDX-License-Identifier: MIT
// The cache's time: the caller's clock, or CLOCK_BOOTTIME to the precision of the kernel's tick.
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

/// Reading CLOCK_BOOTTIME drains the processor's pipeline, which a hit would feel. The coarse clock
/// does not, so the exact one is read only where the coarse one has moved: every few milliseconds.
/// Thread-safety: Safe. Two threads may see it one tick apart.
struct tick_clock {
    // --- immutable after tick_clock_init()
    int64_t (*now_ns)(void *context); // NULL: the system's
    void *context;
    // --- atomic: written by whoever finds the tick over, read by all. `boot_ns` is stored before
    // `tick_ns` (release), so that who sees the tick (acquire) sees a time no older than it.
    _Atomic int64_t tick_ns;
    _Atomic int64_t boot_ns;
};

void tick_clock_init(struct tick_clock *clock, int64_t (*now_ns)(void *context), void *context);
/// The rest of tick_clock_read_ns(): the tick that was read is a new one.
int64_t tick_clock_renew_ns(struct tick_clock *clock, int64_t tick_ns);

static inline int64_t tick_clock_system_ns(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now); // cannot fail: both clocks exist since Linux 2.6.39
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t tick_clock_read_ns(struct tick_clock *clock)
{
    if (clock->now_ns)
        return clock->now_ns(clock->context);
    const int64_t tick_ns = tick_clock_system_ns(CLOCK_MONOTONIC_COARSE);
    if (tick_ns != atomic_load_explicit(&clock->tick_ns, memory_order_acquire))
        return tick_clock_renew_ns(clock, tick_ns);
    return atomic_load_explicit(&clock->boot_ns, memory_order_relaxed);
}
