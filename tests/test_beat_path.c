// SPDX-License-Identifier: MIT
// The path of beats against its definition: every path over all frames, in plain doubles, and the places and intervals
// that are read from it.
#include "dsp/rhythm/beats.h"
#include "support/near.h"
#include "support/rng.h"
#include <string.h>

#define PERIOD 21.5
enum { FRAMES = 40000, STEP = 172, PACES = FRAMES / STEP + 1, EVERY = 20 };

/// Strokes at random times and of random strengths, three frames wide, over noise.
static uint16_t *play_at_random(uint64_t seed)
{
    uint16_t *strength = calloc(FRAMES, sizeof(*strength));
    assert_non_null(strength);
    for (int t = 0; t < FRAMES; t++)
        strength[t] = (uint16_t)(300.0 * rng_unit(&seed));
    for (int t = 30; t < FRAMES - 2; t += 3 + (int)(22.0 * rng_unit(&seed))) {
        const double top = 8000.0 * pow(rng_unit(&seed), 2.0);
        strength[t] = (uint16_t)(300.0 + top);
        strength[t - 1] = (uint16_t)(strength[t - 1] + 0.4 * top);
        strength[t + 1] = (uint16_t)(strength[t + 1] + 0.5 * top);
    }
    return strength;
}

/// Strengths of deviation 1 under a bell 1/32 of a period wide.
static void smooth_out(const uint16_t *strength, double out[FRAMES])
{
    double mean = 0.0, variance = 0.0;
    for (int t = 0; t < FRAMES; t++)
        mean += (double)strength[t] / FRAMES;
    for (int t = 0; t < FRAMES; t++)
        variance += pow(strength[t] - mean, 2.0) / FRAMES;
    for (int t = 0; t < FRAMES; t++) {
        out[t] = 0.0;
        for (int near = t < 4 ? 0 : t - 4; near <= t + 4 && near < FRAMES; near++)
            out[t] += exp(-0.5 * pow((near - t) / (PERIOD / 32.0), 2.0)) * strength[near] /
                      sqrt(variance);
    }
}

/// The frames of most strength in all, of which 100 times the square of an interval's logarithm in periods is lost.
/// From half of the shortest period to twice the longest. @return how many, the last first.
static int find_path(const double strength[FRAMES], const struct drift *drift, int path[FRAMES])
{
    static double total[FRAMES];
    static int before[FRAMES];
    const double widest = drift ? drift_ratio(DRIFT_PACES - 1) : 1.0;
    const int nearest = (int)round(PERIOD / 2.0 / widest),
              farthest = (int)round(2.0 * PERIOD * widest);
    int end = 0, count = 0;
    for (int t = 0; t < FRAMES; t++) {
        const double period = PERIOD * (drift ? drift_ratio(drift_at(drift, (size_t)t)) : 1.0);
        double best = 0.0;
        before[t] = -1;
        for (int interval = farthest; interval >= nearest; interval--) {
            const double cost = 100.0 * pow(log(interval / period), 2.0);
            if (t >= interval && total[t - interval] - cost >= best) {
                best = total[t - interval] - cost;
                before[t] = t - interval;
            }
        }
        total[t] = best + strength[t];
        end = t <= FRAMES - farthest || total[t] >= total[end] ? t : end;
    }
    for (int t = end; t >= 0; t = before[t])
        path[count++] = t;
    return count;
}

/// Top of the parabola through the highest of three frames and its neighbours.
static double top_of(const uint16_t *strength, int t)
{
    if (t < 1 || t > FRAMES - 2)
        return t;
    int top = strength[t - 1] > strength[t] ? t - 1 : t;
    top = strength[t + 1] > strength[top] ? t + 1 : top;
    if (top < 1 || top > FRAMES - 2)
        return t;
    const double left = strength[top - 1], here = strength[top], right = strength[top + 1];
    if (left > here || right > here || left + right >= 2.0 * here)
        return t;
    return top + (left - right) / (2.0 * (left - 2.0 * here + right));
}

/// Of strokes at random nothing is a track's begin or end: no beat has under a quarter of the usual strength there.
static void assert_best_path(const uint16_t *strength, const struct drift *drift)
{
    static double smooth[FRAMES];
    static int path[FRAMES];
    double *beats;
    uint32_t count;
    smooth_out(strength, smooth);
    const int expected = find_path(smooth, drift, path);

    assert_int_equal(beats_find(strength, FRAMES, PERIOD, drift, &beats, &count), 0);

    int last = 0;
    double squares = 0.0;
    for (int i = 0; i < expected; i++)
        squares += pow(smooth[(int)round(top_of(strength, path[i]))], 2.0) / expected;
    const double least = 0.25 * sqrt(squares);
    while (smooth[(int)round(top_of(strength, path[last]))] < least)
        last++;
    int first = expected - 1;
    while (smooth[(int)round(top_of(strength, path[first]))] < least)
        first--;
    assert_int_equal(count, first - last + 1);
    for (int i = 0; i < (int)count; i++)
        assert_near(beats[i], top_of(strength, path[first - i]), 1e-9);
    free(beats);
}

static void beats_are_the_path_of_most_strength_and_least_deviation(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        uint16_t *strength = play_at_random(seed);
        assert_best_path(strength, NULL);
        free(strength);
    }
}

static void beats_follow_a_pulse_that_drifts(void **state)
{
    (void)state;
    uint8_t paces[PACES];
    uint64_t seed = 7;
    uint16_t *strength = play_at_random(5);
    for (int i = 0; i < PACES; i++)
        paces[i] = (uint8_t)(DRIFT_PACES * rng_unit(&seed));
    const struct drift drift = {.step_frames = STEP, .count = PACES, .paces = paces};

    assert_best_path(strength, &drift);

    free(strength);
}

static void a_beat_lies_where_the_curve_is_highest_between_frames(void **state)
{
    (void)state;
    for (double share = -0.4; share <= 0.4; share += 0.2) {
        uint16_t strength[400] = {0};
        for (int beat = 10; beat < 395; beat += EVERY)
            for (int t = beat - 1; t <= beat + 1; t++)
                strength[t] = (uint16_t)lround(6000.0 - 2000.0 * pow(t - beat - share, 2.0));
        double *beats;
        uint32_t count;

        assert_int_equal(beats_find(strength, 400, EVERY, NULL, &beats, &count), 0);

        assert_int_equal(count, 20);
        for (uint32_t i = 0; i < count; i++)
            assert_near(beats[i], 10.0 + EVERY * i + share, 1e-3);
        free(beats);
    }
}

enum { INTERVALS = 101 };

/// Beats whose 101 intervals range over `alike` in the middle two fifths of the lower half, over 4 but for a tenth at
/// either end, in the order of their ranks: every `step`-th. @return the usual one.
static double usual_interval(double alike, int step)
{
    double beats[INTERVALS + 1] = {0.0}, usual;
    for (int i = 0; i < INTERVALS; i++) {
        const int rank = step * i % INTERVALS;
        const double above = rank > 50 ? (4.0 - alike) * (rank - 50) / 40.0 : 0.0;
        const double below = rank < 10 ? 0.2 * (10 - rank) : 0.0;
        beats[i + 1] =
            beats[i] + 20.0 + alike * fmin(40.0, fmax(0.0, rank - 10)) / 40.0 + above - below;
    }
    assert_int_equal(beats_usual_interval(beats, INTERVALS + 1, &usual), 0);
    return usual;
}

static void the_usual_interval_is_that_of_two_fifths_only_where_they_are_much_alike(void **state)
{
    (void)state;
    assert_near(usual_interval(0.33 * 4.0, 1), 20.0 + 0.5 * 0.33 * 4.0,
                1e-9);                                                   // of those, the middle
    assert_near(usual_interval(0.37 * 4.0, 1), 20.0 + 0.37 * 4.0, 1e-9); // of all
}

static void alike_intervals_all_over_the_track_are_no_tempo_of_their_own(void **state)
{
    (void)state;
    assert_near(usual_interval(0.33 * 4.0, 37), 20.0 + 0.33 * 4.0, 1e-9);
}

static void stability_is_of_the_median_deviation_from_the_median(void **state)
{
    (void)state;
    const double beats[] = {5.0, 15.0, 27.0, 40.0, 60.0}; // 10, 12, 13, 20: 12.5, and 1.5 off that
    double stability;

    assert_int_equal(beats_stability(beats, 5, &stability), 0);
    assert_near(stability, 1.0 / (1.0 + 1.4826 * 1.5 / 12.5), 1e-12);
    assert_int_equal(beats_stability(beats, 4, &stability), 0); // 10, 12, 13: 12, and 1 off
    assert_near(stability, 1.0 / (1.0 + 1.4826 * 1.0 / 12.0), 1e-12);
    assert_int_equal(beats_stability(beats, 3, &stability), 0);
    assert_true(stability > 0.0);
    assert_int_equal(beats_stability(beats, 2, &stability), 0);
    assert_true(stability == 0.0);
}

/// Strokes that rise from nothing to the top in so many frames, evenly.
static double rise_of(double frames)
{
    uint16_t strength[400] = {0};
    double beats[20];
    for (int i = 0; i < 20; i++) {
        const int top = 10 + EVERY * i;
        beats[i] = top;
        for (int t = top; t > top - frames && t >= 0; t--)
            strength[t] = (uint16_t)lround(8000.0 * (1.0 - (top - t) / frames));
    }
    return beats_rise(strength, 400, beats, 20);
}

static void a_rise_lasts_from_half_of_the_top_to_the_top(void **state)
{
    (void)state;
    for (double frames = 1.0; frames <= 11.0; frames += 0.1)
        assert_near(rise_of(frames), fmax(0.5, frames / 2.0), 1.0 / 16.0);
    assert_near(rise_of(16.0), 6.0, 1.0 / 16.0); // it is followed no further
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beats_are_the_path_of_most_strength_and_least_deviation),
        cmocka_unit_test(beats_follow_a_pulse_that_drifts),
        cmocka_unit_test(a_beat_lies_where_the_curve_is_highest_between_frames),
        cmocka_unit_test(the_usual_interval_is_that_of_two_fifths_only_where_they_are_much_alike),
        cmocka_unit_test(alike_intervals_all_over_the_track_are_no_tempo_of_their_own),
        cmocka_unit_test(stability_is_of_the_median_deviation_from_the_median),
        cmocka_unit_test(a_rise_lasts_from_half_of_the_top_to_the_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
