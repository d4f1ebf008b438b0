// SPDX-License-Identifier: MIT
// The first pass over samples against a loop.
#include "dsp/cpu.h"
#include "dsp/level/intake.h"
#include "support/kernel_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { LINE = 2 * KERNEL_LENGTHS + KERNEL_OFFSETS };

static void for_each_variant(void (*check)(const struct intake_impl *))
{
    const uint32_t flags = cpu_flags();
    for (size_t i = 0; i < intake_impl_count; ++i)
        if (!(intake_impls[i].cpu_flags & ~flags))
            check(&intake_impls[i]);
}

static void assert_clean(const struct intake_impl *impl, const float *in, size_t offset,
                         size_t samples)
{
    struct kernel_output output;
    float *out = kernel_output_at(&output, offset * sizeof(float)), peak = 0;
    uint32_t has_odd = 0;
    const struct intake got = impl->clean(out, in, samples);
    for (size_t i = 0; i < samples; ++i) {
        const int is_odd = isnan(in[i]) || fabsf(in[i]) > 1024.0F;
        const int is_faint = fabsf(in[i]) < 0x1p-60F; // and 0, of either sign
        const float expected = is_odd || is_faint ? 0.0F : in[i];
        assert_memory_equal(&out[i], &expected, sizeof expected);
        has_odd |= is_odd ? 1 : 0;
        peak = fmaxf(peak, fabsf(expected));
    }
    assert_true(got.peak == peak);
    assert_int_equal(got.has_odd, has_odd);
    assert_true(kernel_output_is_whole(&output, offset * sizeof(float), samples * sizeof(float)));
}

static void check_clean(const struct intake_impl *impl)
{
    static const float odd[] = {NAN,     -NAN,     INFINITY,  -INFINITY,       1024.0001F, -3e38F,
                                1024.0F, 0x1p-60F, -0x1p-60F, 0x1.fffffep-61F, -1e-45F,    -0.0F};
    enum { ODD = sizeof odd / sizeof odd[0] };
    float in[LINE];
    uint64_t seed = 61;
    for (size_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (size_t samples = 0; samples < KERNEL_LENGTHS; ++samples) {
            kernel_fill(in, LINE, &seed);
            assert_clean(impl, in + offset, offset, samples);
            if (samples > 0)
                in[offset + rng_next(&seed) % samples] = odd[rng_next(&seed) % ODD];
            assert_clean(impl, in + offset, offset, samples);
        }
}

static void odd_samples_are_read_as_nothing_and_told(void **state)
{
    (void)state;
    for_each_variant(check_clean);
}

// Every other sample is odd, or too faint: what is left has the peak.
static void check_many_odd(const struct intake_impl *impl)
{
    enum { SAMPLES = 60 };
    float in[SAMPLES];
    for (size_t i = 0; i < SAMPLES; ++i)
        in[i] = i % 4 == 0 ? NAN : i % 4 == 2 ? 1e-30F : 0.01F * (float)(i + 1);
    assert_clean(impl, in, 0, SAMPLES);
}

static void what_lies_between_odd_samples_has_the_peak(void **state)
{
    (void)state;
    for_each_variant(check_many_odd);
}

static void check_split(const struct intake_impl *impl)
{
    float in[LINE];
    struct kernel_output outputs[3];
    uint64_t seed = 62;
    for (size_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (size_t frames = 0; frames < KERNEL_LENGTHS; ++frames) {
            float *out[3];
            kernel_fill(in, LINE, &seed);
            for (int i = 0; i < 3; ++i)
                out[i] = kernel_output_at(&outputs[i], offset * sizeof(float));
            impl->split(out[0], out[1], out[2], in + offset, frames);
            for (size_t i = 0; i < frames; ++i) {
                const float l = in[offset + 2 * i], r = in[offset + 2 * i + 1];
                assert_true(out[0][i] == l && out[1][i] == r && out[2][i] == 0.5F * (l + r));
            }
            for (int i = 0; i < 3; ++i)
                assert_true(kernel_output_is_whole(&outputs[i], offset * sizeof(float),
                                                   frames * sizeof(float)));
        }
}

static void stereo_is_split_into_sides_and_their_mean(void **state)
{
    (void)state;
    for_each_variant(check_split);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_samples_are_read_as_nothing_and_told),
        cmocka_unit_test(what_lies_between_odd_samples_has_the_peak),
        cmocka_unit_test(stereo_is_split_into_sides_and_their_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
