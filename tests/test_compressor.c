// SPDX-License-Identifier: MIT
#include "dsp/mastering/compressor.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

static const double RATE_HZ = 48000.0;

static void assert_near(double value, double wanted, double tolerance)
{
    assert_true(fabs(value - wanted) <= tolerance);
}

static const struct compressor_numbers two_to_one = {
    .threshold_db = -20, .slope = 0.5, .knee_db = 6, .mix = 1, .attack_s = 0.02, .release_s = 0.2};

static void curve_is_none_below_the_knee_and_the_ratio_above(void **state)
{
    (void)state;
    assert_true(compressor_curve_db(&two_to_one, -23) == 0);
    assert_true(compressor_curve_db(&two_to_one, -200) == 0);
    assert_near(compressor_curve_db(&two_to_one, -20), -0.5 * 3 * 3 / 12, 1e-12);
    assert_near(compressor_curve_db(&two_to_one, -17), -1.5, 1e-12);
    assert_near(compressor_curve_db(&two_to_one, 0), -10, 1e-12);
}

/// Gain in dB that a settled 1 kHz sine gets.
static double settled_gain_db(const struct compressor_numbers *numbers, double left, double right,
                              double *right_db)
{
    struct compressor c;
    compressor_init(&c, RATE_HZ);
    double in[2] = {0}, out[2] = {0};
    for (int n = 0; n < 96000; ++n) {
        const double s = sin(2 * M_PI * 1000 * n / RATE_HZ);
        double frame[2] = {left * s, right * s};
        const double was[2] = {frame[0], frame[1]};
        compressor_process(&c, numbers, frame, 1);
        if (n < 72000)
            continue;
        for (int i = 0; i < 2; ++i) {
            in[i] += was[i] * was[i];
            out[i] += frame[i] * frame[i];
        }
    }
    *right_db = 10 * log10(out[1] / in[1]);
    return 10 * log10(out[0] / in[0]);
}

static void steady_sine_is_reduced_as_the_curve_says(void **state)
{
    (void)state;
    // RMS of amplitude 0.5 is -9.031 dB: 10.969 dB over the threshold, half of it off.
    double right_db;
    const double gain_db = settled_gain_db(&two_to_one, 0.5, 0.5, &right_db);
    assert_near(gain_db, -0.5 * 10.969, 0.02);
}

static void both_channels_get_the_gain_of_the_louder(void **state)
{
    (void)state;
    double right_db;
    const double left_db = settled_gain_db(&two_to_one, 0.5, 0.05, &right_db);
    assert_near(left_db, right_db, 1e-9);
    assert_near(left_db, -0.5 * 10.969, 0.02);
}

static void no_mix_leaves_audio_exactly_as_it_is(void **state)
{
    (void)state;
    struct compressor_numbers numbers = two_to_one;
    numbers.mix = 0;
    struct compressor c;
    compressor_init(&c, RATE_HZ);
    for (int n = 0; n < 5000; ++n) {
        double frame[2] = {sin(n * 0.3), cos(n * 0.2)};
        compressor_process(&c, &numbers, frame, 1);
        assert_true(frame[0] == sin(n * 0.3) && frame[1] == cos(n * 0.2));
    }
}

static void attack_reaches_63_percent_after_its_time(void **state)
{
    (void)state;
    struct compressor c;
    compressor_init(&c, RATE_HZ);
    struct compressor_numbers slow = two_to_one;
    slow.attack_s = 0.2; // long beside the detector's 10 ms
    slow.release_s = 5;
    double frame[2] = {0};
    for (int n = 0; n < 10080; ++n) { // detector and attack: 0.21 s
        frame[0] = frame[1] = 0.5;
        compressor_process(&c, &slow, frame, 1);
    }
    const double full_db = compressor_curve_db(&slow, 20 * log10(0.5));
    assert_near(20 * log10(frame[0] / 0.5) / full_db, 0.632, 0.02);
}

static void release_leaves_37_percent_after_its_time(void **state)
{
    (void)state;
    enum {
        LOUD = 96000,
        FADE = 2400
    }; // the detector falls below the knee in the first 50 ms of silence
    struct compressor c;
    compressor_init(&c, RATE_HZ);
    struct compressor_numbers numbers = two_to_one;
    numbers.attack_s = 0.01;
    numbers.release_s = 0.4;
    for (int n = 0; n < LOUD + FADE; ++n) {
        double frame[2] = {n < LOUD ? 0.5 : 0, 0};
        compressor_process(&c, &numbers, frame, 1);
    }
    const double begin_db = c.gain_db;
    for (int n = 0; n < (int)(0.4 * RATE_HZ); ++n) {
        double frame[2] = {0, 0};
        compressor_process(&c, &numbers, frame, 1);
    }
    assert_true(begin_db < -5);
    assert_near(c.gain_db / begin_db, exp(-1), 0.002);
}

static void output_does_not_depend_on_the_block_split(void **state)
{
    (void)state;
    enum { FRAMES = 3000 };
    static double whole[2 * FRAMES], parts[2 * FRAMES];
    for (int i = 0; i < 2 * FRAMES; ++i)
        whole[i] = parts[i] = sin(i * 0.01) * sin(i * 0.37);
    struct compressor a, b;
    compressor_init(&a, RATE_HZ);
    compressor_init(&b, RATE_HZ);
    compressor_process(&a, &two_to_one, whole, FRAMES);
    for (uint32_t at = 0, piece = 1; at < FRAMES; at += piece, piece = piece % 37 + 1) {
        if (piece > FRAMES - at)
            piece = FRAMES - at;
        compressor_process(&b, &two_to_one, parts + (size_t)2 * at, piece);
    }
    assert_memory_equal(whole, parts, sizeof whole);
    assert_true(whole[2 * FRAMES - 2] !=
                sin((2 * FRAMES - 2) * 0.01) * sin((2 * FRAMES - 2) * 0.37));
}

static void it_glides_as_if_each_frame_had_its_own_numbers(void **state)
{
    (void)state;
    enum { FRAMES = 5000, PIECE = 333 };
    struct compressor_way way = {.from = two_to_one, .to = two_to_one};
    way.to.threshold_db = -26;
    way.to.slope = 0.7;
    way.to.mix = 0.4;
    way.to.release_s = 0.1;
    static double shares[FRAMES], wanted[2 * FRAMES], whole[2 * FRAMES], cut[2 * FRAMES];
    for (int n = 0; n < FRAMES; ++n) {
        shares[n] = (n + 1.0) / FRAMES;
        wanted[2 * n] = sin(n * 0.01) * sin(n * 0.37);
        wanted[2 * n + 1] = 0.5 * wanted[2 * n];
    }
    memcpy(whole, wanted, sizeof whole);
    memcpy(cut, wanted, sizeof cut);
    struct compressor a, b, c;
    compressor_init(&a, RATE_HZ);
    compressor_init(&b, RATE_HZ);
    compressor_init(&c, RATE_HZ);
    for (int n = 0; n < FRAMES; ++n) {
        struct compressor_numbers numbers = two_to_one;
        numbers.threshold_db -= 6 * shares[n];
        numbers.slope += 0.2 * shares[n];
        numbers.mix -= 0.6 * shares[n];
        numbers.release_s -= 0.1 * shares[n];
        compressor_process(&a, &numbers, &wanted[2 * n], 1);
    }
    compressor_glide(&b, &way, shares, whole, FRAMES);
    for (uint32_t at = 0; at < FRAMES; at += PIECE)
        compressor_glide(&c, &way, shares + at, cut + (size_t)2 * at,
                         FRAMES - at < PIECE ? FRAMES - at : PIECE);
    assert_memory_equal(whole, cut, sizeof whole);
    for (int i = 0; i < 2 * FRAMES; ++i)
        assert_true(fabs(whole[i] - wanted[i]) < 1e-12);
    assert_true(b.gain_db < -3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curve_is_none_below_the_knee_and_the_ratio_above),
        cmocka_unit_test(steady_sine_is_reduced_as_the_curve_says),
        cmocka_unit_test(both_channels_get_the_gain_of_the_louder),
        cmocka_unit_test(no_mix_leaves_audio_exactly_as_it_is),
        cmocka_unit_test(attack_reaches_63_percent_after_its_time),
        cmocka_unit_test(release_leaves_37_percent_after_its_time),
        cmocka_unit_test(it_glides_as_if_each_frame_had_its_own_numbers),
        cmocka_unit_test(output_does_not_depend_on_the_block_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
