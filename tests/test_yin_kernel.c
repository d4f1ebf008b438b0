// SPDX-License-Identifier: MIT
// Difference functions against sums in double precision.
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
        if (!(yin_impls[i].cpu_flags & ~flags))
            check(&yin_impls[i]);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_within_tolerance_at_any_lag_and_offset),
        cmocka_unit_test(small_differences_survive_large_constants),
        cmocka_unit_test(a_whole_period_apart_nothing_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
