// SPDX-License-Identifier: MIT
// Finds entries by key and keeps them in the order of their last use. A hit among 100,000 is mostly
// a wait for memory, and most of all where one line says which is the next: a slot, found by hash,
// names all that a hit reads, and the order is kept in links of eight bytes, close together.
//
//   slots  [hash, link, record, entry, time]     links  [0: ends of the order] [1] [2] ...
//   by linear probing                            entries, by link: for who comes from the order
//
// In the exact order an entry that is used moves to the front, which writes to five lines that another
// thread's hit must then fetch. In the lazy one it is marked, and if it is already nothing is written;
// one that is found at the end with its mark loses it and moves to the front then (second chance). So
// nothing that was used since it last came to the front is evicted while there is an entry that was
// not. An entry loses a mark only if a use had set it, so the moves are no more than the hits.
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

enum lru_order { LRU_EXACT, LRU_LAZY };

/// Thread-safety: None; the shard's lock protects it.
struct lru {
    struct lru_slot *slots;
    struct lru_link *links;
    uint32_t mask; // of the homes' number; behind the last of them are slots enough, and one
    enum lru_order order;
    uint32_t fresh;  // links from here on were never used: their memory is untouched
    uint32_t unused; // first of those given back, chained by `older`; 0: none
    struct entry **entries;
};

/// Room for `most` entries. @return 0; -ENOMEM, and then lru_deinit() is fine.
MUST_CHECK int lru_init(struct lru *lru, size_t most, enum lru_order order);
/// The entries are their owner's.
void lru_deinit(struct lru *lru);
/// Enter an entry that has its record and its time as the most recently used. There must be room,
/// and no other with its key.
void lru_add(struct lru *lru, struct entry *entry);
/// `entry` must be in it.
void lru_remove(struct lru *lru, const struct entry *entry);
/// @return the entry to be evicted next; in the exact order it was used longest ago. There must be one.
/// In the lazy order each mark that it takes away was set by a use.
struct entry *lru_oldest(struct lru *lru);

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

/// Move an entry to the front.
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

/// An entry is used.
static inline void lru_use(struct lru *lru, const struct lru_slot *slot)
{
    if (lru->order == LRU_EXACT)
        lru_promote(lru, slot->link);
    else if (!slot->entry->is_marked) // a line that nobody writes to stays with all who read it
        slot->entry->is_marked = 1;
}
