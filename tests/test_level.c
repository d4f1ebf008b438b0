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

static void measure_at(const struct strokes *strokes, double period,
                       double evidence[LEVEL_EVIDENCE])
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
    assert_int_equal(level_measure(onset, lags, period, FRAME_RATE, 0.5, evidence), 0);
    free(lags);
    onset_destroy(&onset);
}

static void measure(const struct strokes *strokes, double evidence[LEVEL_EVIDENCE])
{
    measure_at(strokes, PERIOD, evidence);
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

static void a_beat_with_one_of_its_thirds_is_not_compound(void **state)
{
    (void)state;
    for (int third = 1; third <= 2; third++) {
        static struct strokes strokes;
        double evidence[LEVEL_EVIDENCE];
        memset(&strokes, 0, sizeof(strokes));
        strike(&strokes, 0, 1, 0, LOUD);
        strike(&strokes, 0, 1, third * PERIOD / 3, SOFT);

        measure(&strokes, evidence);

        assert_true(evidence[LEVEL_COMPOUND] == 0.0);
        const double mean = (3.0 + 1.0) / PERIOD; // nothing halfway, nor at both thirds
        const double parts = 3.0 / 4.0;           // the pitch does not change
        assert_true(fabs(evidence[LEVEL_BETWEEN] - parts * fmax(-2.5, log_ratio(0.0, 3.0, mean))) <
                    0.1);
    }
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

static void changes_of_harmony_on_the_beats_count_up_to_a_limit(void **state)
{
    (void)state;
    static struct strokes strokes;
    double evidence[LEVEL_EVIDENCE];
    strike(&strokes, 0, 2, 0, LOUD);

    measure_at(&strokes, 2.0 * PERIOD, evidence);
    assert_true(evidence[LEVEL_HARMONY] == 0.0);
    strokes.chord_beats =
        2; // every beat: the mean is a quarter of the top at most, log(1.0625 / 0.3125) = 1.2
    measure_at(&strokes, 2.0 * PERIOD, evidence);
    assert_true(fabs(evidence[LEVEL_HARMONY] - 0.8) < 1e-9);
    strokes.chord_beats = 4; // every other beat: half of the top on the average, an eighth anywhere
    measure_at(&strokes, 2.0 * PERIOD, evidence);
    assert_true(fabs(evidence[LEVEL_HARMONY] - 0.8) < 1e-9);
}

// In the whole (weight 1) and three parts of four (1/2 each): the pitch does not change.
#define MUCH (2.5 / 3.0)

/// Pairs of strokes so far apart, farther from each other than anything is compared.
static double explained_of_pairs(int apart)
{
    enum { FAR = 300 };
    static struct strokes strokes;
    double evidence[LEVEL_EVIDENCE];
    memset(&strokes, 0, sizeof(strokes));
    for (int t = 20; t + apart < FRAMES; t += FAR)
        strokes.power[t] = strokes.power[t + apart] = LOUD;
    measure(&strokes, evidence);
    return evidence[LEVEL_EXPLAINS];
}

static void what_recurs_sooner_than_four_fifths_of_a_second_is_no_bar_to_be_explained(void **state)
{
    (void)state;
    assert_true(explained_of_pairs(31) == 0.0); // 0.72 s
    // 0.84 s, and no number of beats: every other stroke recurs, of which a twentieth counts as explained.
    assert_true(fabs(explained_of_pairs(36) - log(0.05 / (0.5 * MUCH))) < 0.1);
}

/// Nothing else sounds: what recurs is known from the strokes alone.
static void measure_recurring(int every_frames, double evidence[LEVEL_EVIDENCE])
{
    static struct strokes strokes;
    memset(&strokes, 0, sizeof(strokes));
    for (int t = 0; t < FRAMES; t += every_frames)
        strokes.power[t] = LOUD;
    measure(&strokes, evidence);
}

static int is_much(double recurrence)
{
    return fabs(recurrence - MUCH) < 0.1;
}

static int is_nothing(double recurrence)
{
    return fabs(recurrence) < 0.15;
}

static void what_recurs_is_measured_after_the_times_it_is_named_for(void **state)
{
    (void)state;
    double evidence[LEVEL_EVIDENCE];
    measure_recurring(PERIOD, evidence);
    assert_true(is_much(evidence[LEVEL_ONCE]) && is_much(evidence[LEVEL_BARS]));
    assert_true(is_much(evidence[LEVEL_THREE]) && is_nothing(evidence[LEVEL_THREE_TWO]));
    assert_true(is_nothing(evidence[LEVEL_TWO_THIRDS]));
    assert_true(fabs(evidence[LEVEL_EXPLAINS]) < 0.1);

    measure_recurring(3 * PERIOD / 2, evidence); // in threes of half a beat
    assert_true(is_nothing(evidence[LEVEL_ONCE]) && is_much(evidence[LEVEL_THREE_TWO]));
    assert_true(is_much(evidence[LEVEL_THREE]) && is_much(evidence[LEVEL_BARS]));

    measure_recurring(2 * PERIOD / 3, evidence);
    assert_true(is_nothing(evidence[LEVEL_ONCE]) && is_much(evidence[LEVEL_TWO_THIRDS]));
}

static void a_bar_has_two_to_four_beats_and_a_longer_one_six_or_eight(void **state)
{
    (void)state;
    double evidence[LEVEL_EVIDENCE];
    for (int beats = 2; beats <= 4; beats++) {
        measure_recurring(beats * PERIOD, evidence);
        assert_true(is_nothing(evidence[LEVEL_ONCE]) && is_much(evidence[LEVEL_BARS]));
    }
    for (int beats = 6; beats <= 8; beats += 2) {
        measure_recurring(beats * PERIOD, evidence);
        assert_true(is_nothing(evidence[LEVEL_BARS]) && fabs(evidence[LEVEL_EXPLAINS]) < 0.1);
    }
    measure_recurring(5 * PERIOD, evidence); // a twentieth counts as explained, be it less
    assert_true(is_nothing(evidence[LEVEL_BARS]));
    assert_true(fabs(evidence[LEVEL_EXPLAINS] - log(0.05 / MUCH)) < 0.1);
}

static void
beats_that_stray_by_a_frame_do_so_by_the_deviation_of_a_normal_distribution(void **state)
{
    (void)state;
    static struct strokes even, uneven;
    double evidence[LEVEL_EVIDENCE];
    strike(&even, 0, 1, 0, LOUD);
    strike(&uneven, 1, 2, 1, LOUD);
    strike(&uneven, 2, 2, -1, LOUD);

    measure(&even, evidence);
    assert_true(evidence[LEVEL_UNEVEN] < 1e-9);
    measure(&uneven, evidence);
    assert_true(fabs(evidence[LEVEL_UNEVEN] - 1.4826 / FRAME_RATE) < 1e-3); // in seconds
}

static void beats_that_stray_further_count_up_to_a_limit(void **state)
{
    (void)state;
    static struct strokes swaying;
    double evidence[LEVEL_EVIDENCE];
    // By up to 5 frames in 20 beats: the median of what they stray by is 5 sin 45 degrees, 0.12 s as a deviation.
    for (int beat = 1; beat < BEATS; beat++)
        swaying.power[beat * PERIOD + (int)round(5.0 * sin(2.0 * M_PI * beat / 20.0))] = LOUD;

    measure(&swaying, evidence);

    assert_true(fabs(evidence[LEVEL_UNEVEN] - 0.075) < 1e-12);
}

static void how_usual_a_tempo_is_counts_less_for_soft_notes(void **state)
{
    (void)state;
    double evidence[LEVEL_EVIDENCE];
    measure_recurring(PERIOD, evidence); // with a softness of 1/2
    const double octaves = log2(60.0 * FRAME_RATE / PERIOD / 120.0);

    assert_true(fabs(evidence[LEVEL_FAST] - octaves) < 1e-9);
    assert_true(fabs(evidence[LEVEL_USUAL] + 0.5 * pow(octaves / 0.7, 2.0)) < 1e-9);
    assert_true(fabs(evidence[LEVEL_SOFT] - 0.5 * evidence[LEVEL_USUAL]) < 1e-12);
    const double slow[LEVEL_EVIDENCE] = {[LEVEL_USUAL] = -1.0};
    const double slow_and_soft[LEVEL_EVIDENCE] = {[LEVEL_USUAL] = -1.0, [LEVEL_SOFT] = -0.5};
    assert_true(level_weigh(slow) < level_weigh(slow_and_soft));
    const double no_stroke[LEVEL_EVIDENCE] = {[LEVEL_USUAL] = -1.0, [LEVEL_SOFT] = -2.75};
    assert_true(fabs(level_weigh(no_stroke)) < 1e-12); // so soft, any tempo is as usual
    assert_true(level_softness(0.66) == 0.0 && level_softness(1.0) == 0.0);
    assert_true(fabs(level_softness(3.5) - 2.5) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beat_in_three_is_compound_and_a_beat_in_two_is_not),
        cmocka_unit_test(a_beat_with_one_of_its_thirds_is_not_compound),
        cmocka_unit_test(strokes_in_twos_are_not_compound_for_a_pulse_of_three_of_them),
        cmocka_unit_test(the_weakest_beat_of_four_is_measured_against_anywhere),
        cmocka_unit_test(a_missing_beat_of_four_speaks_against_the_pulse),
        cmocka_unit_test(chords_that_change_once_a_bar_speak_for_its_beats),
        cmocka_unit_test(loud_and_soft_beats_alternate_loud_ones_and_silence_do_not),
        cmocka_unit_test(changes_of_harmony_on_the_beats_count_up_to_a_limit),
        cmocka_unit_test(what_recurs_sooner_than_four_fifths_of_a_second_is_no_bar_to_be_explained),
        cmocka_unit_test(what_recurs_is_measured_after_the_times_it_is_named_for),
        cmocka_unit_test(a_bar_has_two_to_four_beats_and_a_longer_one_six_or_eight),
        cmocka_unit_test(
            beats_that_stray_by_a_frame_do_so_by_the_deviation_of_a_normal_distribution),
        cmocka_unit_test(beats_that_stray_further_count_up_to_a_limit),
        cmocka_unit_test(how_usual_a_tempo_is_counts_less_for_soft_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
