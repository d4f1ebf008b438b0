// SPDX-License-Identifier: MIT
// Failed extractions, remembered for a while that grows with each further failure.
#pragma once
#include "cache/key_table.h"
#include "cache/list.h"
#include "cache/scope.h"

/// Thread-safety: a failure belongs to whoever made it until backoff_add() takes it.
struct failure {
    struct key_node node;
    struct list link; // in backoff.latest
    int error;
    int64_t delay_ns;
    int64_t retry_at_ns;
    unsigned char key[];
};

/// Thread-safety: None; the shard's lock protects it. Nothing is freed in it: what is removed is
/// chained to *removed for failure_destroy_all(), which belongs outside the lock.
struct backoff {
    size_t n_failures, most_failures; // beyond these the one that failed longest ago is forgotten
    struct key_table table;
    struct list latest;
};

/// @return 0; -ENOMEM, and then backoff_deinit() is fine.
MUST_CHECK int backoff_init(struct backoff *backoff, size_t most_failures);
/// Frees the failures too.
void backoff_deinit(struct backoff *backoff);

/// @return NULL without memory.
MUST_CHECK struct failure *failure_create(const struct analysis_cache_key *key, uint64_t hash,
                                          int error);
/// Free it and those chained to it, and set *failure to NULL. NULL is fine.
void failure_destroy_all(struct failure **failure);

/// @return the error to answer with until the back-off is over, or 0.
int backoff_error(const struct backoff *backoff, uint64_t hash,
                  const struct analysis_cache_key *key, int64_t now_ns);
/// Begin a back-off, or lengthen the one of this key.
void backoff_add(struct backoff *backoff, struct failure *failure, int64_t now_ns,
                 struct failure **removed);
/// Forget a key that did not fail.
void backoff_forget(struct backoff *backoff, uint64_t hash, const void *key, size_t key_bytes,
                    struct failure **removed);
/// Forget all in `scope`.
void backoff_invalidate(struct backoff *backoff, const struct scope *scope,
                        struct failure **removed);
