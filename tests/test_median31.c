// SPDX-License-Identifier: MIT
// Running medians against a sort, bit for bit.
#include "dsp/cpu.h"
#include "dsp/median31.h"
#include "support/kernel_case.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { LANES = 3 * MEDIAN31_LANES };

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static float median_by_sort(float rows[MEDIAN31_ROWS][LANES], int first, int lane)
{
    float window[31];
    for (int r = 0; r < 31; ++r)
        window[r] = rows[first + r][lane];
    qsort(window, 31, sizeof *window, compare);
    return window[15];
}

// Values below `values` occur: few of them make ties.
static void assert_equals_sort(const struct median31_impl *impl, uint32_t values, uint32_t seed)
{
    float rows[MEDIAN31_ROWS][LANES], medians[4][LANES];
    for (int r = 0; r < MEDIAN31_ROWS; ++r)
        for (int i = 0; i < LANES; ++i) {
            seed = seed * 1664525U + 1013904223U;
            rows[r][i] = (float)((seed >> 8) % values);
        }
    const float *pointers[MEDIAN31_ROWS];
    for (int r = 0; r < MEDIAN31_ROWS; ++r)
        pointers[r] = rows[r];
    float *const out[4] = {medians[0], medians[1], medians[2], medians[3]};
    impl->quad(pointers, out, LANES);
    for (int q = 0; q < 4; ++q)
        for (int i = 0; i < LANES; ++i)
            assert_true(medians[q][i] == median_by_sort(rows, q, i));
}

static void assert_variants_equal_sort(uint32_t values, uint32_t seed)
{
    for (size_t i = 0; i < median31_impl_count; ++i)
        if (!(median31_impls[i].cpu_flags & ~cpu_flags()))
            assert_equals_sort(&median31_impls[i], values, seed);
}

static void medians_of_distinct_values_equal_a_sort(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 200; ++seed)
        assert_variants_equal_sort(1U << 24, seed);
}

static void medians_of_zeros_and_ones_equal_a_sort(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 500; ++seed)
        assert_variants_equal_sort(2, seed);
}

// Rows anywhere in memory, as many lanes as asked for and not one more.
static void check_lanes(const struct median31_impl *impl)
{
    static float rows[MEDIAN31_ROWS][4 * MEDIAN31_LANES + KERNEL_OFFSETS];
    uint64_t seed = 51;
    struct kernel_output outputs[4];
    for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (uint32_t lanes = 0; lanes <= 4 * MEDIAN31_LANES; lanes += MEDIAN31_LANES) {
            const float *pointers[MEDIAN31_ROWS];
            float *out[4];
            for (int r = 0; r < MEDIAN31_ROWS; ++r) {
                kernel_fill_positive(rows[r], 4 * MEDIAN31_LANES + KERNEL_OFFSETS, &seed);
                pointers[r] = rows[r] + offset;
            }
            for (int q = 0; q < 4; ++q)
                out[q] = kernel_output_at(&outputs[q], offset * sizeof(float));
            impl->quad(pointers, out, lanes);
            for (int q = 0; q < 4; ++q) {
                assert_true(kernel_output_is_whole(&outputs[q], offset * sizeof(float),
                                                   lanes * sizeof(float)));
                for (uint32_t i = 0; i < lanes; ++i) {
                    float window[31];
                    for (int r = 0; r < 31; ++r)
                        window[r] = pointers[q + r][i];
                    qsort(window, 31, sizeof *window, compare);
                    assert_true(out[q][i] == window[15]);
                }
            }
        }
}

static void medians_stay_within_their_lanes_at_any_offset(void **state)
{
    (void)state;
    for (size_t i = 0; i < median31_impl_count; ++i)
        if (!(median31_impls[i].cpu_flags & ~cpu_flags()))
            check_lanes(&median31_impls[i]);
    assert_true(median31_impl_count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_of_distinct_values_equal_a_sort),
        cmocka_unit_test(medians_stay_within_their_lanes_at_any_offset),
        cmocka_unit_test(medians_of_zeros_and_ones_equal_a_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
