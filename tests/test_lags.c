// SPDX-License-Identifier: MIT
#include "dsp/rhythm/lags.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RATE_HZ    22050.0
#define FRAME_RATE 43.06640625
enum { FRAMES = 1200 };
#define LOUD 19.0855369f // a stroke is e^3 times silence

/// Lags of strokes, all over the spectrum, at those of the first frames that are not 0.
static struct lags *measure_frames(const char strokes[FRAMES], int frames)
{
    struct onset *onset;
    struct lags *lags = calloc(1, sizeof(*lags));
    assert_non_null(lags);
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < frames; t++) {
        float power[ONSET_BINS];
        for (int k = 0; k < ONSET_BINS; k++)
            power[k] = strokes[t] ? 1.0f + LOUD : 1.0f;
        onset_push(onset, power);
    }
    assert_int_equal(lags_measure(lags, onset, FRAME_RATE), 0);
    onset_destroy(&onset);
    return lags;
}

static struct lags *measure(const char strokes[FRAMES])
{
    return measure_frames(strokes, FRAMES);
}

/// The whole and the low, middle and high parts recur; the shape of the spectrum never changes.
#define SHARE ((1.0 + 3 * 0.5) / (1.0 + 4 * 0.5))

static void a_pulse_is_as_significant_as_bartletts_formula_says(void **state)
{
    (void)state;
    for (int period = 20; period <= 40; period += 20) {
        static char strokes[FRAMES];
        memset(strokes, 0, sizeof(strokes));
        for (int t = 10; t < FRAMES; t += period)
            strokes[t] = 1;

        struct lags *lags = measure(strokes);

        // Under the kernel 1/4, 1/2, 1/4 neighbours correlate by 2/3 and 1/6. Every multiple of the period
        // within 6 s recurs wholly.
        const double bartlett = 1.0 + 2.0 * (4.0 / 9.0 + 1.0 / 36.0);
        double sum = 0.0, variances = 0.0;
        for (int lag = period; lag < 258; lag += period) {
            sum += SHARE;
            variances += bartlett / (FRAMES - lag);
        }
        const double truth = sum / sqrt(variances);
        assert_true(fabs(lags_significance(lags, FRAME_RATE) / truth - 1.0) < 0.05);
        free(lags);
    }
}

static void
strokes_at_random_are_as_significant_as_the_largest_of_some_normal_variates(void **state)
{
    (void)state;
    enum { TRIALS = 40 };
    double sum = 0.0;
    uint32_t seed = 1;
    for (int trial = 0; trial < TRIALS; trial++) {
        static char strokes[FRAMES];
        memset(strokes, 0, sizeof(strokes));
        for (int t = 3; t < FRAMES; t++) {
            seed = seed * 1664525u + 1013904223u;
            strokes[t] = !strokes[t - 1] && seed >> 24 < 30; // three in 25 frames
        }

        struct lags *lags = measure(strokes);

        const double significance = lags_significance(lags, FRAME_RATE);
        assert_true(significance < 5.0);
        sum += significance;
        free(lags);
    }
    // Expected of the largest: 1.54 for 10 independent variates, 2.78 for 250.
    assert_true(sum / TRIALS > 1.54 * SHARE && sum / TRIALS < 2.78 * SHARE);
}

static void two_strokes_at_the_ends_of_a_short_track_do_not_recur(void **state)
{
    (void)state;
    static char strokes[FRAMES];
    strokes[8] = strokes[168] = 1;

    struct lags *lags = measure_frames(strokes, 175);

    assert_true(lags_significance(lags, FRAME_RATE) < 1.0);
    free(lags);
}

static void a_beginning_alone_has_no_significance(void **state)
{
    (void)state;
    static const char strokes[FRAMES];

    struct lags *lags = measure(strokes);

    assert_true(lags_significance(lags, FRAME_RATE) < 0.1);
    free(lags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pulse_is_as_significant_as_bartletts_formula_says),
        cmocka_unit_test(
            strokes_at_random_are_as_significant_as_the_largest_of_some_normal_variates),
        cmocka_unit_test(two_strokes_at_the_ends_of_a_short_track_do_not_recur),
        cmocka_unit_test(a_beginning_alone_has_no_significance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
