// SPDX-License-Identifier: MIT
#include "dsp/rhythm/beats.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define PERIOD 21.5
enum { FRAMES = 60000 }; // longer than the paths that are kept at once

/// Peaks three frames wide every PERIOD frames from frame 10 on, and half as high ones between them.
static uint16_t *make_strength(void)
{
    uint16_t *strength = calloc(FRAMES, sizeof(*strength));
    assert_non_null(strength);
    for (double place = 10.0; place < FRAMES - 24; place += PERIOD) {
        const size_t t = (size_t)round(place), between = (size_t)round(place + PERIOD / 2.0);
        strength[t - 1] = 500;
        strength[t] = 4000;
        strength[t + 1] = 500;
        strength[between] = 2000;
    }
    return strength;
}

static void a_long_track_is_followed_without_a_gap(void **state)
{
    (void)state;
    uint16_t *strength = make_strength();
    double *beats;
    uint32_t count;

    assert_int_equal(beats_find(strength, FRAMES, PERIOD, NULL, &beats, &count), 0);

    assert_int_equal(count, (uint32_t)ceil((FRAMES - 24 - 10.0) / PERIOD));
    for (uint32_t i = 0; i < count; i++)
        assert_true(fabs(beats[i] - (10.0 + PERIOD * i)) <= 0.51);
    free(beats);
    free(strength);
}

static void a_shift_moves_every_beat_to_the_top_between(void **state)
{
    (void)state;
    uint16_t *strength = make_strength();
    double beats[] = {10.0, 31.5, 53.0};
    uint32_t count = 3;

    beats_shift(strength, FRAMES, 0.5, beats, &count);

    assert_int_equal(count, 2); // there is no room for one before the first
    assert_true(fabs(beats[0] - 20.75) <= 0.51 && fabs(beats[1] - 42.25) <= 0.51);
    free(strength);
}

static void a_shift_by_a_third_moves_every_beat_a_third_of_the_way(void **state)
{
    (void)state;
    uint16_t strength[128] = {0};
    for (size_t t = 14; t < 128; t += 24)
        strength[t] = 4000;
    double beats[] = {30.0, 54.0, 78.0};
    uint32_t count = 3;

    beats_shift(strength, 128, 1.0 / 3.0, beats, &count);

    assert_int_equal(count, 3); // one before the first, and the last is gone
    for (uint32_t i = 0; i < count; i++)
        assert_true(fabs(beats[i] - (14.0 + 24.0 * i)) <= 0.51);
}

static void a_rise_is_measured_from_half_of_the_top(void **state)
{
    (void)state;
    uint16_t ramp[64] = {0};
    for (uint16_t i = 0; i <= 4; i++)
        ramp[30 + i] =
            (uint16_t)(1000 * i); // half of 4000 is passed at 32, two frames before the top
    const double beats[] = {34.0};

    assert_true(fabs(beats_rise(ramp, 64, beats, 1) - 2.0) < 0.1);
}

static void beats_far_off_the_line_do_not_bend_it(void **state)
{
    (void)state;
    double beats[60];
    for (int i = 0; i < 60; i++)
        beats[i] = 100.0 + 20.0 * i +
                   (i >= 55 ? 6.0 : 0.0); // the last 5 are late: least squares give 20.046
    struct beat_line line;

    assert_int_equal(beats_fit(beats, 60, 20.5, &line), 0);

    assert_true(fabs(line.period_frames - 20.0) < 1e-9);
    assert_true(fabs(line.first_frame - 100.0) < 1e-9);
    assert_true(line.spread < 1e-9);
}

static void beats_that_only_the_others_hid_are_left_out_too(void **state)
{
    (void)state;
    double beats[60];
    for (int i = 0; i < 60; i++)
        beats[i] = 100.0 + 20.0 * i + (i >= 55 ? 6.0 : i >= 51 ? 1.0 : 0.0);
    struct beat_line line;

    assert_int_equal(beats_fit(beats, 60, 20.5, &line), 0);

    assert_true(fabs(line.period_frames - 20.0) < 1e-9); // without the last 5 alone: 20.007
}

static void the_spread_is_the_median_of_what_is_off_the_line(void **state)
{
    (void)state;
    double beats[81];
    for (int i = 0; i < 81; i++)
        beats[i] = 100.0 + 20.0 * i + (i % 2 ? 1.0 : -1.0);
    struct beat_line line;

    assert_int_equal(beats_fit(beats, 81, 20.5, &line), 0);

    // A frame of 20 either way; half as many beats are 1.4826 times as far off in a normal distribution.
    assert_true(fabs(line.period_frames - 20.0) < 1e-9);
    assert_true(fabs(line.spread - 1.4826 / 20.0) < 2e-3);
}

static void a_missed_beat_leaves_a_gap_in_the_numbering(void **state)
{
    (void)state;
    const double beats[] = {10.0, 30.0, 50.0, 90.0, 110.0, 170.0, 190.0};
    struct beat_line line;

    assert_int_equal(beats_fit(beats, 7, 21.0, &line), 0);

    assert_true(fabs(line.period_frames - 20.0) < 1e-9);
}

static void no_beats_are_put_where_a_track_begins_and_ends_without(void **state)
{
    (void)state;
    enum { ALL = 1200, FIRST = 300, LAST = 900, EVERY = 20 };
    uint16_t strength[ALL];
    uint32_t noise = 1;
    for (int t = 0; t < ALL; t++) {
        noise = noise * 1664525u + 1013904223u;
        strength[t] = (uint16_t)(noise >> 23); // up to 511, an eighth of a beat
    }
    for (int t = FIRST; t <= LAST; t += EVERY)
        strength[t] = 4000;
    double *beats;
    uint32_t count;

    assert_int_equal(beats_find(strength, ALL, EVERY, NULL, &beats, &count), 0);

    assert_int_equal(count, (LAST - FIRST) / EVERY + 1);
    assert_true(fabs(beats[0] - FIRST) < 0.5);
    assert_true(fabs(beats[count - 1] - LAST) < 0.5);
    free(beats);
}

static void nothing_has_no_beats(void **state)
{
    (void)state;
    const uint16_t silence[100] = {0};
    double *beats;
    uint32_t count;

    assert_int_equal(beats_find(silence, 100, PERIOD, NULL, &beats, &count), 0);

    assert_null(beats);
    assert_int_equal(count, 0);
}

// Of two intervals the median lies midway, and each is half of their difference off it.
static void three_beats_have_a_stability_and_two_have_none(void **state)
{
    (void)state;
    const double beats[] = {10.0, 30.0, 54.0};
    double stability = -1.0;
    assert_int_equal(beats_stability(beats, 3, &stability), 0);
    assert_true(fabs(stability - 1.0 / (1.0 + 1.4826 * 2.0 / 22.0)) < 1e-12);
    assert_int_equal(beats_stability(beats, 2, &stability), 0);
    assert_true(stability == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_track_is_followed_without_a_gap),
        cmocka_unit_test(a_shift_moves_every_beat_to_the_top_between),
        cmocka_unit_test(a_shift_by_a_third_moves_every_beat_a_third_of_the_way),
        cmocka_unit_test(a_rise_is_measured_from_half_of_the_top),
        cmocka_unit_test(beats_far_off_the_line_do_not_bend_it),
        cmocka_unit_test(beats_that_only_the_others_hid_are_left_out_too),
        cmocka_unit_test(the_spread_is_the_median_of_what_is_off_the_line),
        cmocka_unit_test(a_missed_beat_leaves_a_gap_in_the_numbering),
        cmocka_unit_test(no_beats_are_put_where_a_track_begins_and_ends_without),
        cmocka_unit_test(nothing_has_no_beats),
        cmocka_unit_test(three_beats_have_a_stability_and_two_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
