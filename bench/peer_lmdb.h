// SPDX-License-Identifier: MIT
// LMDB as a store of one value a key, for comparison.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct peer_lmdb;

/// Open in an existing empty folder. @return NULL if this build has no such peer, or it cannot be opened.
struct peer_lmdb *peer_lmdb_create(const char *folder, size_t most_bytes);
/// Its files stay. Sets *peer to NULL; NULL is fine.
void peer_lmdb_destroy(struct peer_lmdb **peer);
/// Begin and end a batch of insertions. @return 0, or -1.
int peer_lmdb_begin(struct peer_lmdb *peer);
int peer_lmdb_put(struct peer_lmdb *peer, const char *key, const void *value, size_t bytes);
int peer_lmdb_commit(struct peer_lmdb *peer);
/// Read each 64th byte of a key's value in a transaction of its own. @return their sum; 0 if there is none.
uint64_t peer_lmdb_read(struct peer_lmdb *peer, const char *key);
