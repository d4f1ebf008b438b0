// SPDX-License-Identifier: MIT
// Memory that starts where a cache line and the widest vectors do.
#pragma once
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNED_BYTES = 64 };

/// Zeroed memory at a multiple of ALIGNED_BYTES, to be freed by free(). @return NULL without memory.
static inline void *aligned_zeroed(size_t bytes)
{
    const size_t whole = (bytes + ALIGNED_BYTES - 1) / ALIGNED_BYTES * ALIGNED_BYTES;
    void *memory = aligned_alloc(ALIGNED_BYTES, whole);
    return memory ? memset(memory, 0, whole) : NULL;
}
