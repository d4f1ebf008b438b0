// SPDX-License-Identifier: MIT
// Finds entries by key and keeps them in the order of their last use, in few lines of memory: a hit
// among 100,000 is mostly a wait for it. Slots, found by hash, lead to nodes that have what a hit
// writes, close together; the entries, each of which has its key, are only read.
//
//   slots  [hash, node] by linear probing        nodes  [0: ends of the order] [1] [2] ...
#pragma once
#include "cache/entry.h"
#include <string.h>

struct lru_slot {
    uint32_t hash; // its lower half, from which the slot it should be in follows
    uint32_t node; // 0: empty
};

struct lru_node {
    struct lru_node *newer; // used next after it; node 0 closes the circle
    struct record *record;  // the entry's
    struct lru_node *older; // used last before it
    struct entry *entry;    // NULL in node 0
};

/// Thread-safety: None; the shard's lock protects it.
struct lru {
    struct lru_slot *slots;
    struct lru_node *nodes;
    uint32_t mask;           // of the slots' number
    uint32_t fresh;          // nodes from here on were never used: their memory is untouched
    struct lru_node *unused; // those given back, chained by `older`
};

/// Room for `most` entries. @return 0; -ENOMEM, and then lru_deinit() is fine.
MUST_CHECK int lru_init(struct lru *lru, size_t most);
/// The entries are their owner's.
void lru_deinit(struct lru *lru);
/// Enter an entry that has its record as the most recently used. There must be room, and no other
/// with its key.
void lru_add(struct lru *lru, struct entry *entry);
/// `entry` must be in it.
void lru_remove(struct lru *lru, const struct entry *entry);
/// @return the entry that was used longest ago, or NULL.
struct entry *lru_oldest(const struct lru *lru);

/// Where a look-up begins. Needs no lock: the slots stay where they are.
static inline struct lru_slot *lru_home(const struct lru *lru, uint64_t hash)
{
    return &lru->slots[hash & lru->mask];
}

/// @return the node of an entry with this key, or NULL. `home` is lru_home() of its hash.
static inline struct lru_node *lru_find(const struct lru *lru, const struct lru_slot *home,
                                        uint64_t hash, const struct analysis_cache_key *key)
{
    for (const struct lru_slot *at = home; at->node; ++at) {
        if (at->hash != (uint32_t)hash)
            continue;
        struct lru_node *node = &lru->nodes[at->node];
        // A hit goes on to take a reference, which as a locked instruction waits for all before it:
        // this line is asked for while the key is compared.
        __builtin_prefetch(node->record, 1);
        const struct entry *entry = node->entry;
        if (entry->key_bytes == key->size && memcmp(entry->key, key->bytes, key->size) == 0)
            return node;
    }
    return NULL;
}

/// Make a node the most recently used.
static inline void lru_promote(struct lru *lru, struct lru_node *node)
{
    struct lru_node *ends = &lru->nodes[0];
    node->newer->older = node->older;
    node->older->newer = node->newer;
    node->newer = ends;
    node->older = ends->older;
    node->older->newer = node;
    ends->older = node;
}
