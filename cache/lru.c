// SPDX-License-Identifier: MIT
#include "cache/lru.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static_assert(ENTRY_LINE_BYTES % sizeof(struct lru_node) == 0, "no node lies in two lines");

int lru_init(struct lru *lru, size_t most)
{
    *lru = (struct lru){.fresh = 1};
    // Half empty at the most, so that runs of slots are short, and numbers fit 32 bits.
    if (most > UINT32_MAX / 4)
        return -ENOMEM;
    size_t slots = 2;
    while (slots < most * 2)
        slots *= 2;
    const size_t lines = ((most + 1) * sizeof(struct lru_node) + ENTRY_LINE_BYTES - 1) /
                         ENTRY_LINE_BYTES; // whole ones, as aligned_alloc() wants them
    lru->mask = (uint32_t)(slots - 1);
    lru->slots = calloc(slots, sizeof(struct lru_slot));
    lru->nodes = aligned_alloc(ENTRY_LINE_BYTES, lines * ENTRY_LINE_BYTES);
    if (!lru->slots || !lru->nodes)
        return -ENOMEM;
    lru->nodes[0] = (struct lru_node){0};
    return 0;
}

void lru_deinit(struct lru *lru)
{
    free(lru->slots);
    free(lru->nodes);
    *lru = (struct lru){0};
}

static uint32_t take_node(struct lru *lru)
{
    const uint32_t number = lru->free;
    if (!number)
        return lru->fresh++;
    lru->free = lru->nodes[number].older;
    return number;
}

void lru_add(struct lru *lru, struct entry *entry, int64_t now_ns)
{
    assert(entry->record);
    struct lru_node *nodes = lru->nodes;
    const uint32_t number = take_node(lru);
    nodes[number] = (struct lru_node){
        .record = entry->record, .entry = entry, .inserted_ns = now_ns, .older = nodes[0].older};
    nodes[nodes[0].older].newer = number;
    nodes[0].older = number;
    entry->node = number;

    uint32_t at = (uint32_t)entry->hash & lru->mask;
    while (lru->slots[at].node)
        at = (at + 1) & lru->mask;
    lru->slots[at] = (struct lru_slot){(uint32_t)entry->hash, number};
}

/// Empty a slot. Every entry must be reachable from the slot it should be in without an empty one
/// between: those behind move up where that lies not behind the gap.
static void empty_slot(struct lru *lru, uint32_t gap)
{
    for (uint32_t at = (gap + 1) & lru->mask; lru->slots[at].node; at = (at + 1) & lru->mask) {
        const uint32_t home = lru->slots[at].hash & lru->mask;
        if (((at - home) & lru->mask) < ((at - gap) & lru->mask))
            continue;
        lru->slots[gap] = lru->slots[at];
        gap = at;
    }
    lru->slots[gap] = (struct lru_slot){0};
}

void lru_remove(struct lru *lru, const struct entry *entry)
{
    const uint32_t number = entry->node;
    struct lru_node *node = &lru->nodes[number];
    assert(number > 0 && node->entry == entry);
    uint32_t at = (uint32_t)entry->hash & lru->mask;
    for (; lru->slots[at].node != number; at = (at + 1) & lru->mask)
        assert(lru->slots[at].node);
    empty_slot(lru, at);
    lru->nodes[node->newer].older = node->older;
    lru->nodes[node->older].newer = node->newer;
    *node = (struct lru_node){.older = lru->free};
    lru->free = number;
}
