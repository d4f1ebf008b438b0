// SPDX-License-Identifier: MIT
// The engine's clock: CLOCK_MONOTONIC in nanoseconds, as all deadlines are given.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>
#include <time.h>

/// Now. Any thread.
static inline int64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
