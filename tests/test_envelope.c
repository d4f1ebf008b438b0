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

static void run(double *gains, const float *wanted, uint32_t piece, double release)
{
    struct envelope envelope;
    const struct envelope_config config = {.box_frames = BOX, .hold_frames = HOLD};
    assert_int_equal(envelope_init(&envelope, &config), 0);
    for (uint32_t at = 0; at < FRAMES; at += piece) {
        const uint32_t count = FRAMES - at < piece ? FRAMES - at : piece;
        envelope_process(&envelope, release, wanted + at, gains + at, count);
    }
    envelope_deinit(&envelope);
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

static void gain_equals_a_naive_minimum_and_three_means(void **state)
{
    (void)state;
    static float wanted[FRAMES];
    static double gains[FRAMES], a[FRAMES], b[FRAMES];
    make_wanted(wanted);
    run(gains, wanted, 256, 1.0);                               // released at once
    const int window = (3 * BOX - 2 + HOLD + 14) / 16 * 16 + 1; // the least that fits
    for (int n = 0; n < FRAMES; ++n) {
        a[n] = 1;
        for (int k = 0; k < window && k <= n; ++k)
            a[n] = fmin(a[n], (double)wanted[n - k]);
    }
    for (int pass = 0; pass < 3; ++pass) {
        for (int n = 0; n < FRAMES; ++n) {
            b[n] = 0;
            for (int k = 0; k < BOX; ++k)
                b[n] += (n >= k ? a[n - k] : 1.0) / BOX;
        }
        memcpy(a, b, sizeof a);
    }
    for (int n = 0; n < FRAMES; ++n)
        assert_true(fabs(gains[n] - a[n]) < 1e-8);
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
        cmocka_unit_test(gains_do_not_depend_on_the_pieces),
        cmocka_unit_test(release_arrives_at_exact_unity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
