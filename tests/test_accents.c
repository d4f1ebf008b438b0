// SPDX-License-Identifier: MIT
#include "dsp/rhythm/accents.h"
#include "dsp/rhythm/onset.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BEATS = 25, PERIOD = 96, FRAMES = BEATS * PERIOD };

struct track {
    uint16_t strength[FRAMES];
    double beats[BEATS];
};

static struct track make_beats(void)
{
    struct track track = {.strength = {0}};
    for (int i = 0; i < BEATS; i++)
        track.beats[i] = i * PERIOD;
    return track;
}

static struct accents measure(const struct track *track)
{
    return accents_measure(track->strength, FRAMES, track->beats, BEATS);
}

static int is(double value, double truth)
{
    return fabs(value - truth) < 1e-9;
}

static void each_place_is_measured_where_it_lies(void **state)
{
    (void)state;
    struct track track = make_beats();
    for (int i = 0; i < BEATS; i++) {
        track.strength[i * PERIOD] = 4 * ONSET_SCALE;
        track.strength[i * PERIOD + PERIOD / 3] = 3 * ONSET_SCALE;
        track.strength[i * PERIOD + PERIOD / 2] = 2 * ONSET_SCALE;
        track.strength[i * PERIOD + 2 * PERIOD / 3] = ONSET_SCALE;
        track.strength[i * PERIOD + PERIOD / 4] = 6 * ONSET_SCALE;
        track.strength[i * PERIOD + 3 * PERIOD / 4] = 5 * ONSET_SCALE;
    }

    const struct accents accents = measure(&track);

    assert_true(is(accents.at[ACCENT_ON], 4.0) && is(accents.at[ACCENT_THIRD], 3.0));
    assert_true(is(accents.at[ACCENT_HALFWAY], 2.0) && is(accents.at[ACCENT_TWO_THIRDS], 1.0));
    assert_true(is(accents.at[ACCENT_QUARTER], 6.0) && is(accents.at[ACCENT_THREE_QUARTERS], 5.0));
    assert_true(is(accents.mean, 21.0 / PERIOD));
}

static void a_pair_is_as_strong_as_the_weaker_of_the_two(void **state)
{
    (void)state;
    struct track track = make_beats();
    for (int i = 0; i < BEATS;
         i++) { // 24 beats are counted, and the 23 pairs from each to the next
        track.strength[i * PERIOD] = (uint16_t)(i % 2 ? 4 : 2) * ONSET_SCALE;
        track.strength[i * PERIOD + PERIOD / 2] = 3 * ONSET_SCALE;
        track.strength[i * PERIOD + PERIOD / 4] = 1 * ONSET_SCALE;
        track.strength[i * PERIOD + 2 * PERIOD / 3] = 5 * ONSET_SCALE;
    }

    const struct accents accents = measure(&track);

    assert_true(is(accents.pair_after[ACCENT_HALFWAY], (12 * 2.0 + 11 * 3.0) / 23.0));
    assert_true(is(accents.pair_before[ACCENT_HALFWAY], (12 * 3.0 + 11 * 2.0) / 23.0));
    assert_true(is(accents.pair_after[ACCENT_QUARTER], 1.0));
    assert_true(is(accents.pair_before[ACCENT_QUARTER], 0.0)); // nothing at three quarters
    assert_true(is(accents.pair_after[ACCENT_THIRD], 0.0));
    assert_true(is(accents.pair_before[ACCENT_THIRD], (12 * 4.0 + 11 * 2.0) / 23.0));
}

static void one_strong_beat_in_a_bar_is_found_in_bars_of_two_three_and_four(void **state)
{
    (void)state;
    for (int bar = 2; bar <= 4; bar++) {
        for (int first = 0; first < bar; first++) {
            struct track track = make_beats();
            for (int i = 0; i < BEATS; i++)
                track.strength[i * PERIOD] = (i % bar == first ? 4 : 1) * ONSET_SCALE;

            const struct accents accents = measure(&track);

            assert_true(is(accents.strongest[ACCENT_ON], 4.0));
            assert_true(is(accents.at[ACCENT_ON], 1.0 + 3.0 / bar)); // 24 beats are counted
            assert_true(is(accents.strongest[ACCENT_HALFWAY], 0.0));
        }
    }
}

static void every_other_beat_is_told_from_the_rest(void **state)
{
    (void)state;
    struct track track = make_beats();
    for (int i = 0; i < BEATS; i++)
        track.strength[i * PERIOD] = (i % 2 ? 1 : 3) * ONSET_SCALE;

    const struct accents accents = measure(&track);

    assert_true(is(accents.even, 3.0) && is(accents.odd, 1.0));
}

static void one_weak_beat_in_four_is_found_wherever_it_lies(void **state)
{
    (void)state;
    for (int first = 0; first < 4; first++) {
        struct track track = make_beats();
        for (int i = 0; i < BEATS; i++)
            track.strength[i * PERIOD] = (i % 4 == first ? 1 : 4) * ONSET_SCALE;

        assert_true(is(measure(&track).weakest, 1.0));
    }
}

static void silence_against_a_beat_is_held_at_the_limit(void **state)
{
    (void)state;
    struct track track = make_beats();
    for (int i = 0; i < BEATS; i++)
        track.strength[i * PERIOD] = 15 * ONSET_SCALE;
    const struct accents accents = measure(&track);

    assert_true(is(accents_log_ratio(&accents, accents.at[ACCENT_HALFWAY], accents.at[ACCENT_ON]),
                   -ACCENTS_LIMIT));
    assert_true(is(accents_log_ratio(&accents, 1.0, 1.0), 0.0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_place_is_measured_where_it_lies),
        cmocka_unit_test(a_pair_is_as_strong_as_the_weaker_of_the_two),
        cmocka_unit_test(one_strong_beat_in_a_bar_is_found_in_bars_of_two_three_and_four),
        cmocka_unit_test(every_other_beat_is_told_from_the_rest),
        cmocka_unit_test(one_weak_beat_in_four_is_found_wherever_it_lies),
        cmocka_unit_test(silence_against_a_beat_is_held_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
