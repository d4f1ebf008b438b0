// SPDX-License-Identifier: MIT
#include "dsp/mastering/envelope.h"
#include "support/measure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

enum { FRAMES = 6000, BOX = 37, HOLD = 50 };

/// Sparse dips to as low as a tenth.
static void make_wanted(float *wanted)
{
    uint64_t seed = 3;
    for (int n = 0; n < FRAMES; ++n) {
        const double v = fabs(measure_noise(&seed));
        wanted[n] = v > 0.99 && n < FRAMES / 2 ? (float)(0.1 + 80 * (v - 0.99)) : 1.0F;
    }
}

static void run_boxes(double *gains, const float *wanted, int box, uint32_t piece, double release)
{
    struct envelope envelope;
    const struct envelope_config config = {.box_frames = (uint32_t)box, .hold_frames = HOLD};
    assert_int_equal(envelope_init(&envelope, &config), 0);
    for (uint32_t at = 0; at < FRAMES; at += piece) {
        const uint32_t count = FRAMES - at < piece ? FRAMES - at : piece;
        envelope_process(&envelope, release, wanted + at, gains + at, count);
    }
    envelope_deinit(&envelope);
}

static void run(double *gains, const float *wanted, uint32_t piece, double release)
{
    run_boxes(gains, wanted, BOX, piece, release);
}

static void gain_is_never_above_any_wanted_one_in_reach(void **state)
{
    (void)state;
    static float wanted[FRAMES];
    static double gains[FRAMES];
    make_wanted(wanted);
    run(gains, wanted, 100, envelope_release(0.02, 44100));
    const int lead = 3 * BOX - 3;
    double least = 1;
    for (int n = lead + HOLD; n < FRAMES; ++n) {
        for (int k = lead; k <= lead + HOLD; ++k)
            assert_true(gains[n] <= (double)wanted[n - k] + 1e-14); // one rounding
        least = fmin(least, gains[n]);
    }
    assert_true(least < 0.2);
}

/// The envelope that releases at once: the least of a window, and three means.
static void naive(double *gains, const float *wanted, int box)
{
    const int window = (3 * box - 2 + HOLD + 14) / 16 * 16 + 1; // the least that fits
    static double b[FRAMES];
    for (int n = 0; n < FRAMES; ++n) {
        gains[n] = 1;
        for (int k = 0; k < window && k <= n; ++k)
            gains[n] = fmin(gains[n], (double)wanted[n - k]);
    }
    for (int pass = 0; pass < 3; ++pass) {
        for (int n = 0; n < FRAMES; ++n) {
            b[n] = 0;
            for (int k = 0; k < box; ++k)
                b[n] += (n >= k ? gains[n - k] : 1.0) / box;
        }
        memcpy(gains, b, sizeof b);
    }
}

static void gain_equals_a_naive_minimum_and_three_means(void **state)
{
    (void)state;
    static float wanted[FRAMES];
    static double gains[FRAMES], expected[FRAMES];
    make_wanted(wanted);
    run(gains, wanted, 256, 1.0); // released at once
    naive(expected, wanted, BOX);
    for (int n = 0; n < FRAMES; ++n)
        assert_true(fabs(gains[n] - expected[n]) < 1e-8);
}

static void a_rest_of_any_length_leaves_no_trace(void **state)
{
    (void)state;
    static float wanted[FRAMES];
    static double gains[FRAMES], expected[FRAMES];
    // Dips further and further apart: between some nothing of the last is left, between others a little.
    for (int n = 0; n < FRAMES; ++n)
        wanted[n] = 1;
    int dips = 0;
    for (int at = 5, apart = 60; at < FRAMES; at += apart, apart += 7, ++dips)
        wanted[at] = 0.2F + 0.02F * (float)(dips % 30);
    static const uint32_t pieces[] = {1, 5, 16, 60, 256};
    for (int box = 1; box <= BOX; box += 12) {
        naive(expected, wanted, box);
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; ++i) {
            run_boxes(gains, wanted, box, pieces[i], 1.0);
            for (int n = 0; n < FRAMES; ++n)
                assert_true(fabs(gains[n] - expected[n]) < 1e-8);
        }
    }
    assert_true(dips > 25);
}

static void gains_do_not_depend_on_the_pieces(void **state)
{
    (void)state;
    static float wanted[FRAMES];
    static double whole[FRAMES], parts[FRAMES];
    make_wanted(wanted);
    const double release = envelope_release(0.05, 44100);
    run(whole, wanted, 256, release);
    static const uint32_t pieces[] = {1, 17, 128, 255};
    for (int i = 0; i < 4; ++i) {
        run(parts, wanted, pieces[i], release);
        assert_memory_equal(whole, parts, sizeof whole);
    }
    assert_true(whole[FRAMES / 2] < 1);
}

static void release_arrives_at_exact_unity(void **state)
{
    (void)state;
    static float wanted[FRAMES];
    static double gains[FRAMES];
    for (int n = 0; n < FRAMES; ++n)
        wanted[n] = n < 10 ? 0.25F : 1.0F;
    run(gains, wanted, 64, envelope_release(0.005, 44100));
    assert_true(gains[200] < 0.6);
    assert_true(gains[FRAMES - 1] == 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gain_is_never_above_any_wanted_one_in_reach),
        cmocka_unit_test(gain_equals_a_naive_minimum_and_three_means),
        cmocka_unit_test(a_rest_of_any_length_leaves_no_trace),
        cmocka_unit_test(gains_do_not_depend_on_the_pieces),
        cmocka_unit_test(release_arrives_at_exact_unity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
