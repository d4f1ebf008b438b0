// SPDX-License-Identifier: MIT
#include "cache/lru.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static_assert(ENTRY_LINE_BYTES % sizeof(struct lru_node) == 0, "no node lies in two lines");

int lru_init(struct lru *lru, size_t most)
{
    *lru = (struct lru){.fresh = 1};
    // At the most half of the homes are taken, so that runs of slots are short. They do not wrap
    // around: behind the last home there is room for any run, and an empty slot to end it.
    if (most > UINT32_MAX / 4)
        return -ENOMEM;
    size_t homes = 2;
    while (homes < most * 2)
        homes *= 2;
    const size_t lines = ((most + 1) * sizeof(struct lru_node) + ENTRY_LINE_BYTES - 1) /
                         ENTRY_LINE_BYTES; // whole ones, as aligned_alloc() wants them
    lru->mask = (uint32_t)(homes - 1);
    lru->slots = calloc(homes + most, sizeof(struct lru_slot));
    lru->nodes = aligned_alloc(ENTRY_LINE_BYTES, lines * ENTRY_LINE_BYTES);
    if (!lru->slots || !lru->nodes)
        return -ENOMEM;
    struct lru_node *ends = &lru->nodes[0];
    *ends = (struct lru_node){.newer = ends, .older = ends};
    return 0;
}

void lru_deinit(struct lru *lru)
{
    free(lru->slots);
    free(lru->nodes);
    *lru = (struct lru){0};
}

static struct lru_node *take_node(struct lru *lru)
{
    struct lru_node *node = lru->unused;
    if (!node)
        return &lru->nodes[lru->fresh++];
    lru->unused = node->older;
    return node;
}

void lru_add(struct lru *lru, struct entry *entry)
{
    assert(entry->record);
    struct lru_node *ends = &lru->nodes[0], *node = take_node(lru);
    *node = (struct lru_node){ends, entry->record, ends->older, entry};
    node->older->newer = node;
    ends->older = node;
    entry->node = (uint32_t)(node - lru->nodes);

    struct lru_slot *at = lru_home(lru, entry->hash);
    while (at->node)
        ++at;
    *at = (struct lru_slot){(uint32_t)entry->hash, entry->node};
}

/// Empty a slot. Every entry must be reachable from its home without an empty slot between: those
/// behind move up unless that took them before their home.
static void empty_slot(struct lru *lru, struct lru_slot *gap)
{
    for (struct lru_slot *at = gap + 1; at->node; ++at) {
        if (lru_home(lru, at->hash) > gap)
            continue;
        *gap = *at;
        gap = at;
    }
    *gap = (struct lru_slot){0};
}

void lru_remove(struct lru *lru, const struct entry *entry)
{
    struct lru_node *node = &lru->nodes[entry->node];
    assert(entry->node > 0 && node->entry == entry);
    struct lru_slot *at = lru_home(lru, entry->hash);
    for (; at->node != entry->node; ++at)
        assert(at->node);
    empty_slot(lru, at);
    node->newer->older = node->older;
    node->older->newer = node->newer;
    *node = (struct lru_node){.older = lru->unused};
    lru->unused = node;
}

struct entry *lru_oldest(const struct lru *lru)
{
    return lru->nodes[0].newer->entry;
}
