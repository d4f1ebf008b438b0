// SPDX-License-Identifier: MIT
// In C++, since RocksDB's C interface makes a cache but cannot look into it.
#include "peer_rocksdb.h"
#include <memory>
#include <new>
#include <rocksdb/cache.h>

struct peer_cache {
    std::shared_ptr<rocksdb::Cache> cache;
};

static void keep_value(const rocksdb::Slice &, void *) {}

static rocksdb::Slice slice(const void *key, size_t bytes)
{
    return rocksdb::Slice(static_cast<const char *>(key), bytes);
}

static rocksdb::Cache::Handle *as_handle(void *handle)
{
    return static_cast<rocksdb::Cache::Handle *>(handle);
}

peer_cache *peer_cache_create(peer_kind kind, size_t entries, int shard_bits)
{
    peer_cache *peer = new (std::nothrow) peer_cache;
    if (!peer)
        return nullptr;
    if (kind == PEER_LRU) {
        rocksdb::LRUCacheOptions options;
        options.capacity = entries;
        options.num_shard_bits = shard_bits;
        options.metadata_charge_policy = rocksdb::kDontChargeCacheMetadata;
        peer->cache = rocksdb::NewLRUCache(options);
    } else {
        rocksdb::HyperClockCacheOptions options(entries, 1, shard_bits);
        options.metadata_charge_policy = rocksdb::kDontChargeCacheMetadata;
        peer->cache = options.MakeSharedCache();
    }
    if (!peer->cache)
        peer_cache_destroy(&peer);
    return peer;
}

void peer_cache_destroy(peer_cache **peer)
{
    delete *peer;
    *peer = nullptr;
}

int peer_cache_insert(peer_cache *peer, const void *key, size_t key_bytes, void *value)
{
    return peer->cache->Insert(slice(key, key_bytes), value, 1, keep_value).ok() ? 0 : -1;
}

void *peer_cache_acquire(peer_cache *peer, const void *key, size_t key_bytes)
{
    return peer->cache->Lookup(slice(key, key_bytes));
}

void *peer_cache_value(peer_cache *peer, void *handle)
{
    return peer->cache->Value(as_handle(handle));
}

void peer_cache_release(peer_cache *peer, void *handle)
{
    peer->cache->Release(as_handle(handle));
}
