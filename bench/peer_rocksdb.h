// SPDX-License-Identifier: MIT
// RocksDB's LRUCache as a bare cache, for comparison.
#pragma once
#include <stddef.h>

struct peer_cache;

/// @return NULL if this build or the library at hand has no such peer.
struct peer_cache *peer_cache_create(size_t capacity, int shard_bits);
void peer_cache_destroy(struct peer_cache **peer);
/// Keep `value`, which stays the caller's, at a charge of 1.
void peer_cache_insert(struct peer_cache *peer, const void *key, size_t key_bytes, void *value);
/// @return a handle to give back, or NULL.
void *peer_cache_acquire(struct peer_cache *peer, const void *key, size_t key_bytes);
void *peer_cache_value(struct peer_cache *peer, void *handle);
void peer_cache_release(struct peer_cache *peer, void *handle);
