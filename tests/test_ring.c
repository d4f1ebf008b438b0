// SPDX-License-Identifier: MIT
#include "engine/audio/ring.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
// cmocka.h wants those above it
#include <cmocka.h>

static bool allocation_fails;
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return allocation_fails ? NULL : __real_aligned_alloc(alignment, bytes);
}

static struct ring *new_ring(uint32_t blocks)
{
    struct ring *ring;
    assert_int_equal(ring_create(&ring, blocks, RING_ONE_SIDE), 0);
    return ring;
}

static void push(struct ring *ring, uint64_t number)
{
    struct ring_block *block = ring_reserve(ring);
    assert_non_null(block);
    block->first_frame = number;
    ring_commit(ring);
}

static uint64_t pop(struct ring *ring)
{
    const struct ring_block *block = ring_peek(ring);
    assert_non_null(block);
    uint64_t number = block->first_frame;
    ring_release(ring);
    return number;
}

static void ring_refuses_capacities_that_are_no_power_of_two(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0, 1, 3, 6, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ring *ring = (struct ring *)1;
        assert_int_equal(ring_create(&ring, bad[i], RING_ONE_SIDE), -EINVAL);
        assert_null(ring);
    }
}

static void ring_of_two_sides_keeps_both_of_every_block_apart(void **state)
{
    (void)state;
    enum { BLOCKS = 4, SAMPLES = 2 * RING_BLOCK_FRAMES };
    struct ring *ring;
    assert_int_equal(ring_create(&ring, BLOCKS, RING_TWO_SIDES), 0);
    assert_int_equal(ring_sides(ring), RING_TWO_SIDES);
    for (uint32_t number = 0; number < BLOCKS; number++) {
        struct ring_block *block = ring_reserve(ring);
        assert_non_null(block);
        block->frames = number;
        for (uint32_t i = 0; i < SAMPLES; i++) {
            block->samples[i] = (float)(number * SAMPLES + i);
            ring_plain(block)[i] = -(float)(number * SAMPLES + i);
        }
        ring_commit(ring);
    }
    for (uint32_t number = 0; number < BLOCKS; number++) {
        const struct ring_block *block = ring_peek(ring);
        assert_non_null(block);
        assert_int_equal(block->frames, number);
        for (uint32_t i = 0; i < SAMPLES; i++) {
            assert_true(block->samples[i] == (float)(number * SAMPLES + i));
            assert_true(ring_plain_of(block)[i] == -(float)(number * SAMPLES + i));
        }
        ring_release(ring);
    }
    ring_destroy(&ring);
}

static void ring_creation_survives_a_failing_allocation(void **state)
{
    (void)state;
    struct ring *ring = (struct ring *)1;
    allocation_fails = true;
    int error = ring_create(&ring, 4, RING_ONE_SIDE);
    allocation_fails = false;
    assert_int_equal(error, -ENOMEM);
    assert_null(ring);
    ring_destroy(&ring);
}

static void ring_is_empty_when_new(void **state)
{
    (void)state;
    struct ring *ring = new_ring(4);
    assert_null(ring_peek(ring));
    assert_int_equal(ring_fill(ring), 0);
    assert_int_equal(ring_capacity(ring), 4);
    ring_destroy(&ring);
    assert_null(ring);
}

static void ring_takes_exactly_its_capacity(void **state)
{
    (void)state;
    struct ring *ring = new_ring(8);
    for (uint64_t i = 0; i < 8; i++) {
        assert_int_equal(ring_fill(ring), i);
        push(ring, i);
    }

    assert_null(ring_reserve(ring));
    assert_int_equal(ring_fill(ring), 8);
    assert_int_equal(pop(ring), 0);
    assert_non_null(ring_reserve(ring));
    ring_destroy(&ring);
}

static void held_blocks_are_seen_together_when_the_next_is_committed(void **state)
{
    (void)state;
    struct ring *ring;
    assert_int_equal(ring_create(&ring, 4, RING_ONE_SIDE), 0);
    for (uint32_t round = 0; round < 5; ++round) {
        for (uint32_t i = 0; i < 3; ++i) {
            struct ring_block *block = ring_reserve(ring);
            assert_non_null(block);
            block->track = 10 * round + i;
            if (i < 2)
                ring_hold(ring);
            else
                ring_commit(ring);
            assert_int_equal(ring_fill(ring), i < 2 ? 0 : 3);
            assert_true((ring_peek(ring) == NULL) == (i < 2));
        }
        for (uint32_t i = 0; i < 3; ++i) {
            assert_int_equal(ring_peek(ring)->track, 10 * round + i);
            ring_release(ring);
        }
    }
    assert_non_null(ring_reserve(ring));
    ring_hold(ring);
    ring_commit_held(ring);
    assert_int_equal(ring_fill(ring), 1);
    ring_destroy(&ring);
}

static void ring_reserves_the_same_block_until_it_is_committed(void **state)
{
    (void)state;
    struct ring *ring = new_ring(2);
    struct ring_block *first = ring_reserve(ring);
    assert_ptr_equal(ring_reserve(ring), first);
    assert_null(ring_peek(ring));
    ring_commit(ring);
    assert_ptr_not_equal(ring_reserve(ring), first);
    assert_ptr_equal(ring_peek(ring), first);
    ring_destroy(&ring);
}

static void ring_keeps_order_through_the_wrap_of_its_counters(void **state)
{
    (void)state;
    struct ring *ring = new_ring(4); // its counters wrap at the fourth block
    uint64_t written = 0;
    uint64_t read = 0;
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < 1 + round % 4; i++)
            push(ring, written++);
        while (read < written)
            assert_int_equal(pop(ring), read++);
        assert_null(ring_peek(ring));
    }
    assert_int_equal(read, 125 - 2); // 12 full rounds of 1+2+3+4, then 1 and 2
    ring_destroy(&ring);
}

enum { PASSED_BLOCKS = 200000 };

/// Who finds nothing to do sleeps until the other has done something: on a busy machine a thread that yields comes
/// behind all others. Each post is one look at most, so that both come to their end whatever runs when.
struct passing {
    struct ring *ring;
    sem_t committed, released;
};

static void *write_blocks(void *context)
{
    struct passing *p = context;
    for (uint64_t i = 0; i < PASSED_BLOCKS;) {
        struct ring_block *block = ring_reserve(p->ring);
        if (!block) {
            sem_wait(&p->released);
            continue;
        }
        block->first_frame = i;
        block->samples[0] = (float)(i % 1000);
        block->samples[2 * RING_BLOCK_FRAMES - 1] = (float)(i % 777);
        ring_commit(p->ring);
        sem_post(&p->committed);
        i++;
    }
    return NULL;
}

static void ring_passes_whole_blocks_between_threads(void **state)
{
    (void)state;
    struct ring *ring = new_ring(4);
    struct passing passing = {.ring = ring};
    sem_init(&passing.committed, 0, 0);
    sem_init(&passing.released, 0, 0);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_blocks, &passing), 0);

    uint64_t sound = 0;
    for (uint64_t i = 0; i < PASSED_BLOCKS;) {
        const struct ring_block *block = ring_peek(ring);
        if (!block) {
            sem_wait(&passing.committed);
            continue;
        }
        sound += block->first_frame == i && block->samples[0] == (float)(i % 1000) &&
                 block->samples[2 * RING_BLOCK_FRAMES - 1] == (float)(i % 777);
        ring_release(ring);
        sem_post(&passing.released);
        i++;
    }

    pthread_join(writer, NULL);
    assert_int_equal(sound, PASSED_BLOCKS);
    assert_int_equal(ring_fill(ring), 0);
    ring_destroy(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_refuses_capacities_that_are_no_power_of_two),
        cmocka_unit_test(ring_of_two_sides_keeps_both_of_every_block_apart),
        cmocka_unit_test(ring_creation_survives_a_failing_allocation),
        cmocka_unit_test(ring_is_empty_when_new),
        cmocka_unit_test(ring_takes_exactly_its_capacity),
        cmocka_unit_test(held_blocks_are_seen_together_when_the_next_is_committed),
        cmocka_unit_test(ring_reserves_the_same_block_until_it_is_committed),
        cmocka_unit_test(ring_keeps_order_through_the_wrap_of_its_counters),
        cmocka_unit_test(ring_passes_whole_blocks_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
