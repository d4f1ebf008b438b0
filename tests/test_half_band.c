// SPDX-License-Identifier: MIT
// The half-band filter against its definition in double precision.
#include "dsp/cpu.h"
#include "dsp/level/half_band.h"
#include "support/kernel_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum {
    OUTPUTS_MAX = KERNEL_LENGTHS + HALF_BAND_LANES,
    LINE = 2 * OUTPUTS_MAX + 4 * HALF_BAND_PAIRS + KERNEL_OFFSETS,
    EVEN = OUTPUTS_MAX + 2 * HALF_BAND_PAIRS,
};

static double by_definition(const float *line, const float taps[HALF_BAND_PAIRS], uint32_t m)
{
    double sum = 0.5 * (double)line[2 * m + HALF_BAND_CENTER];
    for (uint32_t i = 0; i < HALF_BAND_PAIRS; ++i)
        sum += (double)taps[i] *
               ((double)line[2 * m + 2 * i] + (double)line[2 * m + 2 * HALF_BAND_CENTER - 2 * i]);
    return sum;
}

static void assert_filter(const struct half_band_impl *impl, const float *line, uint32_t offset,
                          uint32_t outputs, const float taps[HALF_BAND_PAIRS])
{
    static float even[EVEN];
    struct kernel_output output;
    const size_t at = offset * sizeof(float);
    float *got = kernel_output_at(&output, at);
    impl->filter(got, line, taps, even, outputs);
    const size_t whole = (outputs + HALF_BAND_LANES - 1) / HALF_BAND_LANES * HALF_BAND_LANES;
    assert_true(kernel_output_is_whole(&output, at, whole * sizeof(float)));
    for (uint32_t m = 0; m < outputs; ++m)
        if (!(fabs((double)got[m] - by_definition(line, taps, m)) <= 2e-3))
            fail_msg("%s: output %u of %u is %.9g", impl->name, m, outputs, (double)got[m]);
}

static void outputs_are_as_defined_at_any_length_and_offset(void **state)
{
    (void)state;
    static float line[LINE];
    float taps[HALF_BAND_PAIRS];
    uint64_t seed = 41;
    int compared = 0;
    for (size_t i = 0; i < half_band_impl_count; ++i) {
        if (half_band_impls[i].cpu_flags & ~cpu_flags())
            continue;
        for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
            for (uint32_t outputs = 0; outputs < KERNEL_LENGTHS; ++outputs, ++compared) {
                kernel_fill(line, LINE, &seed);
                for (int k = 0; k < HALF_BAND_PAIRS; ++k)
                    taps[k] = (float)(rng_unit(&seed) - 0.5);
                assert_filter(&half_band_impls[i], line + offset, offset, outputs, taps);
            }
    }
    assert_true(compared >= KERNEL_OFFSETS * KERNEL_LENGTHS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_as_defined_at_any_length_and_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
