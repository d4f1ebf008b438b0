// SPDX-License-Identifier: MIT
// Finds entries by key and keeps them in the order of their last use, in few lines of memory: a hit
// among 100,000 is mostly a wait for it. An array of slots leads to an array of nodes, each of which
// has all that a hit needs but the key; links are numbers of nodes.
//
//   slots  [hash, node] by hash, linear probing        nodes  [0: the list's head] [1] [2] ...
#pragma once
#include "cache/entry.h"
#include "cache/key_bytes.h"

struct lru_slot {
    uint32_t hash; // its lower half, from which the slot it should be in follows
    uint32_t node; // 0: empty
};

struct lru_node {
    struct record *record; // the entry's; NULL in the head
    struct entry *entry;
    int64_t inserted_ns;
    uint32_t newer, older; // the nodes used next after it and last before it; the head ends both
};

/// Thread-safety: None; the shard's lock protects it.
struct lru {
    struct lru_slot *slots;
    struct lru_node *nodes;
    uint32_t mask;  // of the slots' number
    uint32_t free;  // first of the nodes given back, chained by `older`; 0: none
    uint32_t fresh; // nodes from here on were never used: their memory is untouched
};

/// Room for `most` entries. @return 0; -ENOMEM, and then lru_deinit() is fine.
MUST_CHECK int lru_init(struct lru *lru, size_t most);
/// The entries are their owner's.
void lru_deinit(struct lru *lru);
/// Enter an entry that has its record as the most recently used. There must be room, and no other
/// with its key.
void lru_add(struct lru *lru, struct entry *entry, int64_t now_ns);
/// `entry` must be in it.
void lru_remove(struct lru *lru, const struct entry *entry);

static inline int lru_is_empty(const struct lru *lru)
{
    return lru->nodes[0].newer == 0;
}

/// @return the entry that was used longest ago. There must be one.
static inline struct entry *lru_oldest(const struct lru *lru)
{
    return lru->nodes[lru->nodes[0].newer].entry;
}

/// Ask for the memory where a look-up will begin. Needs no lock: the slots stay where they are.
static inline void lru_prefetch(const struct lru *lru, uint64_t hash)
{
    __builtin_prefetch(&lru->slots[hash & lru->mask]);
}

/// @return the node of an entry with this key, or NULL.
static inline struct lru_node *lru_find(const struct lru *lru, uint64_t hash,
                                        const struct analysis_cache_key *key)
{
    for (uint32_t at = (uint32_t)hash & lru->mask; lru->slots[at].node; at = (at + 1) & lru->mask) {
        if (lru->slots[at].hash != (uint32_t)hash)
            continue;
        struct lru_node *node = &lru->nodes[lru->slots[at].node];
        // A hit goes on to take a reference, which as a locked instruction waits for all before it:
        // this line is asked for while the key is compared.
        __builtin_prefetch(node->record, 1);
        const struct entry *entry = node->entry;
        if (entry->key_bytes == key->size && key_is_equal(entry->key, key->bytes, key->size))
            return node;
    }
    return NULL;
}

/// Make a node the most recently used.
static inline void lru_promote(struct lru *lru, struct lru_node *node)
{
    struct lru_node *nodes = lru->nodes;
    const uint32_t number = (uint32_t)(node - nodes);
    nodes[node->newer].older = node->older;
    nodes[node->older].newer = node->newer;
    node->newer = 0;
    node->older = nodes[0].older;
    nodes[node->older].newer = number;
    nodes[0].older = number;
}
