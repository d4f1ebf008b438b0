// SPDX-License-Identifier: MIT
#include "dsp/rhythm/phase.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RATE_HZ 22050.0
enum { PERIOD = 24, BEATS = 40, FRAMES = BEATS * PERIOD };
// Bins of 10.8 Hz: below 150 Hz lies what is heavy, above 2.5 kHz a hat.
enum { HEAVY_BIN = 6, LIGHT_BIN = 400 };

/// Light strokes on every beat, heavy ones `place` frames into every `every`-th; they last three frames.
static struct onset *make(int place, int every)
{
    struct onset *onset;
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < FRAMES; t++) {
        float power[ONSET_BINS];
        for (int k = 0; k < ONSET_BINS; k++)
            power[k] = 1e-4f;
        for (int k = 0; k < 200 && t % PERIOD < 3; k++)
            power[LIGHT_BIN + k] = 1.0f;
        const int since = (t - place + PERIOD * every) % (PERIOD * every);
        for (int k = 0; k < 4 && since < 3; k++)
            power[HEAVY_BIN + k] = 100.0f;
        onset_push(onset, power);
    }
    return onset;
}

static double choose_from(int first, struct onset *onset, uint32_t count)
{
    double beats[BEATS];
    for (int i = 0; i < BEATS; i++)
        beats[i] = (first + i) * PERIOD;
    const double share = phase_choose(onset, beats, count);
    onset_destroy(&onset);
    return share;
}

static double choose(struct onset *onset, uint32_t count)
{
    return choose_from(0, onset, count);
}

static void beats_stay_where_the_weight_is(void **state)
{
    (void)state;
    assert_true(choose(make(0, 1), BEATS) == 0.0);
    assert_true(choose(make(0, 4), BEATS) == 0.0);
}

static void beats_move_to_the_weight_between_them(void **state)
{
    (void)state;
    for (int every = 1; every <= 4; every += 3) { // on every beat, and once a bar
        assert_true(choose(make(PERIOD / 2, every), BEATS) == 1.0 / 2.0);
        assert_true(choose(make(PERIOD / 3, every), BEATS) == 1.0 / 3.0);
        assert_true(choose(make(2 * PERIOD / 3, every), BEATS) == 2.0 / 3.0);
    }
}

static void weight_at_a_quarter_moves_no_beat(void **state)
{
    (void)state;
    assert_true(choose(make(PERIOD / 4, 1), BEATS) == 0.0);
    assert_true(choose(make(3 * PERIOD / 4, 1), BEATS) == 0.0);
}

/// Heavy and light strokes on every beat, as make() has them, and chords that change `place` frames into every fourth:
/// what lies from 400 Hz to 2 kHz is of one shape or of another at right angles to it.
static struct onset *make_chords(int place)
{
    struct onset *onset;
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < FRAMES; t++) {
        float power[ONSET_BINS];
        const int chord = (t - place + 4 * PERIOD) / (4 * PERIOD) % 2;
        for (int k = 0; k < ONSET_BINS; k++)
            power[k] = k >= 40 && k < 180 && k % 2 == chord ? 100.0f : 1e-4f;
        for (int k = 0; k < 200 && t % PERIOD < 3; k++)
            power[LIGHT_BIN + k] = 1.0f;
        for (int k = 0; k < 4 && t % PERIOD < 3; k++)
            power[HEAVY_BIN + k] = 1.0f;
        onset_push(onset, power);
    }
    return onset;
}

static void chords_that_change_once_a_bar_between_beats_outweigh_strokes_on_all(void **state)
{
    (void)state;
    assert_true(choose(make_chords(0), BEATS) == 0.0);
    assert_true(choose(make_chords(PERIOD / 2), BEATS) == 1.0 / 2.0);
    assert_true(choose(make_chords(PERIOD / 4), BEATS) == 0.0);
}

/// Heavy strokes on every beat, and `place` frames behind it others that stand out of silence by `more` times as much.
static struct onset *make_two(int place, double more)
{
    struct onset *onset;
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < FRAMES; t++) {
        float power[ONSET_BINS];
        const int is_on = t % PERIOD < 3, is_between = (t - place + PERIOD) % PERIOD < 3;
        for (int k = 0; k < ONSET_BINS; k++)
            power[k] = 1.0f;
        for (int k = 0; k < 10 && (is_on || is_between); k++)
            power[HEAVY_BIN + k] = (float)exp(is_on ? 2.0 : 2.0 * more);
        onset_push(onset, power);
    }
    return onset;
}

// Half of the evidence that it takes, and half as much again.
static void a_little_more_weight_between_beats_moves_none(void **state)
{
    (void)state;
    static const struct {
        int place;
        double little, enough, share;
    } cases[] = {{PERIOD / 2, 1.35, 1.56, 1.0 / 2.0},
                 {PERIOD / 3, 2.27, 2.36, 1.0 / 3.0},        // masked by the beat before
                 {2 * PERIOD / 3, 0.495, 0.521, 2.0 / 3.0}}; // which masks the next
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(choose(make_two(cases[i].place, cases[i].little), BEATS) == 0.0);
        assert_true(choose(make_two(cases[i].place, cases[i].enough), BEATS) == cases[i].share);
    }
}

enum { SLOTS = 8, NO_HATS = 0 };

/// Heavy strokes, all alike, at the set ones of SLOTS slots of `slot` frames, again and again; light ones every
/// `hats` frames, over a chord that never changes.
static struct onset *make_pattern(const char heavy[SLOTS + 1], int slot, int hats)
{
    struct onset *onset;
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < FRAMES; t++) {
        float power[ONSET_BINS];
        for (int k = 0; k < ONSET_BINS; k++)
            power[k] = k >= 40 && k < 180 ? 100.0f : 1e-4f;
        for (int k = 0; k < 4 && t % slot < 3 && heavy[t / slot % SLOTS] == 'x'; k++)
            power[HEAVY_BIN + k] = 100.0f;
        for (int k = 0; k < 200 && hats != NO_HATS && t % hats < 3; k++)
            power[LIGHT_BIN + k] = 1.0f;
        onset_push(onset, power);
    }
    return onset;
}

/// All but the first bar, before which nothing sounds.
static double choose_in(const char heavy[SLOTS + 1], int slot, int hats)
{
    return choose_from(4, make_pattern(heavy, slot, hats), BEATS - 4);
}

static void a_short_heavy_stroke_leads_to_the_beat_after_it(void **state)
{
    (void)state;
    // Of the strokes of a bossa nova as many lie on the beats as halfway: what differs is that they lead to beats.
    assert_true(choose_in("x..xx..x", PERIOD / 2, PERIOD / 2) == 0.0);
    assert_true(choose_in("xx..xx..", PERIOD / 2, PERIOD / 2) == 1.0 / 2.0);
    // Where they are as far apart as can be, they lead nowhere.
    assert_true(choose_in("x..x..x.", PERIOD / 2, PERIOD / 2) == 0.0);
}

static void strokes_a_quarter_before_the_beats_are_no_beats(void **state)
{
    (void)state;
    assert_true(choose_in("x...x...", PERIOD / 4, PERIOD / 4) == 0.0);
    assert_true(choose_in("xx..xx..", PERIOD / 4, PERIOD / 4) == 1.0 / 4.0);
}

static void a_doubled_stroke_moves_no_beat_that_higher_ones_mark(void **state)
{
    (void)state;
    assert_true(choose_in("xx..xx..", PERIOD / 2, PERIOD) == 0.0);
}

static void five_beats_are_left_where_they_are(void **state)
{
    (void)state;
    assert_true(choose(make(PERIOD / 2, 1), 5) == 0.0);
    assert_true(choose(make(PERIOD / 2, 1), 6) == 1.0 / 2.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beats_stay_where_the_weight_is),
        cmocka_unit_test(beats_move_to_the_weight_between_them),
        cmocka_unit_test(weight_at_a_quarter_moves_no_beat),
        cmocka_unit_test(chords_that_change_once_a_bar_between_beats_outweigh_strokes_on_all),
        cmocka_unit_test(a_little_more_weight_between_beats_moves_none),
        cmocka_unit_test(a_short_heavy_stroke_leads_to_the_beat_after_it),
        cmocka_unit_test(strokes_a_quarter_before_the_beats_are_no_beats),
        cmocka_unit_test(a_doubled_stroke_moves_no_beat_that_higher_ones_mark),
        cmocka_unit_test(five_beats_are_left_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
