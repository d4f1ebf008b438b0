// SPDX-License-Identifier: MIT
// The ring's source, built on modelled atomics: every interleaving, every stale value, every weaker order.
#include "engine/audio/ring.h"
#include "model/model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
// cmocka.h wants those above it
#include <cmocka.h>

// Locking memory takes longer than an execution does.
int __wrap_mlock(const void *address, size_t bytes);

int __wrap_mlock(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
    return -1;
}

enum { CAPACITY = 2, PASSED_BLOCKS = 3, ATTEMPTS = 4 };

static struct ring *ring;
static uint64_t n_read; // by the reader of this execution
static uint64_t most_read;

static void set_up(void)
{
    if (ring_create(&ring, CAPACITY, RING_ONE_SIDE))
        model_fail("no memory");
    n_read = 0;
}

static void tear_down(void)
{
    ring_destroy(&ring);
    most_read = n_read > most_read ? n_read : most_read;
}

static void write_blocks(void)
{
    uint64_t n = 0;
    for (int attempt = 0; attempt < ATTEMPTS && n < PASSED_BLOCKS; attempt++) {
        struct ring_block *block = ring_reserve(ring);
        if (!block)
            continue;
        model_plain_write(block);
        block->first_frame = n++;
        ring_commit(ring);
    }
}

static void read_blocks(void)
{
    for (int attempt = 0; attempt < ATTEMPTS && n_read < PASSED_BLOCKS; attempt++) {
        const struct ring_block *block = ring_peek(ring);
        if (!block)
            continue;
        model_plain_read(block);
        if (block->first_frame != n_read++)
            model_fail("a block is lost, repeated or out of order");
        ring_release(ring);
    }
}

static const struct model_program two_threads = {set_up, tear_down, {write_blocks, read_blocks}, 2};

static void write_one(void)
{
    if (ring_reserve(ring))
        ring_commit(ring);
}

static void read_one(void)
{
    if (ring_peek(ring))
        ring_release(ring);
}

static void look_at_fill(void)
{
    if (ring_fill(ring) > 1)
        model_fail("more blocks are counted than were ever there");
}

static const struct model_program observed = {
    set_up, tear_down, {write_one, read_one, look_at_fill}, 3};

/// Explore the program, then once more for each ordered access of functions called `prefix`..., weakened.
/// @return how many of these there are; each must be caught.
static int catch_mutants(const struct model_program *program, const char *prefix)
{
    struct model_result result = {0};
    model_explore(program, MODEL_NO_MUTANT, &result);
    print_message("%llu executions\n", (unsigned long long)result.executions);
    assert_null(result.violation);
    assert_true(result.executions > 1000);

    int mutants = 0;
    for (int site = 0; site < result.n_sites; site++) {
        const struct model_site *at = &result.sites[site];
        if (!at->is_ordered || strncmp(at->function, prefix, strlen(prefix)))
            continue;
        model_explore(program, site, &result);
        print_message("%s:%d relaxed: %s\n", at->function, at->line,
                      result.violation ? result.violation : "NOT CAUGHT");
        assert_non_null(result.violation);
        mutants++;
    }
    return mutants;
}

static void ring_is_right_in_every_execution_and_needs_each_of_its_orders(void **state)
{
    (void)state;
    assert_int_equal(catch_mutants(&two_threads, "ring_"), 4); // reserve, commit, peek, release
    assert_int_equal(most_read, PASSED_BLOCKS);                // through the wrap of the counters
}

static void ring_fill_is_right_in_every_execution_and_needs_its_order(void **state)
{
    (void)state;
    assert_int_equal(catch_mutants(&observed, "ring_fill"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_is_right_in_every_execution_and_needs_each_of_its_orders),
        cmocka_unit_test(ring_fill_is_right_in_every_execution_and_needs_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
