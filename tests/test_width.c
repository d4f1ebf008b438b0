// SPDX-License-Identifier: MIT
#include "dsp/cpu.h"
#include "dsp/mastering/width.h"
#include "support/measure.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the headers above
#include <cmocka.h>

static const double RATE_HZ = 44100;

static void process(struct width *width, double side_gain, double *stereo, uint32_t frames)
{
    const struct width_numbers numbers = {width_coefficient(RATE_HZ), side_gain, 1.0};
    width_select(cpu_flags())->process(width, &numbers, stereo, frames);
}

/// Gain in dB that a pure side signal of `hz` gets.
static double side_gain_db(double hz, double side_gain)
{
    struct width width = {0};
    double in = 0, out = 0;
    for (int n = 0; n < 44100; ++n) {
        const double s = sin(2 * M_PI * hz * n / RATE_HZ);
        double frame[2] = {s, -s};
        process(&width, side_gain, frame, 1);
        assert_true(fabs(frame[0] + frame[1]) < 1e-12); // no mid comes of it
        if (n < 22050)
            continue;
        in += s * s;
        out += frame[0] * frame[0];
    }
    return 10 * log10(out / in);
}

static void bass_keeps_its_width(void **state)
{
    (void)state;
    static const double gains[] = {0.8, 1.2};
    for (int i = 0; i < 2; ++i)
        for (double hz = 20; hz <= 70; hz += 10)
            assert_true(fabs(side_gain_db(hz, gains[i])) <= 0.2);
}

static void side_above_the_bass_gets_the_gain(void **state)
{
    (void)state;
    for (double hz = 1500; hz < 20000; hz *= 2) {
        assert_true(fabs(side_gain_db(hz, 1.2) - 20 * log10(1.2)) <= 0.15);
        assert_true(fabs(side_gain_db(hz, 0.8) - 20 * log10(0.8)) <= 0.15);
    }
}

static void unity_and_mono_pass_bit_for_bit(void **state)
{
    (void)state;
    struct width width = {0};
    for (int n = 0; n < 1000; ++n) {
        double stereo[2] = {sin(n * 0.3), cos(n * 0.2)}, mono[2] = {sin(n * 0.3), sin(n * 0.3)};
        struct width fresh = {0};
        process(&width, 1.0, stereo, 1);
        process(&fresh, 1.2, mono, 1);
        assert_true(stereo[0] == sin(n * 0.3) && stereo[1] == cos(n * 0.2));
        assert_true(fabs(mono[0] - sin(n * 0.3)) < 1e-18 && mono[0] - mono[1] < 1e-18);
    }
}

static void every_variant_follows_the_reference_however_frames_are_cut(void **state)
{
    (void)state;
    enum { FRAMES = 600 };
    const struct width_numbers numbers = {width_coefficient(RATE_HZ), 1.2, 0.7};
    for (size_t v = 0; v < width_impl_count; ++v)
        for (uint32_t piece = 1; piece <= 67 && !(width_impls[v].cpu_flags & ~cpu_flags());
             ++piece) {
            double wanted[2 * FRAMES], whole[2 * FRAMES], cut[2 * FRAMES];
            uint64_t seed = piece;
            for (int i = 0; i < 2 * FRAMES; ++i)
                wanted[i] = whole[i] = cut[i] = measure_noise(&seed);
            struct width a = {0}, b = {0}, c = {0};
            width_select(0)->process(&a, &numbers, wanted, FRAMES);
            width_impls[v].process(&b, &numbers, whole, FRAMES);
            for (uint32_t at = 0; at < FRAMES; at += piece)
                width_impls[v].process(&c, &numbers, cut + (size_t)2 * at,
                                       FRAMES - at < piece ? FRAMES - at : piece);
            assert_memory_equal(whole, cut, sizeof whole);
            assert_memory_equal(&b, &c, sizeof b);
            for (int i = 0; i < 2 * FRAMES; ++i)
                assert_true(fabs(whole[i] - wanted[i]) < 3e-13);
        }
}

static void every_variant_glides_as_if_each_frame_had_its_own_gains(void **state)
{
    (void)state;
    enum { FRAMES = 600, PIECE = 67 };
    const double coefficient = width_coefficient(RATE_HZ);
    const struct width_way way = {{coefficient, 1.2, 0.7}, {coefficient, 0.9, 1.4}};
    double shares[FRAMES];
    for (int n = 0; n < FRAMES; ++n)
        shares[n] = (n + 1.0) / FRAMES;
    for (size_t v = 0; v < width_impl_count; ++v) {
        if (width_impls[v].cpu_flags & ~cpu_flags())
            continue;
        double wanted[2 * FRAMES], whole[2 * FRAMES], cut[2 * FRAMES];
        uint64_t seed = 5;
        for (int i = 0; i < 2 * FRAMES; ++i)
            wanted[i] = whole[i] = cut[i] = measure_noise(&seed);
        struct width a = {0}, b = {0}, c = {0};
        for (int n = 0; n < FRAMES; ++n) {
            const struct width_numbers numbers = {coefficient, 1.2 - 0.3 * shares[n],
                                                  0.7 + 0.7 * shares[n]};
            width_select(0)->process(&a, &numbers, &wanted[2 * n], 1);
        }
        width_impls[v].glide(&b, &way, shares, whole, FRAMES);
        for (uint32_t at = 0; at < FRAMES; at += PIECE)
            width_impls[v].glide(&c, &way, shares + at, cut + (size_t)2 * at,
                                 FRAMES - at < PIECE ? FRAMES - at : PIECE);
        assert_memory_equal(whole, cut, sizeof whole);
        assert_memory_equal(&b, &c, sizeof b);
        for (int i = 0; i < 2 * FRAMES; ++i)
            assert_true(fabs(whole[i] - wanted[i]) < 3e-13);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_follows_the_reference_however_frames_are_cut),
        cmocka_unit_test(every_variant_glides_as_if_each_frame_had_its_own_gains),
        cmocka_unit_test(bass_keeps_its_width),
        cmocka_unit_test(side_above_the_bass_gets_the_gain),
        cmocka_unit_test(unity_and_mono_pass_bit_for_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
