// SPDX-License-Identifier: MIT
// The window of a source: blocks of 256 KiB around the reader, in slots that are used again.
#include "io/bytes/source_impl.h"
#include <stdlib.h>

enum { EXTRA_SLOTS = 2 }; // one block behind the reader, one that the window's end cuts

size_t source_slots(size_t window_bytes)
{
    return (window_bytes + SOURCE_BLOCK_BYTES - 1) / SOURCE_BLOCK_BYTES + EXTRA_SLOTS;
}

static bool covers(const struct block *b, uint64_t offset)
{
    return b->state != BLOCK_EMPTY && offset >= b->offset && offset - b->offset < b->bytes;
}

struct block *source_find_block(struct source *s, uint64_t offset)
{
    struct block *loading = NULL;
    struct block *edges[] = {&s->head, &s->tail};
    for (size_t i = 0; i < s->n_slots + 2; i++) {
        struct block *b = i < 2 ? edges[i] : &s->slots[i - 2];
        if (!covers(b, offset))
            continue;
        if (b->state == BLOCK_READY)
            return b;
        loading = b;
    }
    return loading;
}

static uint64_t window_start(const struct source *s)
{
    uint64_t index = s->position / SOURCE_BLOCK_BYTES;
    return (index ? index - 1 : 0) * SOURCE_BLOCK_BYTES;
}

static uint64_t window_end(const struct source *s)
{
    uint64_t end = s->position + s->window_bytes;
    return end < s->identity.size_bytes ? end : s->identity.size_bytes;
}

static bool is_outside(const struct source *s, const struct block *b)
{
    return b->offset + b->bytes <= window_start(s) || b->offset >= window_end(s);
}

/// A slot for a new block: one with memory that is out of the window, else one without.
static struct block *free_slot_locked(struct source *s) REQUIRES(s->lock);
static struct block *free_slot_locked(struct source *s)
{
    struct block *bare = NULL;
    size_t n_filled = 0;
    for (size_t i = 0; i < s->n_slots; i++) {
        struct block *b = &s->slots[i];
        n_filled += b->data != NULL;
        if (b->state == BLOCK_LOADING)
            continue;
        if (!b->data)
            bare = bare ? bare : b;
        else if (b->state == BLOCK_EMPTY || b->state == BLOCK_FAILED || is_outside(s, b))
            return b;
    }
    return n_filled < source_slots(s->window_bytes) ? bare : NULL;
}

struct block *source_next_block(struct source *s)
{
    uint64_t size = s->identity.size_bytes;
    for (uint64_t at = s->position / SOURCE_BLOCK_BYTES * SOURCE_BLOCK_BYTES; at < window_end(s);
         at += SOURCE_BLOCK_BYTES) {
        uint64_t end = size - at < SOURCE_BLOCK_BYTES ? size : at + SOURCE_BLOCK_BYTES;
        bool is_there =
            (at >= s->tail.offset && s->tail.bytes) || s->head.bytes + s->tail.bytes == size;
        for (size_t i = 0; i < s->n_slots && !is_there; i++)
            is_there = covers(&s->slots[i], at);
        if (is_there)
            continue;
        struct block *b = free_slot_locked(s);
        if (!b)
            return NULL;
        b->state = BLOCK_LOADING;
        b->offset = at;
        b->bytes = (size_t)(end - at);
        return b;
    }
    return NULL;
}

void source_trim_window(struct source *s)
{
    size_t n_filled = 0;
    for (size_t i = 0; i < s->n_slots; i++)
        n_filled += s->slots[i].data != NULL;
    for (size_t i = 0; i < s->n_slots && n_filled > source_slots(s->window_bytes); i++) {
        struct block *b = &s->slots[i];
        if (!b->data || b->state == BLOCK_LOADING || !is_outside(s, b))
            continue;
        free(b->data);
        b->data = NULL;
        b->state = BLOCK_EMPTY;
        n_filled--;
    }
}

bool source_move_window(struct source *s, uint64_t offset)
{
    // Ogg and MP3 look at the file's end when opened; the window stays where the playing is.
    if (s->tail.bytes && offset >= s->tail.offset)
        return false;
    bool is_moved = offset / SOURCE_BLOCK_BYTES != s->position / SOURCE_BLOCK_BYTES;
    s->position = offset;
    return is_moved;
}
