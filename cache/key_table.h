// SPDX-License-Identifier: MIT
// Hash table of intrusive nodes, each with a key of bytes and a path.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct analysis_cache_key;

struct key_node {
    struct key_node *chain; // in its bucket, or in a list of removed nodes
    uint64_t hash;
    const unsigned char *key; // key_bytes, then the path and its NUL
    size_t key_bytes;
};

/// Chained, with as many buckets as it was made with: the cache bounds what it holds.
/// Thread-safety: None; the owner's lock protects it.
struct key_table {
    struct key_node **buckets;
    uint64_t mask;
};

/// A table meant for up to `nodes` nodes. @return 0; -ENOMEM, and then key_table_deinit() is fine.
MUST_CHECK int key_table_init(struct key_table *table, size_t nodes);
/// Frees the buckets. The nodes are their owner's.
void key_table_deinit(struct key_table *table);
void key_table_add(struct key_table *table, struct key_node *node);
/// `node` must be in the table.
void key_table_remove(struct key_table *table, struct key_node *node);

static inline struct key_node *key_table_find(const struct key_table *table, uint64_t hash,
                                              const void *key, size_t key_bytes)
{
    struct key_node *node = table->buckets[hash & table->mask];
    while (node && (node->hash != hash || node->key_bytes != key_bytes ||
                    memcmp(node->key, key, key_bytes) != 0))
        node = node->chain;
    return node;
}

/// Bytes that a copy of `key` takes.
size_t key_copy_bytes(const struct analysis_cache_key *key);
/// Copy `key` to `storage`, which holds key_copy_bytes(): its bytes, then the path and its NUL.
void key_copy(unsigned char *storage, const struct analysis_cache_key *key);
/// Copy `key` as key_copy() does, and let `node` refer to the copy.
void key_node_init(struct key_node *node, unsigned char *storage,
                   const struct analysis_cache_key *key, uint64_t hash);
static inline const char *key_node_path(const struct key_node *node)
{
    return (const char *)node->key + node->key_bytes;
}
