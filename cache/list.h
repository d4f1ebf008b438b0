// SPDX-License-Identifier: MIT
// Intrusive, circular, doubly linked list. A list's head is a link of its own.
#pragma once
#include <stddef.h>

/// Thread-safety: None; the owner's lock protects it.
struct list {
    struct list *previous, *next;
};

/// The object of `type` whose member `member` is `link`.
#define LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/// Make `list` an empty list, or a link that is on none: list_remove() then does nothing.
static inline void list_init(struct list *list)
{
    list->previous = list->next = list;
}

static inline int list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_add_first(struct list *list, struct list *link)
{
    link->previous = list;
    link->next = list->next;
    list->next->previous = link;
    list->next = link;
}

static inline void list_remove(struct list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

/// Take a link from where it is to the front.
static inline void list_move_first(struct list *list, struct list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_add_first(list, link);
}
