// SPDX-License-Identifier: MIT
// Tracks of every kind, from none at all to hours; tempo, metre, beats and pulse have suites of their own.
#include "dsp/rhythm/rhythm.h"
#include "support/failing_heap.h"
#include "support/rhythm_track.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void scale(struct rhythm_track *track, float gain)
{
    for (size_t i = 0; i < track->count; i++)
        track->samples[i] *= gain;
}

static void gain_changes_nothing_but_rounding(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make_clicks(127.0, 15.0);
    for (size_t i = 0; i < track.count; i++)
        track.samples[i] += (float)(0.01 * rhythm_track_next_noise(&track));
    struct rhythm_result plain = rhythm_track_measure(&track);
    scale(&track, 0.2511886f); // -12 dB

    struct rhythm_result quiet = rhythm_track_measure(&track);

    assert_true(fabs(plain.tempo.bpm - quiet.tempo.bpm) < 0.02);
    assert_true(fabs(plain.stability - quiet.stability) < 1e-4);
    assert_true(fabs(plain.density - quiet.density) < 1e-9);
    assert_int_equal(plain.beat_count, quiet.beat_count);
    rhythm_result_deinit(&plain);
    rhythm_result_deinit(&quiet);
    free(track.samples);
}

static void density_counts_the_onsets(void **state)
{
    (void)state;
    for (int per_second = 1; per_second <= 8; per_second++) {
        struct rhythm_track track = rhythm_track_make_clicks(60.0 * per_second, 10.5);
        const double onsets = ceil((10.4 - 0.5) * per_second - 1e-9);

        struct rhythm_result result = rhythm_track_measure(&track);

        assert_true(fabs(result.tempo.onsets_per_s * 10.5 - onsets) < 0.5);
        assert_true(fabs(result.density - result.tempo.onsets_per_s / 10.0) < 1e-12);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void tracks_of_less_than_two_seconds_are_survived(void **state)
{
    (void)state;
    for (size_t count = 0; count < 44100; count += 3001) {
        struct rhythm_track track = rhythm_track_make(2.0);
        rhythm_track_add_click(&track, 0.3, 0.5);
        track.count = count;

        struct rhythm_result result = rhythm_track_measure(&track);

        assert_true(isfinite(result.tempo.bpm) && result.density <= 1.0);
        assert_true(result.beat_count < 16);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void no_frames_at_all_are_no_pulse(void **state)
{
    (void)state;
    struct rhythm *rhythm;
    struct rhythm_result result;
    assert_int_equal(rhythm_create(&rhythm, RHYTHM_TRACK_RATE_HZ), 0);

    assert_int_equal(rhythm_finish(rhythm, 0, &result), 0);

    assert_no_pulse(&result);
    rhythm_destroy(&rhythm);
}

static void every_rate_in_range_is_survived(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make_clicks(150.0, 12.0);
    const double rates_hz[] = {1000.0, 2000.0, 4000.0, 8000.0, 44100.0, 50000.0};
    for (size_t i = 0; i < sizeof(rates_hz) / sizeof(*rates_hz); i++) {
        struct rhythm *rhythm;
        struct rhythm_result result;
        assert_int_equal(rhythm_create(&rhythm, rates_hz[i]), 0);
        rhythm_track_feed(rhythm, &track);

        assert_int_equal(rhythm_finish(rhythm, track.count, &result), 0);

        assert_true(result.tempo.bpm == 0.0 ||
                    (result.tempo.bpm >= 40.0 && result.tempo.bpm <= 240.0));
        rhythm_result_deinit(&result);
        rhythm_destroy(&rhythm);
    }
    free(track.samples);
}

/// An hour and a third at 4 kHz: a burst in every tenth frame, after the hour in two whole stretches and a part.
static void onsets_are_counted_to_the_end_and_beats_for_an_hour(void **state)
{
    (void)state;
    enum { RATE = 4000, EVERY = 10, FRAMES = 4800 * RATE / RHYTHM_HOP };
    struct rhythm *rhythm;
    struct rhythm_result result;
    float quiet[RHYTHM_BINS], loud[RHYTHM_BINS];
    for (int k = 0; k < RHYTHM_BINS; k++) {
        quiet[k] = 1e-3f;
        loud[k] = 1.0f;
    }
    assert_int_equal(rhythm_create(&rhythm, RATE), 0);
    for (int t = 0; t < FRAMES; t++)
        rhythm_push(rhythm, t % EVERY == 5 ? loud : quiet);

    assert_int_equal(rhythm_finish(rhythm, (uint64_t)FRAMES * RHYTHM_HOP, &result), 0);

    const double seconds = (double)FRAMES * RHYTHM_HOP / RATE;
    const double onsets = result.tempo.onsets_per_s * seconds;
    assert_true(fabs(onsets - (double)FRAMES / EVERY) < 3.0); // one a stretch may lie at its end
    for (uint32_t i = 0; i < result.beat_count; i++)
        assert_true(result.beats_s[i] <= 3600.0);
    rhythm_result_deinit(&result);
    rhythm_destroy(&rhythm);
}

static void rates_out_of_range_are_refused(void **state)
{
    (void)state;
    struct rhythm *rhythm;

    assert_int_equal(rhythm_create(&rhythm, 0.0), -EINVAL);
    assert_null(rhythm);
    assert_int_equal(rhythm_create(&rhythm, (double)NAN), -EINVAL);
    assert_null(rhythm);
}

/// One whole life. @return the first error.
static int live(const struct rhythm_track *track)
{
    struct rhythm *rhythm;
    struct rhythm_result result = {0};
    int error = rhythm_create(&rhythm, RHYTHM_TRACK_RATE_HZ);
    if (!error) {
        rhythm_track_feed(rhythm, track);
        error = rhythm_finish(rhythm, track->count, &result);
    }
    rhythm_result_deinit(&result);
    rhythm_destroy(&rhythm);
    return error;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make_clicks(120.0, 5.0);
    size_t failures = 0;

    for (failing_heap_arm(0); live(&track) == -ENOMEM; failing_heap_arm(++failures))
        assert_true(failing_heap_has_failed());

    assert_false(failing_heap_has_failed());
    assert_true(failures > 5);
    failing_heap_arm(SIZE_MAX);
    free(track.samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gain_changes_nothing_but_rounding),
        cmocka_unit_test(density_counts_the_onsets),
        cmocka_unit_test(tracks_of_less_than_two_seconds_are_survived),
        cmocka_unit_test(no_frames_at_all_are_no_pulse),
        cmocka_unit_test(every_rate_in_range_is_survived),
        cmocka_unit_test(onsets_are_counted_to_the_end_and_beats_for_an_hour),
        cmocka_unit_test(rates_out_of_range_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
