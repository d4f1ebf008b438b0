// SPDX-License-Identifier: MIT
// RocksDB's C interface makes a cache but cannot look into it, so the class is called through its
// table of virtual functions, by the Itanium C++ ABI and in the order in which <rocksdb/cache.h> of
// version 7.8 declares them. The build takes this file for that version alone, and the name that the
// cache gives itself is checked before anything else is called.
#include "peer_rocksdb.h"
#include <assert.h>
#include <rocksdb/c.h>
#include <stdlib.h>
#include <string.h>

struct slice {
    const char *data;
    size_t size;
};

struct rocks_object;

struct rocks_table {
    void (*destroy)(struct rocks_object *self);
    void (*destroy_and_free)(struct rocks_object *self);
    const char *(*name)(const struct rocks_object *self);
    // A Status is returned in memory that the caller names by a hidden first argument.
    void (*insert)(void *status, struct rocks_object *self, const struct slice *key, void *value,
                   size_t charge, void (*deleter)(const struct slice *key, void *value),
                   void **handle, int priority);
    void *(*lookup)(struct rocks_object *self, const struct slice *key, void *statistics);
    _Bool (*reference)(struct rocks_object *self, void *handle);
    _Bool (*release)(struct rocks_object *self, void *handle, _Bool erase_if_last);
    void *(*value)(struct rocks_object *self, void *handle);
};

struct rocks_object {
    const struct rocks_table *table;
};

struct peer_cache {
    rocksdb_cache_t *owner;      // a shared pointer, which begins with the pointer
    struct rocks_object *object; // not owned
};

struct peer_cache *peer_cache_create(size_t capacity, int shard_bits)
{
    struct peer_cache *peer = calloc(1, sizeof(*peer));
    if (!peer)
        return NULL;
    rocksdb_lru_cache_options_t *options = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(options, capacity);
    rocksdb_lru_cache_options_set_num_shard_bits(options, shard_bits);
    peer->owner = rocksdb_cache_create_lru_opts(options);
    rocksdb_lru_cache_options_destroy(options);
    memcpy(&peer->object, peer->owner, sizeof(peer->object));
    if (strcmp(peer->object->table->name(peer->object), "LRUCache") != 0)
        peer_cache_destroy(&peer);
    return peer;
}

void peer_cache_destroy(struct peer_cache **peer)
{
    if (*peer)
        rocksdb_cache_destroy((*peer)->owner);
    free(*peer);
    *peer = NULL;
}

static void keep_value(const struct slice *key, void *value)
{
    (void)key;
    (void)value;
}

void peer_cache_insert(struct peer_cache *peer, const void *key, size_t key_bytes, void *value)
{
    enum { LOW_PRIORITY = 1 };
    unsigned char status[64] = {0};
    const struct slice slice = {key, key_bytes};
    peer->object->table->insert(status, peer->object, &slice, value, 1, keep_value, NULL,
                                LOW_PRIORITY);
    assert(status[0] == 0);
}

void *peer_cache_acquire(struct peer_cache *peer, const void *key, size_t key_bytes)
{
    const struct slice slice = {key, key_bytes};
    return peer->object->table->lookup(peer->object, &slice, NULL);
}

void *peer_cache_value(struct peer_cache *peer, void *handle)
{
    return peer->object->table->value(peer->object, handle);
}

void peer_cache_release(struct peer_cache *peer, void *handle)
{
    peer->object->table->release(peer->object, handle, 0);
}
