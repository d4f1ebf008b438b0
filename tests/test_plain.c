// SPDX-License-Identifier: MIT
#include "dsp/rhythm/plain.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RATE_HZ    22050.0
#define FRAME_RATE 43.06640625
enum { FRAMES = 2000, LOW_BINS = 20 };
#define LOUD 19.0855369f // a stroke is e^3 times what sounds between

/// Strokes from frame `first` on, after intervals given in turn. `ripple` is by how much every other frame is louder
/// than silence, and `low_every` how many strokes there are to one that has lows.
struct series {
    int intervals[2], count, low_every;
    float ripple;
    int first;
};

/// By how much the power of what is low and of what is higher is larger in a frame than in silence, which has `gain`.
static double period_of_sound(const float low[FRAMES], const float high[FRAMES], float gain)
{
    struct onset *onset;
    double period = -1.0;
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < FRAMES; t++) {
        float power[ONSET_BINS];
        for (int k = 0; k < ONSET_BINS; k++)
            power[k] = gain * (1.0f + (k < LOW_BINS ? low[t] : high[t]));
        onset_push(onset, power);
    }
    assert_int_equal(plain_find(onset, FRAME_RATE, &period), 0);
    onset_destroy(&onset);
    return period;
}

static double period_of(struct series series)
{
    float low[FRAMES], high[FRAMES];
    int next = series.first, strokes = 0;
    for (int t = 0; t < FRAMES; t++) {
        const int is_stroke = t == next && strokes < series.count;
        const int has_lows = is_stroke && strokes % series.low_every == 0;
        const float ripple = t % 2 ? series.ripple : 0.0f;
        low[t] = ripple + (has_lows ? LOUD : 0.0f);
        high[t] = ripple + (is_stroke ? LOUD : 0.0f);
        if (is_stroke)
            next += series.intervals[strokes++ % 2];
    }
    return period_of_sound(low, high, 1.0f);
}

static void even_strokes_alike_out_of_silence_are_beats(void **state)
{
    (void)state;
    assert_true(period_of((struct series){{24, 24}, 1000, 1, 0.0f, 10}) == 24.0);
    // The start of the sound counts as one, 10 frames before the first of these.
    assert_true(fabs(period_of((struct series){{11, 11}, 1000, 1, 0.0f, 10}) - 11.0) < 1.5 / 180.0);
    assert_true(period_of((struct series){{65, 65}, 1000, 1, 0.0f, 10}) == 65.0);
}

static void an_unsteady_hand_strikes_beats_too(void **state)
{
    (void)state;
    assert_true(fabs(period_of((struct series){{23, 25}, 1000, 1, 0.0f, 10}) - 24.0) < 0.05);
}

static void long_and_short_intervals_are_a_rhythm(void **state)
{
    (void)state;
    assert_true(period_of((struct series){{16, 32}, 1000, 1, 0.0f, 10}) == 0.0);
}

static void strokes_of_two_kinds_are_a_rhythm(void **state)
{
    (void)state;
    for (int low_every = 2; low_every <= 4; low_every++)
        assert_true(period_of((struct series){{24, 24}, 1000, low_every, 0.0f, 10}) == 0.0);
}

static void strokes_over_something_else_are_left_to_other_evidence(void **state)
{
    (void)state;
    assert_true(period_of((struct series){{24, 24}, 1000, 1, 0.1f, 10}) == 0.0);
}

static void strokes_no_tempo_has_are_no_beats(void **state)
{
    (void)state;
    assert_true(period_of((struct series){{10, 10}, 1000, 1, 0.0f, 10}) == 0.0); // 258 BPM
    assert_true(period_of((struct series){{67, 67}, 1000, 1, 0.0f, 10}) == 0.0); // 38.6 BPM
}

static void a_few_strokes_are_no_series(void **state)
{
    (void)state;
    // The start of the sound is one more: eight are a series.
    assert_true(period_of((struct series){{24, 24}, 7, 1, 0.0f, 24}) == 24.0);
    assert_true(period_of((struct series){{24, 24}, 6, 1, 0.0f, 24}) == 0.0);
    assert_true(period_of((struct series){{24, 24}, 6, 1, 0.0f, 10}) == 0.0);
    assert_true(period_of((struct series){{24, 24}, 0, 1, 0.0f, 10}) == 0.0);
}

/// Strokes whose intervals grow from one figure to another, each by the same ratio.
static double period_of_slowing(double from, double to)
{
    enum { STROKES = 60 };
    float power[FRAMES] = {0};
    double place = from;
    for (int i = 0; i < STROKES && place < FRAMES; i++) {
        power[(int)place] = LOUD;
        place += from * pow(to / from, i / (STROKES - 1.0));
    }
    return period_of_sound(power, power, 1.0f);
}

static void strokes_may_slow_down_as_far_as_a_tempo_runs(void **state)
{
    (void)state;
    // An octave around the median: the mean of a geometric series is (40 - 20) / log(40 / 20).
    assert_true(fabs(period_of_slowing(20.0, 40.0) - 28.85) < 0.5);
    // The last sixth of these are more than half as long again as the median.
    assert_true(period_of_slowing(15.0, 53.0) == 0.0);
}

/// Even strokes, every other one of `second` times e, and what else sounds so many frames after each.
static double period_of_pairs(double second, float after, int frames_after)
{
    float power[FRAMES] = {0};
    for (int i = 0; i * 24 + 24 + frames_after < FRAMES; i++) {
        power[24 * i + 24 + frames_after] = after;
        power[24 * i + 24] = i % 2 ? expm1f((float)second) : LOUD;
    }
    return period_of_sound(power, power, 1.0f);
}

static void strokes_alike_differ_by_the_root_of_e_at_most(void **state)
{
    (void)state;
    assert_true(period_of_pairs(3.0 * exp(-0.4), 0.0f, 0) == 24.0);
    assert_true(period_of_pairs(3.0 * exp(-0.7), 0.0f, 0) == 0.0);
}

static void a_stroke_is_over_after_two_frames(void **state)
{
    (void)state;
    const float tenth = 0.35f; // log(1.35) is 0.1 times 3, and a twentieth of all may lie between
    assert_true(period_of_pairs(3.0, tenth, 2) == 24.0);
    for (int after = 3; after <= 4; after++)
        assert_true(period_of_pairs(3.0, tenth, after) == 0.0);
}

static void how_loud_it_begins_does_not_matter(void **state)
{
    (void)state;
    float power[FRAMES] = {0};
    for (int i = 1; i <= 8; i++)
        power[24 * i] = LOUD;
    // The start is a stroke of up to 13.8, where the others are of 3.
    for (float gain = 1.0f; gain < 1e8f; gain *= 10.0f)
        assert_true(period_of_sound(power, power, gain) == 24.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even_strokes_alike_out_of_silence_are_beats),
        cmocka_unit_test(an_unsteady_hand_strikes_beats_too),
        cmocka_unit_test(long_and_short_intervals_are_a_rhythm),
        cmocka_unit_test(strokes_of_two_kinds_are_a_rhythm),
        cmocka_unit_test(strokes_over_something_else_are_left_to_other_evidence),
        cmocka_unit_test(strokes_no_tempo_has_are_no_beats),
        cmocka_unit_test(a_few_strokes_are_no_series),
        cmocka_unit_test(strokes_may_slow_down_as_far_as_a_tempo_runs),
        cmocka_unit_test(strokes_alike_differ_by_the_root_of_e_at_most),
        cmocka_unit_test(a_stroke_is_over_after_two_frames),
        cmocka_unit_test(how_loud_it_begins_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
