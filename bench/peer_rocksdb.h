// SPDX-License-Identifier: MIT
// RocksDB's block caches as bare caches, for comparison.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct peer_cache;

enum peer_kind {
    PEER_LRU,        // the one in general use
    PEER_HYPERCLOCK, // without locks, no LRU; takes keys of 16 bytes only
};

/// @return NULL if this build or the library at hand has no such peer.
struct peer_cache *peer_cache_create(enum peer_kind kind, size_t entries, int shard_bits);
void peer_cache_destroy(struct peer_cache **peer);
/// Keep `value`, which stays the caller's, at a charge of 1. @return 0, or -1.
int peer_cache_insert(struct peer_cache *peer, const void *key, size_t key_bytes, void *value);
/// @return a handle to give back, or NULL.
void *peer_cache_acquire(struct peer_cache *peer, const void *key, size_t key_bytes);
void *peer_cache_value(struct peer_cache *peer, void *handle);
void peer_cache_release(struct peer_cache *peer, void *handle);

#ifdef __cplusplus
}
#endif
