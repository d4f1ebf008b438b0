// SPDX-License-Identifier: MIT
#include "cache/entry.h"
#include "cache/key_table.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct entry *entry_create(const struct analysis_cache_key *key, uint64_t hash)
{
    assert(key->size <= UINT32_MAX);
    // Whole lines, as aligned_alloc() wants it.
    const size_t lines =
        (offsetof(struct entry, key) + key_copy_bytes(key) + ENTRY_LINE_BYTES - 1) /
        ENTRY_LINE_BYTES;
    const size_t bytes = lines * ENTRY_LINE_BYTES;
    struct entry *entry = aligned_alloc(ENTRY_LINE_BYTES, bytes);
    if (!entry)
        return NULL;
    memset(entry, 0, offsetof(struct entry, key));
    entry->bytes = bytes;
    entry->hash = hash;
    entry->key_bytes = (uint32_t)key->size;
    key_copy(entry->key, key);
    list_init(&entry->age);
    return entry;
}

void entry_set_record(struct entry *entry, struct record *record)
{
    assert(!entry->record);
    entry->record = record_ref(record);
    entry->bytes += record_footprint_bytes(record);
}

void entry_destroy(struct entry **entry)
{
    struct entry *mine = *entry;
    *entry = NULL;
    if (!mine)
        return;
    record_unref(&mine->record);
    free(mine);
}
