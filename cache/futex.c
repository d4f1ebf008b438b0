// SPDX-License-Identifier: MIT
#include "cache/futex.h"
#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int futex_wait_until(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    const int64_t at_ns = deadline_ns > 0 ? deadline_ns : 0; // the kernel refuses negative times
    const struct timespec at = {.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000};
    // Of the two ways to wait this one takes its time-out as a time of CLOCK_MONOTONIC.
    const long result =
        syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
                deadline_ns == INT64_MAX ? NULL : &at, NULL, FUTEX_BITSET_MATCH_ANY);
    if (result == 0)
        return 0;
    assert(errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT);
    return errno == ETIMEDOUT ? -ETIMEDOUT : 0;
}

void futex_wake(_Atomic uint32_t *word, int most)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, most); // fails only where nobody can sleep
}
