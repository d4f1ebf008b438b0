// SPDX-License-Identifier: MIT
// What the suites of the callback share: a ring that is fed block by block, and all that is heard of it.
#pragma once
#include "engine/audio/callback_setup.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> // needs those above it

enum {
    RATE_HZ = 48000,
    FADE_FRAMES = 240, // 5 ms
    RAMP_FRAMES = 480, // 10 ms
    RING_BLOCKS = 16,
    MAX_FRAMES = 8192,
};

struct rig {
    struct ring *ring;
    struct callback *callback;
    float out[2 * MAX_FRAMES];
    uint32_t filled; // of out
};

/// Every frame has a value of its own, exact in a float, never 0.
static inline float sample(uint32_t track, uint64_t frame)
{
    return (float)(track * 100000 + frame + 1) / 16777216.0f;
}

static inline void feed(struct rig *rig, uint32_t epoch, uint32_t track, uint64_t first_frame,
                        uint32_t frames, uint32_t flags)
{
    struct ring_block *block = ring_reserve(rig->ring);
    assert_non_null(block);
    block->epoch = epoch;
    block->track = track;
    block->first_frame = first_frame;
    block->frames = frames;
    block->flags = flags;
    for (uint32_t i = 0; i < frames; i++) {
        block->samples[2 * i] = sample(track, first_frame + i);
        block->samples[2 * i + 1] = -sample(track, first_frame + i);
    }
    ring_commit(rig->ring);
}

/// A block of one value throughout: what a fade does to it is plain to see.
static inline void feed_level(struct rig *rig, uint32_t epoch, float level, uint32_t frames,
                              uint32_t flags)
{
    struct ring_block *block = ring_reserve(rig->ring);
    assert_non_null(block);
    *block = (struct ring_block){.epoch = epoch, .track = 1, .frames = frames, .flags = flags};
    for (uint32_t i = 0; i < 2 * frames; i++)
        block->samples[i] = level;
    ring_commit(rig->ring);
}

/// Run once and append to rig->out. @return frames filled.
static inline uint32_t run(struct rig *rig, uint32_t frames)
{
    assert_true(rig->filled + frames <= MAX_FRAMES);
    uint32_t n = callback_run(rig->callback, rig->out + 2 * rig->filled, frames);
    assert_true(n <= frames);
    rig->filled += n;
    return n;
}

static inline struct rig *new_rig(enum sink_pace pace)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    assert_int_equal(ring_create(&rig->ring, RING_BLOCKS, RING_ONE_SIDE), 0);
    assert_int_equal(callback_create(&rig->callback, rig->ring, RATE_HZ, pace), 0);
    callback_set_mode(rig->callback, CALLBACK_PLAYING);
    return rig;
}

static inline void free_rig(struct rig *rig)
{
    callback_destroy(&rig->callback);
    ring_destroy(&rig->ring);
    free(rig);
}

static inline struct callback_counters counters(const struct rig *rig)
{
    struct callback_counters c;
    callback_counters(rig->callback, &c);
    return c;
}

static inline struct callback_position position(const struct rig *rig)
{
    struct callback_position p;
    callback_position(rig->callback, &p);
    return p;
}

static inline void assert_frames(const struct rig *rig, uint32_t from, uint32_t track,
                                 uint64_t first_frame, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        float expected[2] = {sample(track, first_frame + i), -sample(track, first_frame + i)};
        assert_memory_equal(rig->out + 2 * (from + i), expected, sizeof expected);
    }
}

static inline void assert_silent(const struct rig *rig, uint32_t from, uint32_t frames)
{
    for (uint32_t i = 2 * from; i < 2 * (from + frames); i++)
        assert_true(rig->out[i] == 0.0f);
}

static inline float largest_step(const struct rig *rig, uint32_t from, uint32_t to)
{
    float largest = 0.0f;
    for (uint32_t i = from + 1; i < to; i++)
        largest = fmaxf(largest, fabsf(rig->out[2 * i] - rig->out[2 * i - 2]));
    return largest;
}
