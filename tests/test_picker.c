// SPDX-License-Identifier: MIT
#include "dsp/rhythm/onset.h"
#include "dsp/rhythm/picker.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define FRAME_RATE 43.06640625
enum { SHORTEST = 2 }; // frames: 30 ms are one frame, which may not hold another

/// Onsets one frame wide after intervals that are given in turn. @return what is picked.
static struct picked pick(const int *intervals, int kinds, int count)
{
    size_t frames = 10;
    for (int i = 0; i < count; i++)
        frames += (size_t)intervals[i % kinds];
    uint16_t *strength = calloc(frames, sizeof(*strength));
    assert_non_null(strength);
    size_t t = 5;
    for (int i = 0; i < count; i++) {
        strength[t] = ONSET_SCALE;
        t += (size_t)intervals[i % kinds];
    }
    const struct picked picked = picker_pick(strength, frames, FRAME_RATE, NULL);
    free(strength);
    return picked;
}

static void even_onsets_have_no_unevenness(void **state)
{
    (void)state;
    const int intervals[] = {17};

    const struct picked picked = pick(intervals, 1, 40);

    assert_int_equal(picked.count, 40);
    assert_true(fabs(picked.weight - 40.0) < 1e-12);
    assert_true(picked.unevenness < 1e-12);
}

static void unevenness_is_the_deviation_over_the_mean_above_the_shortest(void **state)
{
    (void)state;
    const int intervals[] = {10, 20}; // an odd count of onsets has as many of either

    const struct picked picked = pick(intervals, 2, 41);

    assert_int_equal(picked.count, 41);
    assert_true(fabs(picked.unevenness - 5.0 / (15.0 - SHORTEST)) < 1e-12);
}

static void onsets_at_random_have_an_unevenness_of_one(void **state)
{
    (void)state;
    enum { ONSETS = 4000 };
    static int intervals[ONSETS];
    uint32_t seed = 1;
    for (int i = 0; i < ONSETS; i++) { // exponential above the shortest that never merges
        seed = seed * 1664525u + 1013904223u;
        intervals[i] = SHORTEST + (int)round(-40.0 * log((seed + 1.0) / 4294967297.0));
    }

    const struct picked picked = pick(intervals, ONSETS, ONSETS);

    assert_true(picked.count > 0.95 * ONSETS);
    assert_true(fabs(picked.unevenness - 1.0) < 0.06);
}

static void what_stands_out_too_little_is_no_onset(void **state)
{
    (void)state;
    uint16_t strength[64] = {0};
    strength[20] = (uint16_t)(0.10 * ONSET_SCALE);
    strength[40] = (uint16_t)(0.16 * ONSET_SCALE); // less a share of itself in the mean around it

    assert_int_equal(picker_pick(strength, 64, FRAME_RATE, NULL).count, 1);
}

/// A lone frame under a triangle of 31 ms either side: its own share, and that of the frames beside it.
static double triangle(int away)
{
    const double beside = 1.0 - 1.0 / (0.031 * FRAME_RATE);
    return (away ? beside : 1.0) / (1.0 + 2.0 * beside);
}

/// The mean around it is taken 100 ms before (4.31 frames, so 3 and 0.81 of the fourth) and a frame after.
static const double AROUND = 1.0 + 3.0 + (0.1 * FRAME_RATE - 3.5) + 1.0;

static double weight_of(double margin)
{
    return fmax(0.0, fmin(1.0, 0.5 + 0.5 * margin / 0.06));
}

/// A lone top is a part of the mean around it, with all of what it is under the triangle.
static void what_hardly_stands_out_counts_in_part(void **state)
{
    (void)state;
    const double over_mean = triangle(0) - 1.0 / AROUND;
    const struct {
        double out, weight;
    } cases[] = {{0.02, 0.0}, {0.055, 0.25}, {0.085, 0.5}, {0.115, 0.75}, {0.15, 1.0}, {2.0, 1.0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint16_t strength[64] = {0};
        strength[30] = (uint16_t)lround(cases[i].out / over_mean * ONSET_SCALE);

        const double weight = picker_pick(strength, 64, FRAME_RATE, NULL).weight;

        assert_true(fabs(weight - cases[i].weight) < 2e-3);
    }
}

/// The second may be a little less than the first, or the same. Were both counted, or none, the weight would be twice
/// this, or nothing.
static void two_frames_that_hardly_stand_out_count_once(void **state)
{
    (void)state;
    for (double second = 0.9; second < 1.05; second += 0.1) {
        const double here = triangle(0) + second * triangle(1);
        const double next = triangle(1) + second * triangle(0);
        const double mean = (triangle(1) + here + next) / AROUND;
        uint16_t strength[64] = {0};
        strength[30] = (uint16_t)lround(0.17 * ONSET_SCALE);
        strength[31] = (uint16_t)lround(second * 0.17 * ONSET_SCALE);

        const double weight = picker_pick(strength, 64, FRAME_RATE, NULL).weight;

        assert_true(weight > 0.3 && weight < 0.7);
        assert_true(fabs(weight - weight_of(0.17 * (here - mean) - 0.085)) < 4e-3);
    }
}

/// The same sounds at 43 and at 46.9 frames a second, which fall on frames or between them as it happens.
static void the_frame_rate_makes_no_odds_to_the_weight(void **state)
{
    (void)state;
    double weights[2];
    for (int r = 0; r < 2; r++) {
        const double rate_hz = r ? 46.875 : FRAME_RATE;
        uint16_t strength[1024] = {0};
        for (int i = 0; i < 100; i++) {
            const double at = (0.5 + 0.191 * i) * rate_hz, share = at - floor(at);
            strength[(int)at] = (uint16_t)((1.0 - share) * ONSET_SCALE);
            strength[(int)at + 1] = (uint16_t)(share * ONSET_SCALE);
        }
        weights[r] = picker_pick(strength, 1024, rate_hz, NULL).weight;
    }
    assert_true(fabs(weights[0] - 100.0) < 0.01 && fabs(weights[1] - 100.0) < 0.01);
}

static void onsets_are_told_by_their_frames(void **state)
{
    (void)state;
    uint16_t strength[64] = {0};
    double onsets[2] = {0.0};
    strength[20] = strength[33] = ONSET_SCALE;

    assert_int_equal(picker_pick(strength, 64, FRAME_RATE, onsets).count, 2);

    assert_true(onsets[0] == 20.0 && onsets[1] == 33.0);
}

static void fewer_than_three_onsets_are_no_series(void **state)
{
    (void)state;
    const int intervals[] = {17};

    assert_true(isinf(pick(intervals, 1, 2).unevenness));
    assert_true(pick(intervals, 1, 3).unevenness < 1e-12);
    assert_int_equal(picker_pick(NULL, 0, FRAME_RATE, NULL).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even_onsets_have_no_unevenness),
        cmocka_unit_test(unevenness_is_the_deviation_over_the_mean_above_the_shortest),
        cmocka_unit_test(onsets_at_random_have_an_unevenness_of_one),
        cmocka_unit_test(what_stands_out_too_little_is_no_onset),
        cmocka_unit_test(what_hardly_stands_out_counts_in_part),
        cmocka_unit_test(two_frames_that_hardly_stand_out_count_once),
        cmocka_unit_test(the_frame_rate_makes_no_odds_to_the_weight),
        cmocka_unit_test(onsets_are_told_by_their_frames),
        cmocka_unit_test(fewer_than_three_onsets_are_no_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
