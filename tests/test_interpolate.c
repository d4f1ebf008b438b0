// SPDX-License-Identifier: MIT
// Peaks between samples against the phases computed one by one in double precision.
#include "dsp/cpu.h"
#include "dsp/level/interpolate.h"
#include "support/kernel_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { TAPS = INTERPOLATE_TAPS, LINE = INTERPOLATE_LINE + KERNEL_OFFSETS };

static void for_each_variant(void (*check)(const struct interpolate_impl *))
{
    const uint32_t flags = cpu_flags();
    for (size_t i = 0; i < interpolate_impl_count; ++i)
        if (!(interpolate_impls[i].cpu_flags & ~flags))
            check(&interpolate_impls[i]);
}

// Any taps will do: a quarter phase, its mirror image and a symmetric one.
static void make_phases(double quarter[TAPS], double middle[TAPS], uint64_t *seed)
{
    for (int k = 0; k < TAPS; ++k)
        quarter[k] = 2 * rng_unit(seed) - 1;
    for (int k = 0; k < TAPS / 2; ++k)
        middle[k] = middle[TAPS - 1 - k] = 2 * rng_unit(seed) - 1;
}

static double largest_output(const double taps[TAPS], const float *line, int mirrored)
{
    double largest = 0;
    for (int i = 0; i < INTERPOLATE_FRAMES; ++i) {
        double sum = 0;
        for (int k = 0; k < TAPS; ++k)
            sum += taps[mirrored ? TAPS - 1 - k : k] * (double)line[i + k];
        largest = fmax(largest, fabs(sum));
    }
    return largest;
}

static void assert_peak(const struct interpolate_impl *impl, const float *line, uint32_t quarters,
                        uint64_t *seed)
{
    double quarter[TAPS], middle[TAPS];
    make_phases(quarter, middle, seed);
    struct interpolate_bank bank = {.with_quarters = quarters};
    for (int k = 0; k < TAPS / 2; ++k) {
        bank.even[k] = (float)(0.5 * (quarter[k] + quarter[TAPS - 1 - k]));
        bank.odd[k] = (float)(0.5 * (quarter[k] - quarter[TAPS - 1 - k]));
        bank.middle[k] = (float)middle[k];
    }
    double expected = largest_output(middle, line, 0);
    if (quarters)
        expected = fmax(expected,
                        fmax(largest_output(quarter, line, 0), largest_output(quarter, line, 1)));
    const float got = impl->peak(&bank, line);
    if (!(fabs((double)got - expected) <= 1e-5 * expected))
        fail_msg("%s: %.9g is not %.9g", impl->name, (double)got, expected);
}

static void check_peaks(const struct interpolate_impl *impl)
{
    static float line[LINE];
    uint64_t seed = 31;
    for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (int round = 0; round < 20; ++round) {
            kernel_fill(line, LINE, &seed);
            assert_peak(impl, line + offset, 1, &seed);
            assert_peak(impl, line + offset, 0, &seed);
        }
}

static void mirrored_phases_share_their_products(void **state)
{
    (void)state;
    for_each_variant(check_peaks);
}

// One sample after another is the only one, so no place can be left out.
static void check_every_place(const struct interpolate_impl *impl)
{
    struct interpolate_bank bank = {.with_quarters = 1};
    bank.middle[TAPS / 2 - 1] = 1;
    for (int i = 0; i < INTERPOLATE_LINE; ++i) {
        float line[INTERPOLATE_LINE] = {0};
        line[i] = -0.25F;
        const int reached = i >= TAPS / 2 - 1 && i <= INTERPOLATE_LINE - TAPS / 2;
        assert_true(impl->peak(&bank, line) == (reached ? 0.25F : 0.0F));
    }
}

static void every_place_counts(void **state)
{
    (void)state;
    for_each_variant(check_every_place);
}

static void check_sample_peak(const struct interpolate_impl *impl)
{
    static float x[KERNEL_LENGTHS + KERNEL_OFFSETS];
    uint64_t seed = 32;
    for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (uint32_t count = 0; count < KERNEL_LENGTHS; ++count) {
            kernel_fill(x, KERNEL_LENGTHS + KERNEL_OFFSETS, &seed);
            float expected = 0;
            for (uint32_t i = 0; i < count; ++i)
                expected = fmaxf(expected, fabsf(x[offset + i]));
            assert_true(impl->sample_peak(x + offset, count) == expected);
        }
}

static void sample_peak_is_the_largest_magnitude(void **state)
{
    (void)state;
    for_each_variant(check_sample_peak);
}

// One sample after another is the only one over the limit; one on it is not.
static void check_quiet(const struct interpolate_impl *impl)
{
    enum { BLOCK = INTERPOLATE_FRAMES, BLOCKS = 3, COUNT = BLOCKS * BLOCK };
    static float room[COUNT + KERNEL_OFFSETS + 1];
    for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (uint32_t place = 0; place <= COUNT; ++place) {
            float *x = room + offset;
            for (uint32_t i = 0; i <= COUNT; ++i)
                x[i] = i % 3 ? 0.5F : -0.5F;
            x[place] = place % 2 ? -0.75F : 0.75F;
            for (uint32_t blocks = 0; blocks <= BLOCKS; ++blocks) {
                const uint32_t loud = place / BLOCK;
                assert_int_equal(impl->quiet(x, blocks, 0.5F), loud < blocks ? loud : blocks);
                assert_int_equal(impl->quiet(x, blocks, 0.75F), blocks);
                assert_int_equal(impl->quiet(x, blocks, 0.25F), 0);
            }
        }
}

static void blocks_are_quiet_up_to_the_first_sample_over_the_limit(void **state)
{
    (void)state;
    for_each_variant(check_quiet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirrored_phases_share_their_products),
        cmocka_unit_test(every_place_counts),
        cmocka_unit_test(sample_peak_is_the_largest_magnitude),
        cmocka_unit_test(blocks_are_quiet_up_to_the_first_sample_over_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
