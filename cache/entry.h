// SPDX-License-Identifier: MIT
// A kept record with its key and path, or one still to come.
#pragma once
#include "cache/analysis_cache.h"
#include "cache/list.h"
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

enum { ENTRY_LINE_BYTES = 64 };

/// Whoever asks for an extraction makes its entry first, so that publishing needs no memory. Owned
/// by the store while it is in it. What a hit reads begins a cache line.
struct entry {
    struct list age; // in store.newest, or among what was removed
    size_t bytes;    // of the entry, its key, its path and its record
    struct record *record;
    uint64_t hash;
    int64_t inserted_ns;
    int64_t used_ns; // meaningful with an idle limit alone
    uint32_t link;   // in the store's lru
    alignas(
        ENTRY_LINE_BYTES) uint32_t is_marked; // used since it last came to the lazy order's front
    uint32_t key_bytes;
    unsigned char key[]; // then the path and its NUL
};

/// @return an entry without a record; NULL without memory.
MUST_CHECK struct entry *entry_create(const struct analysis_cache_key *key, uint64_t hash);
/// Free it and set *entry to NULL. NULL is fine.
void entry_destroy(struct entry **entry);
/// Give the entry its record: a new reference.
void entry_set_record(struct entry *entry, struct record *record);

static inline const char *entry_path(const struct entry *entry)
{
    return (const char *)entry->key + entry->key_bytes;
}
