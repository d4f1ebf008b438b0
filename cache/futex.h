// SPDX-License-Identifier: MIT
// Sleep until a word changes: the kernel's part of a lock and of a latch.
#pragma once
#include <stdatomic.h>
#include <stdint.h>

/// Sleep if `*word` is `expected`, until futex_wake(), a signal, or CLOCK_MONOTONIC reads
/// `deadline_ns` (INT64_MAX: for ever). Blocks; may return for no reason: the caller looks again.
/// @return 0 or -ETIMEDOUT.
int futex_wait_until(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns);
/// Wake up to `most` of those who sleep on `word`.
void futex_wake(_Atomic uint32_t *word, int most);
