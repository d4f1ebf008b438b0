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

static double period_of(struct series series)
{
    struct onset *onset;
    double period = -1.0;
    int next = series.first, strokes = 0;
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < FRAMES; t++) {
        const int is_stroke = t == next && strokes < series.count;
        const int has_lows = is_stroke && strokes % series.low_every == 0;
        float power[ONSET_BINS];
        for (int k = 0; k < ONSET_BINS; k++)
            power[k] = 1.0f + (t % 2 ? series.ripple : 0.0f) +
                       ((k < LOW_BINS ? has_lows : is_stroke) ? LOUD : 0.0f);
        onset_push(onset, power);
        if (is_stroke)
            next += series.intervals[strokes++ % 2];
    }
    assert_int_equal(plain_find(onset, FRAME_RATE, &period), 0);
    onset_destroy(&onset);
    return period;
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
