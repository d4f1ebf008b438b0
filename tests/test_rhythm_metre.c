// SPDX-License-Identifier: MIT
#include "support/rhythm_track.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_waltz_is_counted_in_its_own_beats(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make(20.0);
    const double beat_s = 60.0 / 138.0;
    for (int i = 0; 0.5 + i * beat_s < 19.9; i++)
        rhythm_track_add_click(&track, 0.5 + i * beat_s, i % 3 == 0 ? 0.8 : 0.2);

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(rhythm_track_is_at(result.tempo.bpm, 138.0));
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void even_strokes_that_are_not_alike_have_a_metre(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make(20.0);
    for (int i = 0; 0.5 + i * 0.3 < 19.5; i++) { // 200 strokes a minute
        if (i % 2 == 0)
            rhythm_track_add_thump(&track, 0.5 + i * 0.3, 0.8);
        rhythm_track_add_click(&track, 0.5 + i * 0.3, 0.3);
    }

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(rhythm_track_is_at(result.tempo.bpm, 100.0));
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void compound_time_is_counted_in_dotted_beats(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make(20.0);
    const double eighth_s = 60.0 / 97.0 / 3.0;
    for (int i = 0; 0.5 + i * eighth_s < 19.5; i++) {
        if (i % 6 == 0)
            rhythm_track_add_thump(&track, 0.5 + i * eighth_s, 0.6);
        rhythm_track_add_click(&track, 0.5 + i * eighth_s, i % 3 == 0 ? 0.3 : 0.1);
    }

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(rhythm_track_is_at(result.tempo.bpm, 97.0));
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void fast_strokes_as_strong_between_beats_as_on_them_are_a_pulse(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make(20.0);
    for (int i = 0; 0.5 + i * 0.15 < 19.5; i++) { // 400 strokes a minute, every other a thump
        if (i % 2 == 0)
            rhythm_track_add_thump(&track, 0.5 + i * 0.15, 0.8);
        else
            rhythm_track_add_click(&track, 0.5 + i * 0.15, 0.3);
    }

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(rhythm_track_ratio_error(result.tempo.bpm, 200.0) < 0.001);
    assert_true(result.stability > 0.95);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void beats_are_the_thumps_where_strokes_as_loud_lie_at_quarters(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make(20.0);
    const double beat_s = 60.0 / 75.0;
    for (double time_s = 0.5; time_s < 19.0; time_s += beat_s) {
        rhythm_track_add_thump(&track, time_s, 0.8);
        rhythm_track_add_click(&track, time_s + 0.25 * beat_s, 0.8);
        rhythm_track_add_click(&track, time_s + 0.75 * beat_s, 0.8);
    }

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(rhythm_track_is_at(result.tempo.bpm, 75.0));
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void a_clave_of_unequal_steps_is_not_taken_for_a_pulse(void **state)
{
    (void)state;
    static const int clave[] = {0, 3, 6, 10, 13}; // of 16 eighths: every 3.2 on the average
    const double eighth_s = 0.5 * 60.0 / 132.0;
    struct rhythm_track track = rhythm_track_make(24.0);
    for (int i = 0; 0.5 + i * eighth_s < 23.5; i++) {
        double level = 0.05;
        for (int stroke = 0; stroke < 5; stroke++)
            level = i % 16 == clave[stroke] ? 0.6 : level;
        rhythm_track_add_click(&track, 0.5 + i * eighth_s, level);
        if (i % 4 == 0 || i % 4 == 3)
            rhythm_track_add_thump(&track, 0.5 + i * eighth_s, 0.5);
    }

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(rhythm_track_is_at(result.tempo.bpm, 132.0) ||
                rhythm_track_is_at(result.tempo.bpm, 66.0) ||
                rhythm_track_is_at(result.tempo.bpm, 264.0));
    assert_true(result.stability > 0.95);
    rhythm_result_deinit(&result);
    free(track.samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_waltz_is_counted_in_its_own_beats),
        cmocka_unit_test(even_strokes_that_are_not_alike_have_a_metre),
        cmocka_unit_test(compound_time_is_counted_in_dotted_beats),
        cmocka_unit_test(fast_strokes_as_strong_between_beats_as_on_them_are_a_pulse),
        cmocka_unit_test(beats_are_the_thumps_where_strokes_as_loud_lie_at_quarters),
        cmocka_unit_test(a_clave_of_unequal_steps_is_not_taken_for_a_pulse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
