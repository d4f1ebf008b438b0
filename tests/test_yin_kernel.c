// SPDX-License-Identifier: MIT
// Difference functions and what is made of them against plain loops in double precision.
#include "dsp/cpu.h"
#include "dsp/spectrum/yin_kernel.h"
#include "support/kernel_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { LAGS_MAX = 384, LINE = YIN_BLOCK + LAGS_MAX + KERNEL_OFFSETS };

static void for_each_variant(void (*check)(const struct yin_impl *))
{
    const uint32_t flags = cpu_flags();
    for (size_t i = 0; i < yin_impl_count; ++i)
        if (!(yin_impls[i]->cpu_flags & ~flags))
            check(yin_impls[i]);
}

static void assert_differences(const struct yin_impl *impl, const float *x, uint32_t lags)
{
    struct kernel_output output;
    double *got = kernel_output_at(&output, 0);
    impl->differences(got, x, lags);
    for (uint32_t lag = 0; lag < lags; ++lag) {
        double expected = 0;
        for (int j = 0; j < YIN_BLOCK; ++j) {
            const double d = (double)x[j] - (double)x[j + (int)lag];
            expected += d * d;
        }
        if (!(fabs(got[lag] - expected) <= 4e-6 * expected))
            fail_msg("%s: lag %u: %.12g is not %.12g", impl->name, lag, got[lag], expected);
    }
    assert_true(kernel_output_is_whole(&output, 0, lags * sizeof *got));
}

static void check_lengths(const struct yin_impl *impl)
{
    static float x[LINE];
    uint64_t seed = 11;
    for (uint32_t lags = 0; lags <= LAGS_MAX; lags += YIN_LAG_LANES)
        for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset) {
            kernel_fill(x, LINE, &seed);
            assert_differences(impl, x + offset, lags);
        }
}

static void differences_are_within_tolerance_at_any_lag_and_offset(void **state)
{
    (void)state;
    for_each_variant(check_lengths);
}

// A steady tone under a large constant: the expanded square would lose it.
static void check_small_differences(const struct yin_impl *impl)
{
    static float x[LINE];
    for (int i = 0; i < LINE; ++i)
        x[i] = (float)(900 + 0.001 * sin(0.05 * i));
    assert_differences(impl, x, LAGS_MAX);
}

static void small_differences_survive_large_constants(void **state)
{
    (void)state;
    for_each_variant(check_small_differences);
}

static void check_periodic(const struct yin_impl *impl)
{
    static float x[LINE];
    for (int i = 0; i < LINE; ++i)
        x[i] = (float)((i % 100) * (i % 100)) * 0.01F;
    double got[LAGS_MAX];
    impl->differences(got, x, LAGS_MAX);
    assert_true(got[0] == 0 && got[100] == 0 && got[300] == 0);
    assert_true(got[99] > 0 && got[101] > 0);
}

static void a_whole_period_apart_nothing_differs(void **state)
{
    (void)state;
    for_each_variant(check_periodic);
}

static const struct yin_impl *reference(void)
{
    return yin_impls[yin_impl_count - 1];
}

static void fill_sums(double *out, uint32_t count, uint64_t *seed)
{
    static float values[2 * LINE];
    assert_true(count <= 2 * LINE);
    kernel_fill_positive(values, count, seed);
    for (uint32_t i = 0; i < count; ++i)
        out[i] = (double)values[i];
}

static void check_sums(const struct yin_impl *impl)
{
    double values[LAGS_MAX + KERNEL_OFFSETS], expected[LAGS_MAX];
    struct kernel_output output;
    uint64_t seed = 12;
    for (uint32_t count = 0; count <= LAGS_MAX; count += 8)
        for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset) {
            fill_sums(values, LAGS_MAX + KERNEL_OFFSETS, &seed);
            double *got = kernel_output_at(&output, offset * sizeof *got);
            impl->accumulate(got, values + offset, count);
            reference()->accumulate(expected, values + offset, count);
            assert_memory_equal(got, expected, count * sizeof *got);
            double sum = 0;
            for (uint32_t i = 0; i < count; ++i) {
                sum += values[offset + i];
                assert_true(fabs(got[i] - sum) <= 1e-14 * sum);
            }
            assert_true(kernel_output_is_whole(&output, offset * sizeof *got, count * sizeof *got));
        }
}

static void sums_so_far_are_those_of_a_loop(void **state)
{
    (void)state;
    for_each_variant(check_sums);
}

static void check_squares(const struct yin_impl *impl)
{
    static float x[YIN_BLOCK + KERNEL_OFFSETS];
    static double got[YIN_BLOCK + 3], expected[YIN_BLOCK + 1];
    uint64_t seed = 13;
    kernel_fill(x, YIN_BLOCK + KERNEL_OFFSETS, &seed);
    for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (uint32_t count = 0; count <= YIN_BLOCK; count += 8) {
            for (uint32_t i = 0; i < YIN_BLOCK + 3; ++i)
                got[i] = -1;
            memset(expected, 0, sizeof expected);
            impl->sum_squares(got + 1, x + offset, count);
            reference()->sum_squares(expected, x + offset, count);
            double sum = 0;
            for (uint32_t i = 0; i <= YIN_BLOCK; ++i) {
                const int is_written = i <= count || i == YIN_BLOCK;
                assert_true(got[1 + i] == (is_written ? expected[i] : -1));
                assert_true(!is_written || fabs(got[1 + i] - sum) <= 1e-14 * sum);
                sum += i < YIN_BLOCK ? (double)x[offset + i] * (double)x[offset + i] : 0;
            }
            assert_true(got[0] == -1 && got[YIN_BLOCK + 2] == -1);
        }
}

static void squares_so_far_are_those_of_a_loop(void **state)
{
    (void)state;
    for_each_variant(check_squares);
}

static void check_expanded(const struct yin_impl *impl)
{
    static float products[2 * LAGS_MAX + KERNEL_OFFSETS];
    static double sums[4][LAGS_MAX + KERNEL_OFFSETS];
    uint64_t seed = 14;
    kernel_fill(products, 2 * LAGS_MAX + KERNEL_OFFSETS, &seed);
    for (int i = 0; i < 4; ++i)
        fill_sums(sums[i], LAGS_MAX + KERNEL_OFFSETS, &seed);
    for (uint32_t lags = 0; lags <= LAGS_MAX; lags += YIN_LAG_LANES)
        for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset) {
            const struct yin_energies energies[2] = {
                {0.75, sums[0] + offset, sums[1] + offset},
                {0.25, sums[2] + offset, sums[3] + offset},
            };
            struct kernel_output outputs[2];
            double *const got[2] = {kernel_output_at(&outputs[0], 0),
                                    kernel_output_at(&outputs[1], 8)};
            impl->expand(got, energies, products + offset, 0.5, lags);
            for (uint32_t lag = 0; lag < lags; ++lag)
                for (uint32_t f = 0; f < 2; ++f) {
                    const struct yin_energies *e = &energies[f];
                    const double product = (double)products[offset + 2 * lag + 1 - f] * 0.5;
                    const double wanted = e->both + e->entered[lag] - e->left[lag] - product;
                    assert_true(got[f][lag] == fmax(0.0, wanted));
                }
            assert_true(kernel_output_is_whole(&outputs[0], 0, lags * sizeof(double)));
            assert_true(kernel_output_is_whole(&outputs[1], 8, lags * sizeof(double)));
        }
}

static void expanded_squares_are_those_of_a_loop(void **state)
{
    (void)state;
    for_each_variant(check_expanded);
}

// Every start and end, with one lag under the threshold, on it, or none at all.
static void check_under(const struct yin_impl *impl)
{
    enum { END = 40, OVER = 2 };
    double differences[END], sums[END];
    for (uint32_t lag = 0; lag < END; ++lag) {
        differences[lag] = 1;
        sums[lag] = OVER * lag;
    }
    for (uint32_t dip = 0; dip <= END; ++dip) {
        if (dip < END)
            differences[dip] = dip ? 0.25 * sums[dip] / dip : 0;
        for (uint32_t end = 0; end <= END; ++end)
            for (uint32_t first = 1; first <= end; ++first) {
                const int is_there = dip >= first && dip < end;
                assert_int_equal(impl->first_under(differences, sums, first, end, 0.25),
                                 is_there ? dip : end);
            }
        if (dip < END)
            differences[dip] = 1;
    }
}

static void the_first_lag_under_the_threshold_is_found(void **state)
{
    (void)state;
    for_each_variant(check_under);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_within_tolerance_at_any_lag_and_offset),
        cmocka_unit_test(small_differences_survive_large_constants),
        cmocka_unit_test(a_whole_period_apart_nothing_differs),
        cmocka_unit_test(sums_so_far_are_those_of_a_loop),
        cmocka_unit_test(squares_so_far_are_those_of_a_loop),
        cmocka_unit_test(expanded_squares_are_those_of_a_loop),
        cmocka_unit_test(the_first_lag_under_the_threshold_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
