// SPDX-License-Identifier: MIT
#include "dsp/rhythm/certainty.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BEAT, HALF, DOUBLE, OTHER, READINGS };

/// A beat of 22 frames, its half and double tempo and 3/2 of it, all with something between beats and a clear
/// recurrence; the beat leads each of the others by `lead`.
static void read_levels(struct level_reading readings[READINGS], double lead)
{
    const double periods[READINGS] = {22.0, 44.0, 11.0, 14.67};
    memset(readings, 0, READINGS * sizeof(*readings));
    for (int i = 0; i < READINGS; i++) {
        readings[i].period_frames = periods[i];
        readings[i].odds = i == BEAT ? 3.0 : 3.0 - lead;
        readings[i].evidence[LEVEL_ONCE] = 0.6;
        readings[i].evidence[LEVEL_BETWEEN] = -0.5;
    }
}

static double certainty(const struct level_reading readings[READINGS])
{
    return certainty_of(readings, READINGS, BEAT, HALF);
}

static void certainty_is_the_logistic_of_the_lead(void **state)
{
    (void)state;
    struct level_reading readings[READINGS];

    // Three others, each at exp(-2): log odds of 0.9014 against all, of 2 against the double.
    read_levels(readings, 2.0);
    assert_true(fabs(certainty(readings) -
                     1.0 / (1.0 + exp(-(0.20 + 0.86 * 0.90139 + 0.46 * 2.0)))) < 1e-4);

    // Far ahead, both are held at 3.
    read_levels(readings, 40.0);
    assert_true(fabs(certainty(readings) - 1.0 / (1.0 + exp(-(0.20 + 0.86 * 3.0 + 0.46 * 3.0)))) <
                1e-9);
}

static void only_a_level_twice_as_fast_is_a_double(void **state)
{
    (void)state;
    struct level_reading readings[READINGS];
    read_levels(readings, 4.0);
    const double all_far = certainty(readings);

    readings[OTHER].odds = 2.0;
    const double other_near = certainty(readings);
    readings[OTHER].odds = -1.0;
    readings[DOUBLE].odds = 2.0;
    const double double_near = certainty(readings);
    readings[DOUBLE].period_frames = 11.5; // within 5 % of it
    const double off_double_near = certainty(readings);

    assert_true(other_near < all_far);
    assert_true(double_near < other_near - 0.1);
    assert_true(off_double_near == double_near);
}

static void nothing_between_the_beats_is_doubtful(void **state)
{
    (void)state;
    struct level_reading readings[READINGS];
    read_levels(readings, 2.5);
    const double full = certainty(readings);

    readings[BEAT].evidence[LEVEL_BETWEEN] = -2.0;
    assert_true(fabs(certainty(readings) - full) < 1e-9);
    readings[BEAT].evidence[LEVEL_BETWEEN] = -2.2;
    const double sparse = certainty(readings);
    readings[BEAT].evidence[LEVEL_BETWEEN] = -2.5;
    const double empty = certainty(readings);

    assert_true(full > 0.9 && empty < 0.5 && sparse < full && sparse > empty);
    assert_true(fabs(log(full / (1.0 - full)) - log(empty / (1.0 - empty)) - 2.9) < 1e-9);
}

static void a_next_best_whose_beats_alternate_is_doubt(void **state)
{
    (void)state;
    struct level_reading readings[READINGS];
    read_levels(readings, 2.5);
    const double before = certainty(readings);

    readings[HALF].evidence[LEVEL_ALTERNATES] = 1.0;
    const double after = certainty(readings);
    const double alone = certainty_of(readings, READINGS, BEAT, BEAT);

    assert_true(fabs(log(before / (1.0 - before)) - log(after / (1.0 - after)) - 0.89) < 1e-9);
    assert_true(fabs(alone - before) < 1e-9);
}

static void an_unusual_tempo_of_soft_notes_is_counted_by_other_evidence(void **state)
{
    (void)state;
    struct level_reading readings[READINGS];
    read_levels(readings, 2.5);
    const double strokes = certainty(readings);

    readings[BEAT].evidence[LEVEL_SOFT] = -0.5;
    const double soft = certainty(readings);

    assert_true(fabs(log(soft / (1.0 - soft)) - log(strokes / (1.0 - strokes)) - 0.8) < 1e-9);
}

static void what_hardly_recurs_is_not_evident(void **state)
{
    (void)state;
    struct level_reading readings[READINGS];
    read_levels(readings, 2.5);
    const double clear = certainty(readings);

    readings[BEAT].evidence[LEVEL_ONCE] = 0.05;
    assert_true(fabs(certainty(readings) - 0.5 * clear) < 1e-9);
    readings[BEAT].evidence[LEVEL_ONCE] = 0.0;
    assert_true(certainty(readings) == 0.0);
}

static void one_reading_alone_is_certain_of_itself(void **state)
{
    (void)state;
    struct level_reading readings[READINGS];
    read_levels(readings, 1.0);

    assert_true(certainty_of(readings, 1, BEAT, BEAT) > 0.98);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certainty_is_the_logistic_of_the_lead),
        cmocka_unit_test(only_a_level_twice_as_fast_is_a_double),
        cmocka_unit_test(nothing_between_the_beats_is_doubtful),
        cmocka_unit_test(a_next_best_whose_beats_alternate_is_doubt),
        cmocka_unit_test(an_unusual_tempo_of_soft_notes_is_counted_by_other_evidence),
        cmocka_unit_test(what_hardly_recurs_is_not_evident),
        cmocka_unit_test(one_reading_alone_is_certain_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
