// SPDX-License-Identifier: MIT
#include "dsp/rhythm/level.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RATE_HZ    22050.0
#define FRAME_RATE 43.06640625
enum { PERIOD = 24, BEATS = 60, FRAMES = BEATS * PERIOD };

/// Strokes: by how much the power over the whole spectrum is larger in a frame than in silence.
/// The lows are in turn those of one chord and of another, each for so many beats; 0: neither.
struct strokes {
    float power[FRAMES];
    int chord_beats;
};

/// A stroke at `place` frames into every `every`-th beat from `first` on.
static void strike(struct strokes *strokes, int first, int every, int place, float power)
{
    for (int beat = first; beat < BEATS; beat += every)
        strokes->power[beat * PERIOD + place] = power;
}

/// Eight bins are of the one chord, eight of the other, and so on.
static float chord_gain(const struct strokes *strokes, int t, int bin)
{
    if (strokes->chord_beats == 0 || bin >= 96)
        return 1.0f;
    return t / (PERIOD * strokes->chord_beats) % 2 == bin / 8 % 2 ? 100.0f : 1.0f;
}

static void measure(const struct strokes *strokes, double evidence[LEVEL_EVIDENCE])
{
    struct onset *onset;
    struct lags *lags = calloc(1, sizeof(*lags));
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < FRAMES; t++) {
        float power[ONSET_BINS];
        for (int k = 0; k < ONSET_BINS; k++)
            power[k] = (1.0f + strokes->power[t]) * chord_gain(strokes, t, k);
        onset_push(onset, power);
    }
    assert_non_null(lags);
    assert_int_equal(lags_measure(lags, onset, FRAME_RATE), 0);
    assert_int_equal(level_measure(onset, lags, PERIOD, FRAME_RATE, evidence), 0);
    free(lags);
    onset_destroy(&onset);
}

// A beat is LOUD, what lies between is SOFT: e^3 and e^1 times silence, so strengths are as 3 to 1.
#define LOUD 19.0855369f
#define SOFT 1.71828183f

/// log((a + floor) / (b + floor)) with the floor that chance has: a quarter of the mean, and 1/1000.
static double log_ratio(double a, double b, double mean)
{
    const double floor = 0.25 * mean + 1e-3;
    return log((a + floor) / (b + floor));
}

static void a_beat_in_three_is_compound_and_a_beat_in_two_is_not(void **state)
{
    (void)state;
    static struct strokes in_three, in_two, in_six;
    double evidence[LEVEL_EVIDENCE];
    strike(&in_three, 0, 1, 0, LOUD);
    strike(&in_three, 0, 1, PERIOD / 3, SOFT);
    strike(&in_three, 0, 1, 2 * PERIOD / 3, SOFT);
    strike(&in_two, 0, 1, 0, LOUD);
    strike(&in_two, 0, 1, PERIOD / 2, SOFT);
    in_six = in_three;
    strike(&in_six, 0, 1, PERIOD / 2, SOFT);

    measure(&in_three, evidence);
    assert_true(evidence[LEVEL_COMPOUND] > 0.5);
    measure(&in_two, evidence);
    assert_true(evidence[LEVEL_COMPOUND] == 0.0);
    measure(&in_six, evidence);
    assert_true(fabs(evidence[LEVEL_COMPOUND]) < 0.01);
}

static void strokes_in_twos_are_not_compound_for_a_pulse_of_three_of_them(void **state)
{
    (void)state;
    static struct strokes strokes;
    double evidence[LEVEL_EVIDENCE];
    for (int t = 0; t < FRAMES; t += PERIOD / 3) // every other one loud: beats of 2/3 of the period
        strokes.power[t] = t % (2 * PERIOD / 3) ? SOFT : LOUD;

    measure(&strokes, evidence);

    assert_true(evidence[LEVEL_COMPOUND] < 0.1);
}

static void the_weakest_beat_of_four_is_measured_against_anywhere(void **state)
{
    (void)state;
    static struct strokes strokes;
    double evidence[LEVEL_EVIDENCE];
    strike(&strokes, 0, 1, 0, LOUD);
    strike(&strokes, 2, 4, 0, SOFT);

    measure(&strokes, evidence);

    const double mean = (3.0 * 3.0 + 1.0) / 4.0 / PERIOD; // strengths in units of e times silence
    assert_true(fabs(evidence[LEVEL_WEAKEST] - log_ratio(1.0, mean, mean)) < 0.1);
}

static void a_missing_beat_of_four_speaks_against_the_pulse(void **state)
{
    (void)state;
    static struct strokes strokes;
    double evidence[LEVEL_EVIDENCE];
    strike(&strokes, 0, 1, 0, LOUD);
    strike(&strokes, 3, 4, 0, 0.0f);

    measure(&strokes, evidence);

    const double mean = 3.0 * 3.0 / 4.0 / PERIOD;
    assert_true(fabs(evidence[LEVEL_WEAKEST] - log_ratio(0.0, mean, mean)) < 0.1);
}

static void loud_and_soft_beats_alternate_loud_ones_and_silence_do_not(void **state)
{
    (void)state;
    static struct strokes taking_turns, missing;
    double evidence[LEVEL_EVIDENCE];
    strike(&taking_turns, 0, 2, 0, LOUD);
    strike(&taking_turns, 1, 2, 0, SOFT);
    strike(&missing, 0, 2, 0, LOUD);
    strike(&missing, 1, 2, PERIOD / 2, SOFT);

    measure(&taking_turns, evidence);
    const double mean = (3.0 + 1.0) / 2.0 / PERIOD;
    // In three parts of four: the pitch does not change.
    assert_true(fabs(evidence[LEVEL_ALTERNATES] - 0.75 * log_ratio(3.0, 1.0, mean)) < 0.1);
    measure(&missing, evidence);
    assert_true(evidence[LEVEL_ALTERNATES] == 0.0);
}

static void chords_that_change_once_a_bar_speak_for_its_beats(void **state)
{
    (void)state;
    static struct strokes strokes;
    double evidence[LEVEL_EVIDENCE];
    strike(&strokes, 0, 1, 0, LOUD);

    measure(&strokes, evidence);
    assert_true(evidence[LEVEL_CHORDS] == 0.0);
    strokes.chord_beats = 4;
    measure(&strokes, evidence);
    // A change is heard 12 frames to either side, less than linearly: over 4 beats of 24 frames the mean is an
    // eighth of the top at most. The logarithm of (8 + 1/4) / (1 + 1/4) is beyond the limit.
    assert_true(fabs(evidence[LEVEL_CHORDS] - 1.2) < 1e-9);
    strokes.chord_beats = 1; // the mean is half of the top at most
    measure(&strokes, evidence);
    assert_true(evidence[LEVEL_CHORDS] > log((2.0 + 0.25) / (1.0 + 0.25)));
    assert_true(evidence[LEVEL_CHORDS] < 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beat_in_three_is_compound_and_a_beat_in_two_is_not),
        cmocka_unit_test(strokes_in_twos_are_not_compound_for_a_pulse_of_three_of_them),
        cmocka_unit_test(the_weakest_beat_of_four_is_measured_against_anywhere),
        cmocka_unit_test(a_missing_beat_of_four_speaks_against_the_pulse),
        cmocka_unit_test(chords_that_change_once_a_bar_speak_for_its_beats),
        cmocka_unit_test(loud_and_soft_beats_alternate_loud_ones_and_silence_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
