// SPDX-License-Identifier: MIT
// A few words that one thread writes and any thread reads whole: a sequence lock of atomics, without fences.
#pragma once
#include "dsp/annotate.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { SNAPSHOT_WORDS = 9 };

/// Thread-safety: one writing thread, which never waits; any number of reading ones, which read again
/// when a write came between. All zeros is a valid snapshot of zeros.
struct snapshot {
    // --- atomic: written by the one writer, read by any
    _Atomic uint32_t sequence; // odd while the words change
    _Atomic uint64_t words[SNAPSHOT_WORDS];
};

/// Publish `words`. RT safe.
RT_SAFE static inline void snapshot_write(struct snapshot *s, const uint64_t words[SNAPSHOT_WORDS])
{
    uint32_t sequence = atomic_load_explicit(&s->sequence, memory_order_relaxed);
    atomic_store_explicit(&s->sequence, sequence + 1, memory_order_relaxed);
    // Release: a reader that sees one of these words sees the odd number before it, too.
    for (size_t i = 0; i < SNAPSHOT_WORDS; i++)
        atomic_store_explicit(&s->words[i], words[i], memory_order_release);
    // Release: a reader that sees the even number sees all the words.
    atomic_store_explicit(&s->sequence, sequence + 2, memory_order_release);
}

/// Read a whole set of words, as one snapshot_write() published them.
static inline void snapshot_read(const struct snapshot *s, uint64_t words[SNAPSHOT_WORDS])
{
    uint32_t before, after;
    do {
        // Acquire: the words are at least as new as this number.
        before = atomic_load_explicit(&s->sequence, memory_order_acquire);
        // Acquire: if a word is newer, the second look at the number shows it.
        for (size_t i = 0; i < SNAPSHOT_WORDS; i++)
            words[i] = atomic_load_explicit(&s->words[i], memory_order_acquire);
        after = atomic_load_explicit(&s->sequence, memory_order_relaxed);
    } while (before != after || before % 2);
}
