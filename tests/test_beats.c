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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_track_is_followed_without_a_gap),
        cmocka_unit_test(a_shift_moves_every_beat_to_the_top_between),
        cmocka_unit_test(a_shift_by_a_third_moves_every_beat_a_third_of_the_way),
        cmocka_unit_test(a_rise_is_measured_from_half_of_the_top),
        cmocka_unit_test(nothing_has_no_beats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
