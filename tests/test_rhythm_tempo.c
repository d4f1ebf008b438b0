// SPDX-License-Identifier: MIT
#include "support/rhythm_track.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_click_is_a_beat_at_any_tempo(void **state)
{
    (void)state;
    for (double bpm = 40.0; bpm <= 240.0; bpm += 28.5) {
        struct rhythm_track track = rhythm_track_make_clicks(bpm, 18.0);

        struct rhythm_result result = rhythm_track_measure(&track);

        assert_true(fabs(result.tempo.bpm / bpm - 1.0) < 0.001);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void a_click_is_a_beat_where_a_hand_strikes_unevenly(void **state)
{
    (void)state;
    const double tempos[] = {43.0, 212.0};
    for (size_t i = 0; i < sizeof(tempos) / sizeof(*tempos); i++) {
        const double beat_s = 60.0 / tempos[i];
        struct rhythm_track track = rhythm_track_make(30.0);
        for (double time_s = 0.5; time_s < 29.5; time_s += beat_s)
            rhythm_track_add_click(&track, time_s + 0.05 * beat_s * rhythm_track_next_noise(&track),
                                   0.5); // 3 % in the mean

        struct rhythm_result result = rhythm_track_measure(&track);

        assert_true(fabs(result.tempo.bpm / tempos[i] - 1.0) < 0.02);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void clicks_at_moderate_tempos_are_not_halved_or_doubled(void **state)
{
    (void)state;
    const double tempos[] = {80.0, 97.3, 120.0, 133.33, 151.0};
    for (size_t i = 0; i < sizeof(tempos) / sizeof(*tempos); i++) {
        struct rhythm_track track = rhythm_track_make_clicks(tempos[i], 20.0);

        struct rhythm_result result = rhythm_track_measure(&track);

        assert_true(fabs(result.tempo.bpm / tempos[i] - 1.0) < 0.001);
        assert_true(result.tempo.confidence > 0.9);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void tempos_a_little_out_of_range_are_the_ends_of_it(void **state)
{
    (void)state;
    const double tempos[] = {39.8, 241.0}, ends[] = {40.0, 240.0};
    for (size_t i = 0; i < sizeof(tempos) / sizeof(*tempos); i++) {
        struct rhythm_track track = rhythm_track_make_clicks(tempos[i], 24.0);

        struct rhythm_result result = rhythm_track_measure(&track);

        assert_true(result.tempo.bpm == ends[i]);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

/// Thumps on the beats, clicks between.
static struct tempo measure_thumps(double bpm)
{
    struct rhythm_track track = rhythm_track_make(14.0);
    for (double time_s = 0.5; time_s < 13.5; time_s += 60.0 / bpm) {
        rhythm_track_add_thump(&track, time_s, 0.8);
        rhythm_track_add_click(&track, time_s + 30.0 / bpm, 0.3);
    }
    struct rhythm_result result = rhythm_track_measure(&track);
    rhythm_result_deinit(&result);
    free(track.samples);
    return result.tempo;
}

static void the_second_tempo_is_a_simple_ratio_of_the_first(void **state)
{
    (void)state;
    const double tempos[] = {95.0, 130.0}, ratios[] = {2.0, 0.5};
    for (size_t i = 0; i < sizeof(tempos) / sizeof(*tempos); i++) {
        const struct tempo tempo = measure_thumps(tempos[i]);

        assert_true(fabs(tempo.bpm / tempos[i] - 1.0) < 0.002);
        assert_true(fabs(tempo.alternative_bpm - ratios[i] * tempo.bpm) < 1e-9); // as precise
        assert_true(tempo.alternative_salience > 0.0 &&
                    tempo.alternative_salience < tempo.salience);
    }
}

static void confidence_is_low_where_the_octave_changes(void **state)
{
    (void)state;
    const struct tempo moderate = measure_thumps(120.0);
    assert_true(fabs(moderate.bpm / 120.0 - 1.0) < 0.002);
    assert_true(moderate.confidence > 0.8);

    struct tempo before = measure_thumps(140.0);
    assert_true(before.confidence > 0.9);
    double bpm = 160.0;
    while (bpm <= 240.0 &&
           before.bpm > 0.75 * (bpm - 20.0)) { // faster and faster, till it is halved
        const struct tempo here = measure_thumps(bpm);
        if (here.bpm < 0.75 * bpm)
            assert_true(before.confidence < 0.85 && here.confidence < 0.7);
        before = here;
        bpm += 20.0;
    }
    assert_true(bpm <= 260.0 && before.bpm < 0.75 * (bpm - 20.0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_click_is_a_beat_at_any_tempo),
        cmocka_unit_test(a_click_is_a_beat_where_a_hand_strikes_unevenly),
        cmocka_unit_test(clicks_at_moderate_tempos_are_not_halved_or_doubled),
        cmocka_unit_test(tempos_a_little_out_of_range_are_the_ends_of_it),
        cmocka_unit_test(the_second_tempo_is_a_simple_ratio_of_the_first),
        cmocka_unit_test(confidence_is_low_where_the_octave_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
