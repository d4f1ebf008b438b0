// SPDX-License-Identifier: MIT
// Finds entries by key and keeps them in the order of their last use. A hit among 100,000 is mostly
// a wait for memory, and most of all where one line says which is the next: a slot, found by hash,
// names all that a hit reads, and the order is kept in links of eight bytes, close together.
//
//   slots  [hash, link, record, entry, time]     links  [0: ends of the order] [1] [2] ...
//   by linear probing                            entries, by link: for who comes from the order
#pragma once
#include "cache/entry.h"
#include <string.h>

struct lru_slot {
    uint32_t hash; // its lower half, from which the slot it should be in follows
    uint32_t link;
    struct entry *entry;   // NULL: empty
    struct record *record; // the entry's, as its time
    int64_t inserted_ns;
};

struct lru_link {
    uint32_t newer, older; // used next after it, last before it; link 0 closes the circle
};

/// Thread-safety: None; the shard's lock protects it.
struct lru {
    struct lru_slot *slots;
    struct lru_link *links;
    uint32_t mask;   // of the homes' number; behind the last of them are slots enough, and one
    uint32_t fresh;  // links from here on were never used: their memory is untouched
    uint32_t unused; // first of those given back, chained by `older`; 0: none
    struct entry **entries;
};

/// Room for `most` entries. @return 0; -ENOMEM, and then lru_deinit() is fine.
MUST_CHECK int lru_init(struct lru *lru, size_t most);
/// The entries are their owner's.
void lru_deinit(struct lru *lru);
/// Enter an entry that has its record and its time as the most recently used. There must be room,
/// and no other with its key.
void lru_add(struct lru *lru, struct entry *entry);
/// `entry` must be in it.
void lru_remove(struct lru *lru, const struct entry *entry);
/// @return the entry that was used longest ago. There must be one.
struct entry *lru_oldest(const struct lru *lru);

/// Where a look-up begins. Needs no lock: the slots stay where they are.
static inline struct lru_slot *lru_home(const struct lru *lru, uint64_t hash)
{
    return &lru->slots[hash & lru->mask];
}

/// @return the slot of an entry with this key, or NULL. `home` is lru_home() of its hash.
static inline const struct lru_slot *lru_find(const struct lru_slot *home, uint64_t hash,
                                              const struct analysis_cache_key *key)
{
    for (const struct lru_slot *at = home; at->entry; ++at) {
        if (at->hash != (uint32_t)hash)
            continue;
        // A hit goes on to take a reference, which as a locked instruction waits for all before it:
        // this line is asked for while the key is compared.
        __builtin_prefetch(at->record, 1);
        if (at->entry->key_bytes == key->size && memcmp(at->entry->key, key->bytes, key->size) == 0)
            return at;
    }
    return NULL;
}

/// Make an entry the most recently used.
static inline void lru_promote(struct lru *lru, uint32_t link)
{
    struct lru_link *links = lru->links;
    const struct lru_link was = links[link];
    links[was.newer].older = was.older;
    links[was.older].newer = was.newer;
    const uint32_t last = links[0].older;
    links[link].newer = 0;
    links[link].older = last;
    links[last].newer = link;
    links[0].older = link;
}
