// SPDX-License-Identifier: MIT
// Lock-free single-producer single-consumer ring of fixed-size audio blocks, reserved and committed in place.
#pragma once
#include "dsp/annotate.h"
#include <stdbool.h>
#include <stdint.h>

enum { RING_BLOCK_FRAMES = 512 };

/// A block of finished stereo audio at the device's rate. In a ring of two sides the same frames follow it as they are
/// without mastering, see ring_plain().
struct ring_block {
    uint32_t epoch;       // of the command that it answers; stale ones are dropped by the reader
    uint32_t track;       // serial number of the playing of a track
    uint64_t first_frame; // of the track, at the device's rate
    uint32_t frames;      // 0 .. RING_BLOCK_FRAMES
    uint32_t flags;       // RING_*
    // --- of meaning in a ring of two sides
    float mastered_gain, plain_gain; // linear, both sides equally loud, as the block begins
    float mastered_to, plain_to;     // and as it ends
    bool is_on_the_way;              // of a ramp: else they are the same
    float samples[2 * RING_BLOCK_FRAMES];
};

enum {
    RING_TRACK_END = 1, // the last block of its track
    RING_QUEUE_END = 2, // nothing follows in this epoch
    RING_AFTER_GAP = 4, // does not continue the block before: a seek's first block
};

enum ring_sides {
    RING_ONE_SIDE = 1,
    RING_TWO_SIDES = 2, // mastered and plain, for the reader to choose from
};

/// Thread-safety: one writing and one reading thread.
struct ring;

/// `blocks` is a power of two, 2 .. 2^20. All memory is touched and, if allowed, locked. @return 0; -EINVAL; -ENOMEM.
MUST_CHECK int ring_create(struct ring **out, uint32_t blocks, enum ring_sides sides);
/// The same, but with half as many blocks where half may be locked and all may not: a shorter ring that no page fault
/// delays before a longer one. Where not even half may be, all of them.
MUST_CHECK int ring_create_lockable(struct ring **out, uint32_t blocks, enum ring_sides sides);
/// Destroy and set *ring to NULL. NULL is fine. No thread may still use it.
void ring_destroy(struct ring **ring);
/// Writer: the next free block, or NULL if the ring is full. The same one until committed.
struct ring_block *ring_reserve(struct ring *ring);
/// Writer: the reserved block is filled, but not to be seen yet: the next reserved one is the one behind it.
void ring_hold(struct ring *ring);
/// Writer: publish the reserved block, and what is held before it, at once.
void ring_commit(struct ring *ring);
/// Writer: publish what is held.
void ring_commit_held(struct ring *ring);
/// Reader: the oldest block, or NULL if the ring is empty. RT safe.
RT_SAFE const struct ring_block *ring_peek(struct ring *ring);
/// Reader: give the oldest block back. RT safe.
RT_SAFE void ring_release(struct ring *ring);
/// Committed, not yet released blocks, at this instant. RT safe, any thread.
RT_SAFE uint32_t ring_fill(const struct ring *ring);
uint32_t ring_capacity(const struct ring *ring);
bool ring_is_locked(const struct ring *ring);
RT_SAFE enum ring_sides ring_sides(const struct ring *ring);

/// Writer: the block's second side, as long as the first one. Only in a ring of two.
static inline float *ring_plain(struct ring_block *block)
{
    return (float *)(block + 1);
}

/// Reader: the same. RT safe.
RT_SAFE static inline const float *ring_plain_of(const struct ring_block *block)
{
    return (const float *)(block + 1);
}
