// SPDX-License-Identifier: MIT
#include "engine/audio/ring.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Two counters run freely and wrap at 2^32; a block's place is its number modulo the capacity.
//
//        head             tail             head + capacity
//   ------|================|----------------|------
//         committed blocks   free blocks
//
// Invariant: 0 <= tail - head <= capacity, in unsigned arithmetic. The reader owns the blocks from head
// to tail, the writer the others, and a block changes hands only by a release store to a counter that
// the other side reads with acquire: whoever gets a block sees all that was done to it before.
//
// Each side keeps the last value it saw of the other's counter. The other can only have moved on since,
// so the copy errs on the safe side (fewer blocks than there are), and the line that both sides share
// is touched only when the copy says "none left".

enum {
    RING_LINE_BYTES = 64,
    // The counters start just below their wrap, so that every run goes through it.
    RING_FIRST_NUMBER = -3,
};

struct ring {
    // --- immutable after create
    uint32_t mask;         // capacity - 1
    uint32_t stride_bytes; // from block to block
    enum ring_sides sides;
    bool is_locked;
    // --- writer only
    _Alignas(RING_LINE_BYTES) uint32_t seen_head;
    uint32_t held; // filled blocks from tail on that are not committed yet
    // --- atomic: written by the writer, read by the reader
    _Atomic uint32_t tail; // number of the next block to be committed
    // --- reader only
    _Alignas(RING_LINE_BYTES) uint32_t seen_tail;
    // --- atomic: written by the reader, read by the writer
    _Atomic uint32_t head; // number of the oldest committed block
    // --- handed to and fro: each block is followed by its second side, if there are two
    _Alignas(RING_LINE_BYTES) unsigned char blocks[];
};

_Static_assert(sizeof(struct ring_block) % _Alignof(struct ring_block) == 0 &&
                   2 * RING_BLOCK_FRAMES * sizeof(float) % _Alignof(struct ring_block) == 0,
               "every stride keeps blocks aligned");

static uint32_t stride_bytes(enum ring_sides sides)
{
    const size_t plain = sides == RING_TWO_SIDES ? sizeof((struct ring_block){0}.samples) : 0;
    return (uint32_t)(sizeof(struct ring_block) + plain);
}

static size_t ring_bytes(uint32_t blocks, enum ring_sides sides)
{
    size_t bytes = sizeof(struct ring) + (size_t)blocks * stride_bytes(sides);
    return (bytes + RING_LINE_BYTES - 1) / RING_LINE_BYTES * RING_LINE_BYTES;
}

static struct ring_block *block_at(struct ring *ring, uint32_t number)
{
    return (struct ring_block *)(ring->blocks + (size_t)(number & ring->mask) * ring->stride_bytes);
}

int ring_create(struct ring **out, uint32_t blocks, enum ring_sides sides)
{
    assert(out && (sides == RING_ONE_SIDE || sides == RING_TWO_SIDES));
    *out = NULL;
    if (blocks < 2 || blocks > 1u << 20 || (blocks & (blocks - 1)))
        return -EINVAL;

    size_t bytes = ring_bytes(blocks, sides);
    struct ring *ring = aligned_alloc(RING_LINE_BYTES, bytes);
    if (!ring)
        return -ENOMEM;
    memset(ring, 0, bytes); // touches every page, so that the audio thread never is the first to
    ring->mask = blocks - 1;
    ring->stride_bytes = stride_bytes(sides);
    ring->sides = sides;
    ring->seen_head = (uint32_t)RING_FIRST_NUMBER;
    ring->seen_tail = (uint32_t)RING_FIRST_NUMBER;
    atomic_init(&ring->head, (uint32_t)RING_FIRST_NUMBER);
    atomic_init(&ring->tail, (uint32_t)RING_FIRST_NUMBER);
    ring->is_locked = mlock(ring, bytes) == 0; // a limit may forbid it: playback works without
    *out = ring;
    return 0;
}

int ring_create_lockable(struct ring **out, uint32_t blocks, enum ring_sides sides)
{
    struct ring *half;
    const int error = ring_create(out, blocks, sides);
    if (error || (*out)->is_locked || blocks < 4 || ring_create(&half, blocks / 2, sides))
        return error;
    if (half->is_locked) {
        struct ring *whole = *out;
        *out = half;
        half = whole;
    }
    ring_destroy(&half);
    return 0;
}

void ring_destroy(struct ring **ring)
{
    assert(ring);
    if (*ring && (*ring)->is_locked)
        munlock(*ring, ring_bytes((*ring)->mask + 1, (*ring)->sides));
    free(*ring);
    *ring = NULL;
}

struct ring_block *ring_reserve(struct ring *ring)
{
    // Relaxed: only this thread writes tail.
    uint32_t next = atomic_load_explicit(&ring->tail, memory_order_relaxed) + ring->held;
    if (next - ring->seen_head > ring->mask) {
        // Acquire, with the release in ring_release(): the reader is done with what it gave back.
        ring->seen_head = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (next - ring->seen_head > ring->mask)
            return NULL;
    }
    return block_at(ring, next);
}

void ring_hold(struct ring *ring)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    assert(tail + ring->held - ring->seen_head <= ring->mask); // ring_reserve() found a free block
    ring->held++;
}

void ring_commit_held(struct ring *ring)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint32_t held = ring->held;
    ring->held = 0;
    // Release, with the acquire in ring_peek(): the reader sees the blocks filled.
    atomic_store_explicit(&ring->tail, tail + held, memory_order_release);
}

void ring_commit(struct ring *ring)
{
    ring_hold(ring);
    ring_commit_held(ring);
}

RT_SAFE const struct ring_block *ring_peek(struct ring *ring)
{
    // Relaxed: only this thread writes head.
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head == ring->seen_tail) {
        // Acquire, with the release in ring_commit(): the block is filled.
        ring->seen_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head == ring->seen_tail)
            return NULL;
    }
    return block_at(ring, head);
}

RT_SAFE void ring_release(struct ring *ring)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    assert(head != ring->seen_tail); // ring_peek() found a block
    // Release, with the acquire in ring_reserve(): the reads of this block come before its next filling.
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

RT_SAFE uint32_t ring_fill(const struct ring *ring)
{
    // Head first, with acquire: the reader had seen a tail at least as far, so the tail read next is not
    // behind this head and the difference never wraps. Head may move on meanwhile: hence the bound.
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint32_t fill = tail - head;
    return fill <= ring->mask ? fill : ring->mask + 1;
}

bool ring_is_locked(const struct ring *ring)
{
    return ring->is_locked;
}

uint32_t ring_capacity(const struct ring *ring)
{
    return ring->mask + 1;
}

RT_SAFE enum ring_sides ring_sides(const struct ring *ring)
{
    return ring->sides;
}
