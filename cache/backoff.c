// SPDX-License-Identifier: MIT
#include "cache/backoff.h"
#include "cache/analysis_cache.h"
#include <assert.h>
#include <stdlib.h>

static const int64_t FIRST_DELAY_NS = 1000000000;
static const int64_t LONGEST_DELAY_NS = 60000000000;

struct failure *failure_create(const struct analysis_cache_key *key, uint64_t hash, int error)
{
    assert(error < 0);
    struct failure *failure = malloc(sizeof(*failure) + key_copy_bytes(key));
    if (!failure)
        return NULL;
    *failure = (struct failure){.error = error, .delay_ns = FIRST_DELAY_NS};
    key_node_init(&failure->node, failure->key, key, hash);
    list_init(&failure->link);
    return failure;
}

void failure_destroy_all(struct failure **failure)
{
    struct failure *next = *failure;
    *failure = NULL;
    while (next) {
        struct failure *mine = next;
        next = mine->node.chain ? LIST_ENTRY(mine->node.chain, struct failure, node) : NULL;
        free(mine);
    }
}

int backoff_init(struct backoff *backoff, size_t most_failures)
{
    *backoff = (struct backoff){.most_failures = most_failures};
    list_init(&backoff->latest);
    return key_table_init(&backoff->table, most_failures);
}

static void remove_failure(struct backoff *backoff, struct failure *failure,
                           struct failure **removed)
{
    assert(backoff->n_failures > 0);
    key_table_remove(&backoff->table, &failure->node);
    list_remove(&failure->link);
    --backoff->n_failures;
    failure->node.chain = *removed ? &(*removed)->node : NULL;
    *removed = failure;
}

void backoff_deinit(struct backoff *backoff)
{
    // One that was never initialised is all zero.
    struct failure *removed = NULL;
    if (backoff->table.buckets) {
        const struct scope everything = scope_all();
        backoff_invalidate(backoff, &everything, &removed);
    }
    failure_destroy_all(&removed);
    key_table_deinit(&backoff->table);
}

int backoff_error(const struct backoff *backoff, uint64_t hash,
                  const struct analysis_cache_key *key, int64_t now_ns)
{
    struct key_node *node = key_table_find(&backoff->table, hash, key->bytes, key->size);
    if (!node)
        return 0;
    const struct failure *failure = LIST_ENTRY(node, struct failure, node);
    return now_ns < failure->retry_at_ns ? failure->error : 0;
}

void backoff_add(struct backoff *backoff, struct failure *failure, int64_t now_ns,
                 struct failure **removed)
{
    struct key_node *node =
        key_table_find(&backoff->table, failure->node.hash, failure->key, failure->node.key_bytes);
    if (node) {
        struct failure *last = LIST_ENTRY(node, struct failure, node);
        failure->delay_ns =
            last->delay_ns < LONGEST_DELAY_NS / 2 ? last->delay_ns * 2 : LONGEST_DELAY_NS;
        remove_failure(backoff, last, removed);
    }
    if (backoff->n_failures >= backoff->most_failures)
        remove_failure(backoff, LIST_ENTRY(backoff->latest.previous, struct failure, link),
                       removed);
    failure->retry_at_ns = now_ns + failure->delay_ns;
    key_table_add(&backoff->table, &failure->node);
    list_add_first(&backoff->latest, &failure->link);
    ++backoff->n_failures;
}

void backoff_forget(struct backoff *backoff, uint64_t hash, const void *key, size_t key_bytes,
                    struct failure **removed)
{
    struct key_node *node = key_table_find(&backoff->table, hash, key, key_bytes);
    if (node)
        remove_failure(backoff, LIST_ENTRY(node, struct failure, node), removed);
}

void backoff_invalidate(struct backoff *backoff, const struct scope *scope,
                        struct failure **removed)
{
    for (struct list *at = backoff->latest.next, *next; at != &backoff->latest; at = next) {
        next = at->next;
        struct failure *failure = LIST_ENTRY(at, struct failure, link);
        if (scope_has(scope, key_node_path(&failure->node)))
            remove_failure(backoff, failure, removed);
    }
}
