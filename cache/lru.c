// SPDX-License-Identifier: MIT
#include "cache/lru.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int lru_init(struct lru *lru, size_t most, enum lru_order order)
{
    *lru = (struct lru){.order = order, .fresh = 1};
    // At the most half of the homes are taken, so that runs of slots are short. They do not wrap
    // around: behind the last home there is room for any run, and an empty slot to end it.
    if (most > UINT32_MAX / 4)
        return -ENOMEM;
    size_t homes = 2;
    while (homes < most * 2)
        homes *= 2;
    lru->mask = (uint32_t)(homes - 1);
    // All zeroed, and not touched before they are used.
    lru->slots = calloc(homes + most, sizeof(struct lru_slot));
    lru->links = calloc(most + 1, sizeof(struct lru_link));
    lru->entries = calloc(most + 1, sizeof(struct entry *));
    return lru->slots && lru->links && lru->entries ? 0 : -ENOMEM;
}

void lru_deinit(struct lru *lru)
{
    free(lru->slots);
    free(lru->links);
    free(lru->entries);
    *lru = (struct lru){0};
}

static uint32_t take_link(struct lru *lru)
{
    const uint32_t link = lru->unused;
    if (!link)
        return lru->fresh++;
    lru->unused = lru->links[link].older;
    return link;
}

void lru_add(struct lru *lru, struct entry *entry)
{
    assert(entry->record);
    struct lru_link *links = lru->links;
    const uint32_t link = take_link(lru);
    links[link] = (struct lru_link){.newer = 0, .older = links[0].older};
    links[links[0].older].newer = link;
    links[0].older = link;
    lru->entries[link] = entry;
    entry->link = link;

    struct lru_slot *at = lru_home(lru, entry->hash);
    while (at->entry)
        ++at;
    *at = (struct lru_slot){(uint32_t)entry->hash, link, entry, entry->record, entry->inserted_ns};
}

/// Empty a slot. Every entry must be reachable from its home without an empty slot between: those
/// behind move up unless that took them before their home.
static void empty_slot(struct lru *lru, struct lru_slot *gap)
{
    for (struct lru_slot *at = gap + 1; at->entry; ++at) {
        if (lru_home(lru, at->hash) > gap)
            continue;
        *gap = *at;
        gap = at;
    }
    *gap = (struct lru_slot){0};
}

void lru_remove(struct lru *lru, const struct entry *entry)
{
    struct lru_slot *at = lru_home(lru, entry->hash);
    for (; at->entry != entry; ++at)
        assert(at->entry);
    empty_slot(lru, at);

    struct lru_link *links = lru->links;
    const uint32_t link = entry->link;
    assert(lru->entries[link] == entry);
    links[links[link].newer].older = links[link].older;
    links[links[link].older].newer = links[link].newer;
    links[link].older = lru->unused;
    lru->unused = link;
    lru->entries[link] = NULL;
}

struct entry *lru_oldest(struct lru *lru)
{
    uint32_t last = lru->links[0].newer;
    while (lru->entries[last]->is_marked) {
        lru->entries[last]->is_marked = 0;
        lru_promote(lru, last);
        last = lru->links[0].newer;
    }
    return lru->entries[last];
}
