// SPDX-License-Identifier: MIT
// Running medians against a sort, bit for bit.
#include "dsp/cpu.h"
#include "dsp/spectrum/median31.h"
#include "support/kernel_case.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum {
    RUN = MEDIAN31_RUN,
    EDGE = MEDIAN31_EDGE,
    ROWS = EDGE + MEDIAN31_RUNS * RUN + EDGE,
    LANES = 5 * MEDIAN31_LANES,
    STRIDE = LANES + KERNEL_OFFSETS,
};

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// What eight windows cover, in order, and the same with its runs sorted by the variant under test.
struct rows {
    float values[ROWS][STRIDE], sorted[MEDIAN31_RUNS * RUN][STRIDE];
};

static float median_by_sort(const struct rows *rows, int first, uint32_t place)
{
    float window[31];
    for (int r = 0; r < 31; ++r)
        window[r] = rows->values[first + r][place];
    qsort(window, 31, sizeof *window, compare);
    return window[15];
}

static void sort_runs(struct rows *rows, const struct median31_impl *impl, uint32_t offset,
                      uint32_t lanes)
{
    for (int run = 0; run < MEDIAN31_RUNS; ++run) {
        const float *in[RUN];
        float *out[RUN];
        for (int i = 0; i < RUN; ++i) {
            in[i] = rows->values[EDGE + run * RUN + i] + offset;
            out[i] = rows->sorted[run * RUN + i] + offset;
        }
        impl->sort(in, out, lanes);
        for (uint32_t lane = 0; lane < lanes; ++lane) {
            float column[RUN];
            for (int i = 0; i < RUN; ++i)
                column[i] = in[i][lane];
            qsort(column, RUN, sizeof *column, compare);
            for (int i = 0; i < RUN; ++i)
                assert_true(out[i][lane] == column[i]);
        }
    }
}

// Runs and medians of `lanes` lanes from `offset` on, and nothing beyond them.
static void assert_equals_sort(const struct median31_impl *impl, struct rows *rows, uint32_t offset,
                               uint32_t lanes)
{
    static struct kernel_output outputs[RUN];
    struct median31_rows window;
    float *out[RUN];
    sort_runs(rows, impl, offset, lanes);
    for (int i = 0; i < EDGE; ++i) {
        window.before[i] = rows->values[i] + offset;
        window.after[i] = rows->values[ROWS - EDGE + i] + offset;
    }
    for (int i = 0; i < MEDIAN31_RUNS * RUN; ++i)
        window.runs[i / RUN][i % RUN] = rows->sorted[i] + offset;
    for (int q = 0; q < RUN; ++q)
        out[q] = kernel_output_at(&outputs[q], offset * sizeof(float));
    impl->octet(&window, out, lanes);
    for (int q = 0; q < RUN; ++q) {
        assert_true(
            kernel_output_is_whole(&outputs[q], offset * sizeof(float), lanes * sizeof(float)));
        for (uint32_t i = 0; i < lanes; ++i)
            assert_true(out[q][i] == median_by_sort(rows, q, offset + i));
    }
}

// Values below `values` occur: few of them make ties.
static void assert_variants_equal_sort(uint32_t values, uint32_t seed)
{
    static struct rows rows;
    for (int r = 0; r < ROWS; ++r)
        for (int i = 0; i < STRIDE; ++i) {
            seed = seed * 1664525U + 1013904223U;
            rows.values[r][i] = (float)((seed >> 8) % values);
        }
    for (size_t i = 0; i < median31_impl_count; ++i)
        if (!(median31_impls[i].cpu_flags & ~cpu_flags()))
            assert_equals_sort(&median31_impls[i], &rows, 0, LANES);
}

static void medians_of_distinct_values_equal_a_sort(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 200; ++seed)
        assert_variants_equal_sort(1U << 24, seed);
}

// A network that selects right among zeros and ones does so among any values (Knuth, 5.3.4).
static void medians_of_zeros_and_ones_equal_a_sort(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 500; ++seed)
        assert_variants_equal_sort(2, seed);
}

static void medians_stay_within_their_lanes_at_any_offset(void **state)
{
    (void)state;
    static struct rows rows;
    uint64_t seed = 51;
    for (int r = 0; r < ROWS; ++r)
        kernel_fill(rows.values[r], STRIDE, &seed);
    assert_true(median31_impl_count > 0);
    for (size_t i = 0; i < median31_impl_count; ++i)
        for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
            for (uint32_t lanes = 0; lanes <= LANES; lanes += MEDIAN31_LANES)
                if (!(median31_impls[i].cpu_flags & ~cpu_flags()))
                    assert_equals_sort(&median31_impls[i], &rows, offset, lanes);
}

static void check_deal(const struct median31_impl *impl, uint32_t offset, uint32_t lanes)
{
    static float row[RUN * STRIDE];
    struct kernel_output output;
    uint64_t seed = lanes;
    kernel_fill(row, RUN * STRIDE, &seed);
    float *out = kernel_output_at(&output, offset * sizeof(float));
    impl->deal(out, row + offset, lanes);
    assert_true(kernel_output_is_whole(&output, offset * sizeof(float),
                                       (size_t)RUN * lanes * sizeof(float)));
    for (uint32_t q = 0; q < RUN; ++q)
        for (uint32_t i = 0; i < lanes; ++i)
            assert_true(out[q * lanes + i] == row[offset + RUN * i + q]);
}

static void every_eighth_value_comes_into_a_phase(void **state)
{
    (void)state;
    for (size_t i = 0; i < median31_impl_count; ++i)
        for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
            for (uint32_t lanes = RUN; lanes <= LANES; ++lanes)
                if (!(median31_impls[i].cpu_flags & ~cpu_flags()))
                    check_deal(&median31_impls[i], offset, lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_eighth_value_comes_into_a_phase),
        cmocka_unit_test(medians_of_distinct_values_equal_a_sort),
        cmocka_unit_test(medians_stay_within_their_lanes_at_any_offset),
        cmocka_unit_test(medians_of_zeros_and_ones_equal_a_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
