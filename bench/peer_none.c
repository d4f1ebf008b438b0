// SPDX-License-Identifier: MIT
// No peer: librocksdb was not at hand when this was built.
#include "peer_rocksdb.h"
#include <assert.h>

struct peer_cache *peer_cache_create(size_t capacity, int shard_bits)
{
    (void)capacity;
    (void)shard_bits;
    return NULL;
}

void peer_cache_destroy(struct peer_cache **peer)
{
    *peer = NULL;
}

void peer_cache_insert(struct peer_cache *peer, const void *key, size_t key_bytes, void *value)
{
    (void)peer, (void)key, (void)key_bytes, (void)value;
    assert(!key); // nobody has made a peer to call this with
}

void *peer_cache_acquire(struct peer_cache *peer, const void *key, size_t key_bytes)
{
    (void)peer, (void)key, (void)key_bytes;
    return NULL;
}

void *peer_cache_value(struct peer_cache *peer, void *handle)
{
    (void)peer, (void)handle;
    return NULL;
}

void peer_cache_release(struct peer_cache *peer, void *handle)
{
    (void)peer, (void)handle;
}
