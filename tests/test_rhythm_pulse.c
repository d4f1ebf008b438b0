// SPDX-License-Identifier: MIT
#include "support/rhythm_track.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void silence_has_no_pulse_and_no_onsets(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make(5.0);

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_no_pulse(&result);
    assert_true(result.density == 0.0);
    free(track.samples);
}

static void begin_and_end_of_a_tone_are_no_pulse(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make(3.0);
    for (size_t i = 0; i < track.count; i++)
        track.samples[i] =
            (float)(0.3 * sin(2.0 * M_PI * 440.0 * (double)i / RHYTHM_TRACK_RATE_HZ));

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_no_pulse(&result);
    free(track.samples);
}

static void steady_tones_of_any_length_are_no_pulse(void **state)
{
    (void)state;
    const double tones_hz[] = {0.0, 261.6, 1000.0};
    for (size_t i = 0; i < sizeof(tones_hz) / sizeof(*tones_hz); i++)
        for (double seconds = 4.0; seconds <= 12.0; seconds += 8.0) {
            struct rhythm_track track = rhythm_track_make(seconds);
            for (size_t t = 0; t < track.count; t++)
                track.samples[t] =
                    (float)(0.5 * cos(2.0 * M_PI * tones_hz[i] * (double)t / RHYTHM_TRACK_RATE_HZ));

            struct rhythm_result result = rhythm_track_measure(&track);

            assert_no_pulse(&result);
            free(track.samples);
        }
}

/// Noise through a pole at `pole`: 0 white, towards 1 brown, towards -1 high.
static void add_noise(struct rhythm_track *track, double pole)
{
    double state = 0.0;
    for (size_t i = 0; i < track->count; i++) {
        state = pole * state + rhythm_track_next_noise(track);
        track->samples[i] += (float)(0.1 * sqrt(1.0 - pole * pole) * state);
    }
}

/// A gain that wanders by some 6 dB over seconds, never twice the same way.
static void let_wander(struct rhythm_track *track)
{
    double level = 0.0, goal = 0.0;
    for (size_t i = 0; i < track->count; i++) {
        if (i % 22050 == 0)
            goal = rhythm_track_next_noise(track);
        level += (goal - level) / 15000.0;
        track->samples[i] *= (float)exp(level);
    }
}

/// Clicks at random, `per_second` on the average, of random levels: drops of rain.
static void add_rain(struct rhythm_track *track, double per_second)
{
    for (double time_s = 0.0; time_s < (double)track->count / RHYTHM_TRACK_RATE_HZ;) {
        time_s -= log(0.5 + 0.4999 * rhythm_track_next_noise(track)) / per_second;
        rhythm_track_add_click(track, time_s, exp(rhythm_track_next_noise(track)) / 4.0);
    }
}

enum noise { WHITE, HIGH, BROWN, WANDERING, RAIN, DROPS, NOISES };

static void fill_with(struct rhythm_track *track, enum noise noise)
{
    const double poles[] = {[WHITE] = 0.0, [HIGH] = -0.9, [BROWN] = 0.99, [WANDERING] = 0.9};
    if (noise <= WANDERING)
        add_noise(track, poles[noise]);
    if (noise == WANDERING)
        let_wander(track);
    if (noise > WANDERING)
        add_rain(track, noise == RAIN ? 60.0 : 4.0);
}

static void noise_and_sounds_at_random_are_no_pulse(void **state)
{
    (void)state;
    for (int noise = 0; noise < NOISES; noise++) {
        for (uint32_t seed = 1; seed <= 2; seed++) {
            struct rhythm_track track = rhythm_track_make(8.0 + 3.0 * seed);
            track.noise = seed;
            fill_with(&track, (enum noise)noise);

            struct rhythm_result result = rhythm_track_measure(&track);

            assert_no_pulse(&result);
            rhythm_result_deinit(&result);
            free(track.samples);
        }
    }
}

static void a_pulse_in_noise_is_heard(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make_clicks(120.0, 30.0);
    add_noise(&track, 0.0);

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(rhythm_track_ratio_error(result.tempo.bpm, 120.0) < 0.005);
    rhythm_result_deinit(&result);
    free(track.samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_has_no_pulse_and_no_onsets),
        cmocka_unit_test(begin_and_end_of_a_tone_are_no_pulse),
        cmocka_unit_test(steady_tones_of_any_length_are_no_pulse),
        cmocka_unit_test(noise_and_sounds_at_random_are_no_pulse),
        cmocka_unit_test(a_pulse_in_noise_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
