// SPDX-License-Identifier: MIT
#include "engine/render/match.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka.h wants those above it
#include <cmocka.h>

static struct mastering_targets calibrated(double predicted_lufs)
{
    return (struct mastering_targets){.predicted_lufs = predicted_lufs, .makeup_db = 3.0};
}

static double decibels(float gain)
{
    return 20 * log10((double)gain);
}

static void the_louder_side_is_lowered_by_the_difference_and_the_other_left_alone(void **state)
{
    (void)state;
    // A crushed track of -9 LUFS, mastered to -14: plain is 5 dB louder.
    const struct mastering_targets quieter = calibrated(-14.0), louder = calibrated(-14.25);
    struct match match = match_of_lift(match_lift_db(&quieter, -9.0), 3.0);
    assert_true(match.mastered == 1.0f);
    assert_float_equal(decibels(match.plain), -5.0, 1e-5);
    // A quiet one of -20 LUFS, whose peaks forbid to raise it.
    match = match_of_lift(match_lift_db(&louder, -20.0), 0.0);
    assert_true(match.plain == 1.0f);
    assert_float_equal(decibels(match.mastered), -5.75, 1e-5);
}

static void equally_loud_sides_both_keep_their_bits(void **state)
{
    (void)state;
    const struct match match = match_of_lift(0.0, 7.0);
    assert_true(match.mastered == 1.0f && match.plain == 1.0f);
}

static void before_calibration_and_without_a_loudness_the_makeup_counts(void **state)
{
    (void)state;
    const struct mastering_targets measured = calibrated(-14.0), not_yet = calibrated(NAN),
                                   silent = calibrated(-70.0);
    assert_true(match_lift_db(&measured, -15.5) == 1.5);
    assert_true(match_lift_db(&not_yet, -15.5) == 3.0);
    assert_true(match_lift_db(&measured, NAN) == 3.0); // no analysis yet
    assert_true(match_lift_db(&measured, -70.0) == 3.0);
    assert_true(match_lift_db(&silent, -15.5) == 3.0);
}

static void plain_sound_is_raised_as_far_as_its_peaks_allow(void **state)
{
    (void)state;
    const struct mastering_targets targets = {.ceiling_dbtp = -1.0};
    assert_true(match_headroom_db(&targets, -9.0) == 8.0);
    assert_true(match_headroom_db(&targets, -0.5) == 0.0); // over it by itself
    assert_true(match_headroom_db(&targets, NAN) == 0.0);
    const struct match all = match_of_lift(5.0, 8.0), part = match_of_lift(5.0, 3.0);
    assert_true(all.mastered == 1.0f); // going over to plain sound is no step
    assert_float_equal(decibels(all.plain), 5.0, 1e-5);
    assert_float_equal(decibels(part.mastered), -2.0, 1e-5);
    assert_float_equal(decibels(part.plain), 3.0, 1e-5);
}

static void no_lift_ever_raises_a_side_above_its_headroom(void **state)
{
    (void)state;
    for (double lift_db = -40; lift_db <= 40; lift_db += 0.37) {
        const double headroom_db = fmod(lift_db + 40, 11);
        const struct match match = match_of_lift(lift_db, headroom_db);
        assert_true(match.mastered <= 1.0f && decibels(match.plain) <= headroom_db + 1e-5);
        const double apart_db = decibels(match.plain) - decibels(match.mastered);
        assert_true(fabs(apart_db - lift_db) < 1e-4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_louder_side_is_lowered_by_the_difference_and_the_other_left_alone),
        cmocka_unit_test(equally_loud_sides_both_keep_their_bits),
        cmocka_unit_test(before_calibration_and_without_a_loudness_the_makeup_counts),
        cmocka_unit_test(plain_sound_is_raised_as_far_as_its_peaks_allow),
        cmocka_unit_test(no_lift_ever_raises_a_side_above_its_headroom),
    };
    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
