// SPDX-License-Identifier: MIT
#include "dsp/rhythm/drift.h"
#include "support/rng.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAME_RATE_HZ 43.0
#define PERIOD        22.0
enum { FRAMES = 2600 }; // a minute

/// Strokes whose period is PERIOD up to `change`, and `later` from there on.
static void strike(uint16_t strength[FRAMES], double change, double later)
{
    memset(strength, 0, FRAMES * sizeof(*strength));
    for (double place = 4.0; place < FRAMES - 2; place += place < change ? PERIOD : later) {
        const size_t t = (size_t)round(place);
        strength[t - 1] = strength[t + 1] = 1000;
        strength[t] = 4000;
    }
}

static void a_steady_pulse_has_no_paces(void **state)
{
    (void)state;
    uint16_t strength[FRAMES];
    struct drift drift;
    strike(strength, FRAMES, PERIOD);

    assert_int_equal(drift_find(strength, FRAMES, FRAME_RATE_HZ, PERIOD, &drift), 0);

    assert_int_equal(drift.count, 0);
    assert_null(drift.paces);
    assert_int_equal(drift_at(&drift, 1000), DRIFT_STEADY);
}

static void a_leap_of_the_tempo_is_found_where_it_happens(void **state)
{
    (void)state;
    const double ratios[] = {0.8, 0.9, 1.1, 1.25};
    for (size_t i = 0; i < sizeof(ratios) / sizeof(*ratios); i++) {
        uint16_t strength[FRAMES];
        struct drift drift;
        strike(strength, 1300.0, ratios[i] * PERIOD);

        assert_int_equal(drift_find(strength, FRAMES, FRAME_RATE_HZ, PERIOD, &drift), 0);

        assert_true(drift.count > 0);
        assert_int_equal(drift_at(&drift, 400), DRIFT_STEADY);
        assert_int_equal(drift_at(&drift, 1000), DRIFT_STEADY);
        assert_true(fabs(drift_ratio(drift_at(&drift, 1600)) / ratios[i] - 1.0) < 0.04);
        assert_true(fabs(drift_ratio(drift_at(&drift, FRAMES - 1)) / ratios[i] - 1.0) < 0.04);
        drift_deinit(&drift);
        assert_null(drift.paces);
    }
}

static void silence_and_short_tracks_are_steady(void **state)
{
    (void)state;
    const uint16_t silence[FRAMES] = {0};
    struct drift drift;

    assert_int_equal(drift_find(silence, FRAMES, FRAME_RATE_HZ, PERIOD, &drift), 0);
    assert_int_equal(drift.count, 0);
    assert_int_equal(drift_find(silence, 100, FRAME_RATE_HZ, PERIOD, &drift), 0);
    assert_int_equal(drift.count, 0);
}

static void paces_are_evenly_spaced_around_one(void **state)
{
    (void)state;
    assert_true(drift_ratio(DRIFT_STEADY) == 1.0);
    for (int pace = 0; pace + 1 < DRIFT_PACES; pace++) {
        const double step = drift_ratio(pace + 1) / drift_ratio(pace);
        assert_true(fabs(step - drift_ratio(1) / drift_ratio(0)) < 1e-12);
    }
    assert_true(drift_ratio(0) > 0.75 && drift_ratio(DRIFT_PACES - 1) < 4.0 / 3.0);
}

// --- the definition, in plain doubles
enum { WINDOW = 516, STEP = 172, MINUTES = 4, LONG = MINUTES * FRAMES, STEPS = LONG / STEP };

/// Recurrence after a lag within [begin, end): around the mean, per pair of frames, as a share of the variance.
static double correlation(const uint16_t *strength, int begin, int end, int lag)
{
    double mean = 0.0, variance = 0.0, sum = 0.0;
    for (int t = begin; t < end; t++)
        mean += (double)strength[t] / (end - begin);
    for (int t = begin; t < end; t++)
        variance += pow(strength[t] - mean, 2.0) / (end - begin);
    for (int t = begin; t + lag < end; t++)
        sum += (strength[t] - mean) * (strength[t + lag] - mean);
    return variance > 0.0 ? sum / (end - begin - lag) / variance : 0.0;
}

/// That at the nearest lag, or half of that at its neighbours.
static double recurrence(const uint16_t *strength, int begin, int end, double lag)
{
    const int near = (int)round(lag);
    const double before = correlation(strength, begin, end, near - 1);
    const double after = correlation(strength, begin, end, near + 1);
    return fmax(correlation(strength, begin, end, near), 0.5 * fmax(before, after));
}

/// What a pace explains in 12 s around the middle of a step of 4 s: it recurs after one and two periods. Leaving the
/// steady one costs 0.15.
static double gain(const uint16_t *strength, int step, int pace)
{
    const int middle = step * STEP + STEP / 2, begin = middle - WINDOW / 2;
    const int from = begin < 0 ? 0 : begin, to = begin + WINDOW < LONG ? begin + WINDOW : LONG;
    const double period = PERIOD * exp2(0.36 * (pace - DRIFT_STEADY) / DRIFT_STEADY);
    return recurrence(strength, from, to, period) + recurrence(strength, from, to, 2.0 * period) -
           (pace == DRIFT_STEADY ? 0.0 : 0.15);
}

/// The sequence of most gain, where each pace of a change costs 0.1, and none costs more than 0.6.
static void find_best(const uint16_t *strength, int best[STEPS])
{
    double totals[DRIFT_PACES] = {0.0}, longer[DRIFT_PACES];
    int paths[DRIFT_PACES][STEPS], others[DRIFT_PACES][STEPS];
    for (int step = 0; step < STEPS; step++) {
        for (int pace = 0; pace < DRIFT_PACES; pace++) {
            int from = 0;
            for (int old = 1; old < DRIFT_PACES; old++)
                if (totals[old] - fmin(0.1 * abs(pace - old), 0.6) >
                    totals[from] - fmin(0.1 * abs(pace - from), 0.6))
                    from = old;
            longer[pace] =
                totals[from] - fmin(0.1 * abs(pace - from), 0.6) + gain(strength, step, pace);
            memcpy(others[pace], paths[from], sizeof(others[pace]));
            others[pace][step] = pace;
        }
        memcpy(totals, longer, sizeof(totals));
        memcpy(paths, others, sizeof(paths));
    }
    int end = 0;
    for (int pace = 1; pace < DRIFT_PACES; pace++)
        end = totals[pace] > totals[end] ? pace : end;
    memcpy(best, paths[end], sizeof(paths[end]));
}

/// Strokes that now and then leap to another tempo, run, or are drowned in noise.
static void play_freely(uint16_t strength[LONG], uint64_t seed)
{
    double ratio = 1.0, run = 1.0, next_change = 600.0, noise = 0.0;
    for (int t = 0; t < LONG; t++)
        strength[t] = 0;
    for (double place = 4.0; place < LONG - 2; place += PERIOD * ratio) {
        if (place > next_change) {
            ratio = exp2(0.34 * (2.0 * rng_unit(&seed) - 1.0));
            run = rng_unit(&seed) < 0.5 ? 1.0 : exp2(0.02 * (rng_unit(&seed) - 0.5));
            noise = 3000.0 * rng_unit(&seed);
            next_change += 150.0 + 900.0 * rng_unit(&seed);
        }
        ratio = fmin(1.25, fmax(0.8, ratio * run));
        const int t = (int)round(place);
        for (int near = t; near < t + PERIOD * ratio && near < LONG; near++)
            strength[near] = (uint16_t)(noise * rng_unit(&seed));
        strength[t] = 4000;
    }
}

static void the_paces_are_those_of_most_gain(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        static uint16_t strength[LONG];
        int best[STEPS];
        struct drift drift;
        play_freely(strength, seed);
        find_best(strength, best);

        assert_int_equal(drift_find(strength, LONG, FRAME_RATE_HZ, PERIOD, &drift), 0);

        assert_int_equal(drift.count, STEPS);
        for (int step = 0; step < STEPS; step++)
            assert_int_equal(drift_at(&drift, (size_t)step * STEP + 1), best[step]);
        drift_deinit(&drift);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_pulse_has_no_paces),
        cmocka_unit_test(a_leap_of_the_tempo_is_found_where_it_happens),
        cmocka_unit_test(silence_and_short_tracks_are_steady),
        cmocka_unit_test(the_paces_are_those_of_most_gain),
        cmocka_unit_test(paces_are_evenly_spaced_around_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
