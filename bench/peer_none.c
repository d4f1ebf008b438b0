// SPDX-License-Identifier: MIT
// No peer: librocksdb or a C++ compiler was not at hand when this was built.
#include "peer_rocksdb.h"
#include <assert.h>

struct peer_cache *peer_cache_create(enum peer_kind kind, size_t entries, int shard_bits)
{
    (void)kind, (void)entries, (void)shard_bits;
    return NULL;
}

void peer_cache_destroy(struct peer_cache **peer)
{
    *peer = NULL;
}

int peer_cache_insert(struct peer_cache *peer, const void *key, size_t key_bytes, void *value)
{
    (void)peer, (void)key, (void)key_bytes, (void)value;
    assert(!key); // nobody has made a peer to call this with
    return -1;
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
