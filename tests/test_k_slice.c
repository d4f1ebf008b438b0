// SPDX-License-Identifier: MIT
// K-weighting by segments against the filter run sample by sample.
#include "dsp/cpu.h"
#include "dsp/level/k_slice.h"
#include "support/kernel_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { SLICES = 40, FRAMES_MAX = 7681 };

static alignas(64) float scratch[2 * FRAMES_MAX];

static void for_each_variant(void (*check)(const struct k_slice_impl *))
{
    const uint32_t flags = cpu_flags();
    for (size_t i = 0; i < k_slice_impl_count; ++i)
        if (!(k_slice_impls[i].cpu_flags & ~flags))
            check(&k_slice_impls[i]);
}

// A slice of both channels, and of each in double precision.
struct slice {
    float pair[2 * FRAMES_MAX];
    double channels[2][FRAMES_MAX];
};

static void fill(struct slice *slice, uint32_t frames, uint64_t *seed)
{
    for (uint32_t i = 0; i < 2 * frames; ++i) {
        slice->pair[i] = (float)(2 * rng_unit(seed) - 1);
        slice->channels[i % 2][i / 2] = (double)slice->pair[i];
    }
}

// The textbook's filter is no steadier itself where the shelf lies at the Nyquist frequency.
static double tolerance_at(uint32_t rate_hz)
{
    return rate_hz < 4000 ? 2e-5 : 1e-6;
}

static void assert_slices(const struct k_slice_impl *impl, uint32_t rate_hz, uint32_t extra)
{
    static struct slice x;
    struct k_slice_plan plan;
    const uint32_t least = rate_hz / 100;
    assert_int_equal(k_slice_plan_init(&plan, impl, rate_hz, least), 0);
    struct k_slice_state states[2] = {{{0}, 0}};
    struct k_state serial[2] = {{{0}, {0}}};
    struct k_coefficients coefficients;
    k_weighting_design(&coefficients, rate_hz);
    uint64_t seed = rate_hz;
    for (int s = 0; s < SLICES; ++s) {
        const uint32_t frames = least + (s % 2 ? extra : 0);
        double got[2];
        fill(&x, frames, &seed);
        impl->energies(&plan, states, x.pair, frames, scratch, got);
        for (int c = 0; c < 2; ++c) {
            const double expected =
                k_weighting_energy(&coefficients, &serial[c], x.channels[c], frames);
            if (!(fabs(got[c] - expected) <= tolerance_at(rate_hz) * expected))
                fail_msg("%s, %u Hz: %.17g is not %.17g", impl->name, rate_hz, got[c], expected);
        }
    }
    k_slice_plan_deinit(&plan);
}

static void check_rates(const struct k_slice_impl *impl)
{
    static const uint32_t rates_hz[] = {1000, 8000, 11025, 22050, 44100, 48000, 192000, 768000};
    for (size_t r = 0; r < sizeof rates_hz / sizeof *rates_hz; ++r)
        for (uint32_t extra = 0; extra <= 1; ++extra)
            assert_slices(impl, rates_hz[r], extra);
}

static void segments_give_the_energy_of_the_serial_filter(void **state)
{
    (void)state;
    for_each_variant(check_rates);
}

static void check_lengths(const struct k_slice_impl *impl)
{
    for (uint32_t tens = K_SLICE_SEGMENTS_MAX; tens < KERNEL_LENGTHS; ++tens)
        for (uint32_t extra = 0; extra < 4; ++extra)
            assert_slices(impl, 100 * tens, extra);
}

static void slices_of_any_length_have_it_too(void **state)
{
    (void)state;
    for_each_variant(check_lengths);
}

// A low tone on a constant, which no rounding may turn into sound.
static void check_low_tone(const struct k_slice_impl *impl)
{
    static struct slice x;
    struct k_slice_plan plan;
    struct k_coefficients coefficients;
    k_weighting_design(&coefficients, 44100);
    assert_int_equal(k_slice_plan_init(&plan, impl, 44100, 441), 0);
    struct k_slice_state states[2] = {{{0}, 0}};
    struct k_state serial[2] = {{{0}, {0}}};
    for (int s = 0; s < 200; ++s) {
        double got[2];
        for (uint32_t i = 0; i < 2 * 441; ++i) {
            const double tone = sin(2 * M_PI * 60 * (s * 441.0 + i / 2) / 44100);
            x.pair[i] = (float)(0.9 + (i % 2 ? 1e-1 : 1e-3) * tone);
            x.channels[i % 2][i / 2] = (double)x.pair[i];
        }
        impl->energies(&plan, states, x.pair, 441, scratch, got);
        for (int c = 0; c < 2; ++c) {
            const double expected =
                k_weighting_energy(&coefficients, &serial[c], x.channels[c], 441);
            if (s >= 100) // the step at the start has died away
                assert_true(fabs(got[c] - expected) <= 1e-5 * expected);
        }
    }
    k_slice_plan_deinit(&plan);
}

static void a_constant_under_a_low_tone_is_not_heard(void **state)
{
    (void)state;
    for_each_variant(check_low_tone);
}

static void check_tail(const struct k_slice_impl *impl)
{
    static float pair[2 * 480];
    struct k_slice_plan plan;
    assert_int_equal(k_slice_plan_init(&plan, impl, 48000, 480), 0);
    struct k_slice_state states[2] = {{{0}, 0}};
    double energies[2] = {0};
    pair[0] = pair[2 * 479 + 1] = 1;
    impl->energies(&plan, states, pair, 480, scratch, energies);
    assert_true(energies[0] > 1 && energies[1] > 1);
    pair[0] = pair[2 * 479 + 1] = 0;
    for (int s = 0; s < 200; ++s)
        impl->energies(&plan, states, pair, 480, scratch, energies);
    assert_true(energies[0] == 0 && energies[1] == 0);
    k_slice_plan_deinit(&plan);
}

static void a_decaying_tail_ends_as_zero(void **state)
{
    (void)state;
    for_each_variant(check_tail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_give_the_energy_of_the_serial_filter),
        cmocka_unit_test(slices_of_any_length_have_it_too),
        cmocka_unit_test(a_constant_under_a_low_tone_is_not_heard),
        cmocka_unit_test(a_decaying_tail_ends_as_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
