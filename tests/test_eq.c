// SPDX-License-Identifier: MIT
#include "dsp/cpu.h"
#include "dsp/mastering/eq.h"
#include "support/measure.h"
#include "support/response.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

enum { IMPULSE_FRAMES = 8192 };

static double worst_error_db(const double gains_db[EQ_BAND_COUNT], double rate_hz)
{
    static double impulse[2 * IMPULSE_FRAMES];
    memset(impulse, 0, sizeof impulse);
    impulse[0] = impulse[1] = 1;
    double numbers[EQ_NUMBERS];
    eq_numbers(numbers, gains_db, rate_hz);
    struct eq eq = {0};
    eq_select(cpu_flags())->process(&eq, numbers, impulse, IMPULSE_FRAMES);
    double worst = 0;
    for (int i = 0; i <= 60; ++i) {
        const double hz = 20 * pow(1000, i / 60.0);
        double wanted_db = 0;
        for (int band = 0; band < EQ_BAND_COUNT; ++band)
            wanted_db += response_wanted_db(eq_band_of(band), gains_db[band], hz);
        const double error =
            fabs(response_measured_db(impulse, IMPULSE_FRAMES, hz, rate_hz) - wanted_db);
        worst = fmax(worst, error);
    }
    return worst;
}

static void eq_follows_the_analogue_response_to_a_twentieth_of_a_decibel(void **state)
{
    (void)state;
    static const double limits_db[EQ_BAND_COUNT] = {4, 2, 2, 3, 3};
    double worst = 0;
    // Every sign of every band at its limit and at a third of it.
    for (unsigned signs = 0; signs < 32; ++signs)
        for (int part = 1; part <= 3; part += 2) {
            double gains_db[EQ_BAND_COUNT];
            for (unsigned band = 0; band < EQ_BAND_COUNT; ++band)
                gains_db[band] = (signs >> band & 1 ? 1 : -1) * limits_db[band] / part;
            worst = fmax(worst, worst_error_db(gains_db, 44100));
        }
    print_message("worst error %.4f dB\n", worst);
    assert_true(worst <= 0.05);
}

static void eq_is_more_exact_at_higher_rates(void **state)
{
    (void)state;
    const double gains_db[EQ_BAND_COUNT] = {4, -2, 2, -3, 3};
    assert_true(worst_error_db(gains_db, 48000) <= 0.05);
    assert_true(worst_error_db(gains_db, 96000) <= 0.01);
}

static void eq_at_zero_gain_passes_audio_unchanged(void **state)
{
    (void)state;
    const double gains_db[EQ_BAND_COUNT] = {0};
    double numbers[EQ_NUMBERS], x[64];
    eq_numbers(numbers, gains_db, 44100);
    struct eq eq = {0};
    for (int i = 0; i < 64; ++i)
        x[i] = (double)(float)sin(i * 1.7);
    eq_select(cpu_flags())->process(&eq, numbers, x, 32);
    for (int i = 0; i < 64; ++i)
        assert_true((float)x[i] == (float)sin(i * 1.7));
}

static void eq_band_is_minimum_phase_and_stable_at_every_rate(void **state)
{
    (void)state;
    static const double rates_hz[] = {1000, 8000, 11025, 22050, 44100, 192000, 768000};
    for (size_t r = 0; r < sizeof rates_hz / sizeof *rates_hz; ++r)
        for (int band = 0; band < EQ_BAND_COUNT; ++band)
            for (double gain_db = -6; gain_db <= 6; gain_db += 0.75) {
                struct biquad b;
                eq_design(&b, eq_band_of(band), gain_db, rates_hz[r]);
                // Jury's conditions for the poles, and for the zeros.
                assert_true(fabs(b.a2) < 1 && fabs(b.a1) < 1 + b.a2);
                assert_true(b.b0 > 0 && fabs(b.b2 / b.b0) <= 1);
                assert_true(fabs(b.b1 / b.b0) <= 1 + b.b2 / b.b0 + 1e-9);
            }
}

static void every_variant_follows_the_reference_however_frames_are_cut(void **state)
{
    (void)state;
    enum { FRAMES = 600 };
    const double gains_db[EQ_BAND_COUNT] = {4, -2, 2, -3, 3};
    double numbers[EQ_NUMBERS];
    eq_numbers(numbers, gains_db, 44100);
    for (size_t v = 0; v < eq_impl_count; ++v)
        for (uint32_t piece = 1; piece <= 67 && !(eq_impls[v].cpu_flags & ~cpu_flags()); ++piece) {
            double wanted[2 * FRAMES], whole[2 * FRAMES], cut[2 * FRAMES];
            uint64_t seed = piece;
            for (int i = 0; i < 2 * FRAMES; ++i)
                wanted[i] = whole[i] = cut[i] = measure_noise(&seed);
            struct eq a = {0}, b = {0}, c = {0};
            eq_select(0)->process(&a, numbers, wanted, FRAMES);
            eq_impls[v].process(&b, numbers, whole, FRAMES);
            for (uint32_t at = 0; at < FRAMES; at += piece)
                eq_impls[v].process(&c, numbers, cut + (size_t)2 * at,
                                    FRAMES - at < piece ? FRAMES - at : piece);
            assert_memory_equal(whole, cut, sizeof whole);
            assert_memory_equal(&b, &c, sizeof b);
            for (int i = 0; i < 2 * FRAMES; ++i)
                assert_true(fabs(whole[i] - wanted[i]) < 1e-11);
        }
}

static void every_variant_glides_as_if_each_frame_had_its_own_filter(void **state)
{
    (void)state;
    enum { FRAMES = 600, PIECE = 67 };
    const double before_db[EQ_BAND_COUNT] = {4, -2, 2, -3, 3};
    const double after_db[EQ_BAND_COUNT] = {-1, 2, -2, 3, -3};
    struct eq_way way;
    eq_numbers(way.from, before_db, 44100);
    eq_numbers(way.to, after_db, 44100);
    double shares[FRAMES];
    for (int n = 0; n < FRAMES; ++n)
        shares[n] = (n + 1.0) / FRAMES;
    for (size_t v = 0; v < eq_impl_count; ++v) {
        if (eq_impls[v].cpu_flags & ~cpu_flags())
            continue;
        double wanted[2 * FRAMES], whole[2 * FRAMES], cut[2 * FRAMES];
        uint64_t seed = 5;
        for (int i = 0; i < 2 * FRAMES; ++i)
            wanted[i] = whole[i] = cut[i] = measure_noise(&seed);
        struct eq a = {0}, b = {0}, c = {0};
        for (int n = 0; n < FRAMES; ++n) {
            double numbers[EQ_NUMBERS];
            for (int k = 0; k < EQ_NUMBERS; ++k)
                numbers[k] = way.from[k] + shares[n] * (way.to[k] - way.from[k]);
            eq_select(0)->process(&a, numbers, &wanted[2 * n], 1);
        }
        eq_impls[v].glide(&b, &way, shares, whole, FRAMES);
        for (uint32_t at = 0; at < FRAMES; at += PIECE)
            eq_impls[v].glide(&c, &way, shares + at, cut + (size_t)2 * at,
                              FRAMES - at < PIECE ? FRAMES - at : PIECE);
        assert_memory_equal(whole, cut, sizeof whole);
        assert_memory_equal(&b, &c, sizeof b);
        for (int i = 0; i < 2 * FRAMES; ++i)
            assert_true(fabs(whole[i] - wanted[i]) < 1e-11);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eq_follows_the_analogue_response_to_a_twentieth_of_a_decibel),
        cmocka_unit_test(eq_is_more_exact_at_higher_rates),
        cmocka_unit_test(eq_at_zero_gain_passes_audio_unchanged),
        cmocka_unit_test(every_variant_follows_the_reference_however_frames_are_cut),
        cmocka_unit_test(every_variant_glides_as_if_each_frame_had_its_own_filter),
        cmocka_unit_test(eq_band_is_minimum_phase_and_stable_at_every_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
