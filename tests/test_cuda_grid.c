// SPDX-License-Identifier: MIT
#include "cuda/grid_control.h"
#include "cuda/sample_kernels.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ORDERS = 10, BLOCKS = 7, REDUCED = 100, COUNT = 1000, BUCKETS = 10, LAUNCH_FAILURE = 719 };

static void fill(uint32_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i)
        values[i] = i * 7919 % 1009;
}

static void reduction_with_barriers_is_right_in_any_order(void **state)
{
    (void)state;
    uint32_t values[BLOCKS * REDUCED], sums[BLOCKS];
    fill(values, BLOCKS * REDUCED);
    for (uint32_t order = 0; order < ORDERS; ++order) {
        cuda_grid_set_order(order);
        assert_int_equal(sample_reduce(sums, values, BLOCKS), 0);
        for (uint32_t b = 0; b < BLOCKS; ++b) {
            uint32_t sum = 0;
            for (uint32_t i = 0; i < REDUCED; ++i)
                sum += values[b * REDUCED + i];
            assert_int_equal(sums[b], sum);
        }
    }
}

// A planted race is what ThreadSanitizer is there to report, so it is not run under it.
static void missing_barrier_shows_in_some_order(void **state)
{
    (void)state;
#ifdef CUDA_GRID_TSAN
    skip();
#endif
    uint32_t values[REDUCED], right, found = 0;
    fill(values, REDUCED);
    assert_int_equal(sample_reduce(&right, values, 1), 0);
    for (uint32_t order = 0; order < ORDERS; ++order) {
        uint32_t sum;
        cuda_grid_set_order(order);
        assert_int_equal(sample_reduce_without_barrier(&sum, values, 1), 0);
        found += sum != right;
    }
    assert_true(found > 0);
}

static void shuffles_hand_values_to_lanes_that_outlive_their_source(void **state)
{
    (void)state;
    uint32_t values[64], sums[64];
    fill(values, 64);
    for (uint32_t order = 0; order < ORDERS; ++order) {
        cuda_grid_set_order(order);
        assert_int_equal(sample_warp_sum(sums, values), 0);
        for (uint32_t i = 0; i < 64; ++i) {
            uint32_t sum = 0;
            for (uint32_t k = i / 32 * 32; k < i / 32 * 32 + 32; ++k)
                sum += values[k];
            assert_int_equal(sums[i], sum);
        }
    }
}

static void ballot_has_a_bit_for_each_lane(void **state)
{
    (void)state;
    uint32_t values[64], votes[2], expected[2] = {0, 0};
    fill(values, 64);
    for (uint32_t i = 0; i < 64; ++i)
        expected[i / 32] |= (values[i] & 1) << i % 32;

    assert_int_equal(sample_ballot(votes, values), 0);

    assert_memory_equal(votes, expected, sizeof votes);
}

static void atomics_count_every_value(void **state)
{
    (void)state;
    uint32_t values[COUNT], expected[BUCKETS] = {0};
    fill(values, COUNT);
    for (uint32_t i = 0; i < COUNT; ++i)
        ++expected[values[i] %= BUCKETS];
    for (uint32_t order = 0; order < ORDERS; ++order) {
        uint32_t histogram[BUCKETS] = {0};
        cuda_grid_set_order(order);
        assert_int_equal(sample_histogram(histogram, values, COUNT), 0);
        assert_memory_equal(histogram, expected, sizeof expected);
    }
}

static void every_index_of_a_grid_of_three_dimensions_is_run_once(void **state)
{
    (void)state;
    uint32_t cells[121];
    memset(cells, 0xff, sizeof cells);
    const uint64_t before = cuda_grid_threads_run();

    assert_int_equal(sample_indices(cells), 0);

    for (uint32_t i = 0; i < 120; ++i)
        assert_int_equal(cells[i], i);
    assert_int_equal(cells[120], UINT32_MAX);
    assert_int_equal(cuda_grid_threads_run() - before, 120);
}

static void threads_that_returned_do_not_hold_a_barrier(void **state)
{
    (void)state;
    uint32_t reached = 0;

    assert_int_equal(sample_early_return(&reached), 0);

    assert_int_equal(reached, 32);
}

static void divergent_barrier_is_reported_with_both_lines(void **state)
{
    (void)state;
    cuda_grid_set_order(GRID_ASCENDING);

    assert_int_equal(sample_divergent_barrier(), LAUNCH_FAILURE);

    assert_non_null(strstr(cuda_grid_report(), "divergent __syncthreads: thread (32,0,0) at line"));
    assert_non_null(strstr(cuda_grid_report(), "(0,0,0) waits at line"));
}

static void deadlock_is_reported_and_does_not_hang(void **state)
{
    (void)state;
    assert_int_equal(sample_deadlock(), LAUNCH_FAILURE);

    assert_non_null(strstr(cuda_grid_report(), "deadlock"));
}

static void lane_outside_its_own_mask_is_reported(void **state)
{
    (void)state;
    cuda_grid_set_order(GRID_ASCENDING);

    assert_int_equal(sample_wrong_mask(), LAUNCH_FAILURE);

    assert_non_null(strstr(cuda_grid_report(), "thread (0,0,0)"));
    assert_non_null(strstr(cuda_grid_report(), "not in its own mask"));
}

static void grid_runs_on_after_a_failed_one(void **state)
{
    (void)state;
    uint32_t values[64] = {0}, votes[2];
    assert_int_equal(sample_deadlock(), LAUNCH_FAILURE);

    assert_int_equal(sample_ballot(votes, values), 0);

    assert_int_equal(votes[0] | votes[1], 0);
}

static void shared_memory_is_nan_before_it_is_written(void **state)
{
    (void)state;
#ifdef CUDA_GRID_SANITIZED
    skip();
#endif
    float out = 0;

    assert_int_equal(sample_uninitialised(&out), 0);

    assert_true(isnan(out));
}

static void block_of_over_1024_threads_is_refused(void **state)
{
    (void)state;
    assert_int_equal(sample_too_many_threads(), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reduction_with_barriers_is_right_in_any_order),
        cmocka_unit_test(missing_barrier_shows_in_some_order),
        cmocka_unit_test(shuffles_hand_values_to_lanes_that_outlive_their_source),
        cmocka_unit_test(ballot_has_a_bit_for_each_lane),
        cmocka_unit_test(atomics_count_every_value),
        cmocka_unit_test(every_index_of_a_grid_of_three_dimensions_is_run_once),
        cmocka_unit_test(threads_that_returned_do_not_hold_a_barrier),
        cmocka_unit_test(divergent_barrier_is_reported_with_both_lines),
        cmocka_unit_test(deadlock_is_reported_and_does_not_hang),
        cmocka_unit_test(lane_outside_its_own_mask_is_reported),
        cmocka_unit_test(grid_runs_on_after_a_failed_one),
        cmocka_unit_test(shared_memory_is_nan_before_it_is_written),
        cmocka_unit_test(block_of_over_1024_threads_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
