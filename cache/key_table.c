// SPDX-License-Identifier: MIT
#include "cache/key_table.h"
#include "cache/analysis_cache.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// More nodes than this only make the chains longer.
enum { MOST_BUCKETS = 1 << 16 };

int key_table_init(struct key_table *table, size_t nodes)
{
    size_t buckets = 1;
    while (buckets < nodes && buckets < MOST_BUCKETS)
        buckets *= 2;
    table->mask = buckets - 1;
    table->buckets = calloc(buckets, sizeof(struct key_node *));
    return table->buckets ? 0 : -ENOMEM;
}

void key_table_deinit(struct key_table *table)
{
    free(table->buckets);
    table->buckets = NULL;
}

void key_table_add(struct key_table *table, struct key_node *node)
{
    struct key_node **bucket = &table->buckets[node->hash & table->mask];
    node->chain = *bucket;
    *bucket = node;
}

void key_table_remove(struct key_table *table, struct key_node *node)
{
    struct key_node **at = &table->buckets[node->hash & table->mask];
    for (; *at != node; at = &(*at)->chain)
        assert(*at);
    *at = node->chain;
    node->chain = NULL;
}

size_t key_copy_bytes(const struct analysis_cache_key *key)
{
    assert(key->bytes && key->size > 0 && key->path);
    return key->size + strlen(key->path) + 1;
}

void key_copy(unsigned char *storage, const struct analysis_cache_key *key)
{
    memcpy(storage, key->bytes, key->size);
    memcpy(storage + key->size, key->path, strlen(key->path) + 1);
}

void key_node_init(struct key_node *node, unsigned char *storage,
                   const struct analysis_cache_key *key, uint64_t hash)
{
    key_copy(storage, key);
    *node = (struct key_node){.hash = hash, .key = storage, .key_bytes = key->size};
}
