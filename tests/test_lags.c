// SPDX-License-Identifier: MIT
#include "dsp/rhythm/lags.h"
#include "support/near.h"
#include "support/rng.h"
#include <string.h>

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

// --- the definition, in plain doubles
enum { LONG = 2500 }; // more than a block

/// Less the mean of up to 43 frames on either side, from five after the first that is not 0 on.
static double flat(const uint16_t *strength, int t)
{
    int first = 0;
    while (first < LONG && strength[first] == 0)
        first++;
    first += 5;
    if (t < first || t >= LONG)
        return 0.0;
    double sum = 0.0, count = 0.0;
    for (int near = t - 43; near <= t + 43; near++)
        if (near >= first && near < LONG) {
            sum += strength[near];
            count += 1.0;
        }
    return (strength[t] - sum / count) / ONSET_SCALE;
}

static void smooth_out(const uint16_t *strength, double curve[LONG])
{
    for (int t = 0; t < LONG; t++)
        curve[t] =
            0.25 * flat(strength, t - 1) + 0.5 * flat(strength, t) + 0.25 * flat(strength, t + 1);
}

/// Mean product of frames so far apart as a share of the mean square.
static double correlation(const double curve[LONG], int lag)
{
    double sum = 0.0, squares = 0.0;
    for (int t = 0; t < LONG; t++) {
        squares += curve[t] * curve[t] / LONG;
        sum += t >= lag ? curve[t] * curve[t - lag] / (LONG - lag) : 0.0;
    }
    return sum / squares;
}

/// Strokes at random, each in a third of the spectrum, after a second of silence; and a fade.
static struct onset *play_at_random(void)
{
    struct onset *onset;
    uint64_t seed = 3;
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < LONG; t++) {
        float power[ONSET_BINS] = {0.0f};
        const int part = (int)(3.0 * rng_unit(&seed));
        const double level = exp(6.0 * rng_unit(&seed) * (t % 7 < 2)) * exp(-2.0 * t / LONG);
        for (int k = 0; k < ONSET_BINS && t >= 43; k++)
            power[k] = (float)(k / 20 % 3 == part ? level : 1.0);
        onset_push(onset, power);
    }
    return onset;
}

static void lags_are_correlations_of_flattened_strengths_part_by_part(void **state)
{
    (void)state;
    static double curve[LONG];
    struct onset *onset = play_at_random();
    struct lags *lags = calloc(1, sizeof(*lags));
    assert_non_null(lags);

    assert_int_equal(lags_measure(lags, onset, FRAME_RATE), 0);

    assert_int_equal(lags->count, 261); // 6 s and three frames
    assert_int_equal(lags->frames, LONG);
    for (int i = 0; i < LAGS_CURVES; i++) {
        smooth_out(i == LAGS_CURVES - 1 ? onset_strength(onset)
                                        : onset_part_strength(onset, (enum onset_part)i),
                   curve);
        for (int lag = 0; lag < 261; lag += 13)
            assert_near(lags->of[i][lag], correlation(curve, lag), 1e-4);
    }
    free(lags);
    onset_destroy(&onset);
}

static double parabola(double lag, double factor)
{
    return factor * (0.2 + 0.001 * (lag - 50.0) * (lag - 50.0));
}

static struct lags *make_parabolas(size_t count)
{
    struct lags *lags = calloc(1, sizeof(*lags));
    assert_non_null(lags);
    lags->count = count;
    for (int i = 0; i < LAGS_CURVES; i++)
        for (size_t lag = 0; lag < count; lag++)
            lags->of[i][lag] = parabola((double)lag, i == LAGS_CURVES - 1 ? 1.0 : 0.1 * i);
    return lags;
}

static void
recurrence_between_lags_is_exact_for_a_parabola_the_whole_counting_twice_a_part(void **state)
{
    (void)state;
    struct lags *lags = make_parabolas(100);
    const double share = (1.0 + 0.5 * (0.0 + 0.1 + 0.2 + 0.3)) / 3.0;
    for (double lag = 1.0; lag < 98.0; lag += 0.37)
        assert_near(lags_recurrence(lags, lag), share * parabola(lag, 1.0), 1e-9);
    free(lags);
}

static void lags_without_two_neighbours_on_either_side_do_not_recur(void **state)
{
    (void)state;
    struct lags *lags = make_parabolas(100);
    assert_true(lags_recurrence(lags, 0.99) == 0.0);
    assert_true(lags_recurrence(lags, 97.99) > 0.0);
    assert_true(lags_recurrence(lags, 98.0) == 0.0);
    assert_true(lags_recurrence(lags, 5000.0) == 0.0);
    free(lags);
}

/// What recurs alike after any time is clearest in the multiples of the shortest period, of 240 BPM.
static double significance_of(double recurrence, size_t frames)
{
    struct lags *lags = calloc(1, sizeof(*lags));
    assert_non_null(lags);
    lags->count = 261;
    lags->frames = frames;
    for (int i = 0; i < LAGS_CURVES; i++)
        for (int lag = 0; lag < 261; lag++)
            lags->of[i][lag] = lag ? recurrence : 1.0;
    const double significance = lags_significance(lags, FRAME_RATE);
    free(lags);
    return significance;
}

static void multiples_of_a_period_count_up_to_six_seconds_or_half_of_the_track(void **state)
{
    (void)state;
    const double period = 60.0 * FRAME_RATE / 240.0, r = 0.3;
    const double bartlett = 1.0 + 2.0 * 7.0 * r * r; // neighbours of up to 7 frames go together
    const struct {
        size_t frames;
        int multiples;
    } cases[] = {{5000, (int)(258.0 / period)}, {300, (int)(150.0 / period)}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        double variances = 0.0;
        for (int k = 1; k <= cases[i].multiples; k++)
            variances += bartlett / ((double)cases[i].frames - k * period);
        const double truth = r * cases[i].multiples / sqrt(variances);
        assert_near(significance_of(r, cases[i].frames) / truth, 1.0, 1e-6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pulse_is_as_significant_as_bartletts_formula_says),
        cmocka_unit_test(
            strokes_at_random_are_as_significant_as_the_largest_of_some_normal_variates),
        cmocka_unit_test(two_strokes_at_the_ends_of_a_short_track_do_not_recur),
        cmocka_unit_test(lags_are_correlations_of_flattened_strengths_part_by_part),
        cmocka_unit_test(
            recurrence_between_lags_is_exact_for_a_parabola_the_whole_counting_twice_a_part),
        cmocka_unit_test(lags_without_two_neighbours_on_either_side_do_not_recur),
        cmocka_unit_test(multiples_of_a_period_count_up_to_six_seconds_or_half_of_the_track),
        cmocka_unit_test(a_beginning_alone_has_no_significance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
