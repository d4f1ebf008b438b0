// SPDX-License-Identifier: MIT
#include "support/rhythm_track.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void beats_lie_on_the_clicks(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make_clicks(100.0, 20.0);

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_int_equal(result.beat_count, 33);
    for (uint32_t i = 0; i < result.beat_count; i++)
        assert_true(fabs(result.beats_s[i] - (0.5 + 0.6 * i)) < 0.035);
    assert_true(result.tempo.first_beat_s == result.beats_s[0]);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void beats_lie_on_the_thumps_not_on_the_hats_between(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make(20.0);
    for (double time_s = 0.5; time_s < 19.5; time_s += 0.48) { // 125 BPM
        rhythm_track_add_thump(&track, time_s, 0.8);
        rhythm_track_add_click(&track, time_s + 0.24, 0.1);
    }

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(rhythm_track_is_at(result.tempo.bpm, 125.0));
    assert_true(result.beat_count >= 35);
    for (uint32_t i = 0; i < result.beat_count; i++)
        assert_true(fabs(remainder(result.beats_s[i] - 0.5, 0.48)) < 0.035);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void beats_lie_on_the_thumps_not_on_the_loud_pickup_a_third_before(void **state)
{
    (void)state;
    const double beat_s = 60.0 / 104.0;
    struct rhythm_track track = rhythm_track_make(24.0);
    for (double time_s = 0.5; time_s < 23.3; time_s += beat_s) {
        rhythm_track_add_thump(&track, time_s, 0.8);
        rhythm_track_add_click(&track, time_s, 0.02);
        rhythm_track_add_click(&track, time_s + 2.0 / 3.0 * beat_s, 0.4);
    }

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(rhythm_track_is_at(result.tempo.bpm, 104.0));
    for (uint32_t i = 0; i < result.beat_count; i++)
        assert_true(fabs(remainder(result.beats_s[i] - 0.5, beat_s)) < 0.04);
    rhythm_result_deinit(&result);
    free(track.samples);
}

/// Noise that rises evenly from nothing and then dies away.
static void add_swell(struct rhythm_track *track, double time_s, double rise_s)
{
    const size_t begin = (size_t)lround(time_s * RHYTHM_TRACK_RATE_HZ);
    const double rise = rise_s * RHYTHM_TRACK_RATE_HZ;
    for (size_t i = 0; i < 6000 && begin + i < track->count; i++) {
        const double decay = exp(-fmax(0.0, (double)i - rise) / 1000.0);
        track->samples[begin + i] +=
            (float)(0.5 * fmin(1.0, (double)i / rise) * decay * rhythm_track_next_noise(track));
    }
}

/// By how much beats are later than the swells that they are found at, in seconds and in the mean.
static double lateness_of_swells(double rise_s)
{
    const double beat_s = 60.0 / 113.0;
    struct rhythm_track track = rhythm_track_make(24.0);
    for (double time_s = 0.5; time_s < 23.0; time_s += beat_s)
        add_swell(&track, time_s, rise_s);
    struct rhythm_result result = rhythm_track_measure(&track);
    double late_s = 0.0;
    assert_true(result.beat_count >= 40);
    for (uint32_t i = 0; i < result.beat_count; i++)
        late_s += remainder(result.beats_s[i] - 0.5, beat_s) / result.beat_count;
    rhythm_result_deinit(&result);
    free(track.samples);
    return late_s;
}

static void beats_lie_where_swells_begin_however_slowly_they_rise(void **state)
{
    (void)state;
    double mean_s = 0.0;
    for (int i = 0; i < 5; i++) {
        const double late_s = lateness_of_swells(0.020 + 0.040 * i);
        assert_true(fabs(late_s) < 0.007); // a third of a frame
        mean_s += late_s / 5;
    }
    assert_true(fabs(mean_s) < 0.003);
}

/// Clicks whose tempo runs from one figure to another, or leaps between them halfway.
static uint32_t add_moving_clicks(struct rhythm_track *track, double seconds, double from_bpm,
                                  double to_bpm, int leaps, double times[128])
{
    uint32_t count = 0;
    for (double time_s = 0.5; time_s < seconds - 0.5 && count < 128; count++) {
        const double share = leaps ? (time_s > 0.5 * seconds) : time_s / seconds;
        times[count] = time_s;
        rhythm_track_add_click(track, time_s, 0.5);
        time_s += 60.0 / (from_bpm + share * (to_bpm - from_bpm));
    }
    return count;
}

/// Share of the clicks that have a beat within 70 ms.
static double recall(const struct rhythm_result *result, const double *times, uint32_t count)
{
    uint32_t hits = 0;
    for (uint32_t j = 0; j < count; j++) {
        int is_hit = 0;
        for (uint32_t i = 0; i < result->beat_count; i++)
            is_hit |= fabs(result->beats_s[i] - times[j]) < 0.07;
        hits += (uint32_t)is_hit;
    }
    return (double)hits / count;
}

static void a_tempo_that_runs_or_leaps_is_followed_beat_by_beat(void **state)
{
    (void)state;
    for (int leaps = 0; leaps <= 1; leaps++) {
        struct rhythm_track track = rhythm_track_make(40.0);
        double times[128];
        const uint32_t clicks = add_moving_clicks(&track, 40.0, 100.0, 124.0, leaps, times);

        struct rhythm_result result = rhythm_track_measure(&track);

        assert_true(recall(&result, times, clicks) > 0.97); // at the beat or its double
        assert_true(result.beat_count <= 2 * clicks);
        assert_true(result.tempo.confidence < 0.35); // a steady pulse of clicks has 0.9
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void confidence_falls_by_e_for_each_quarter_of_a_beat_that_beats_stray(void **state)
{
    (void)state;
    // Clicks in turn behind and before even beats of 0.5 s, of whose level there is no doubt; a fiftieth is a hand's.
    const double strays_s[] = {0.0, 0.02, 0.03};
    for (size_t i = 0; i < sizeof(strays_s) / sizeof(*strays_s); i++) {
        struct rhythm_track track = rhythm_track_make(30.0);
        for (int beat = 1; beat < 59; beat++)
            rhythm_track_add_click(&track, 0.5 * beat + (beat % 2 ? strays_s[i] : -strays_s[i]),
                                   0.5);
        const double deviation = 1.4826 * strays_s[i] / 0.5;

        struct rhythm_result result = rhythm_track_measure(&track);

        assert_true(fabs(result.tempo.confidence - exp(-4.0 * fmax(0.0, deviation - 0.02))) < 0.02);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void a_tempo_that_leaps_to_and_fro_is_that_of_most_beats(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make(60.0);
    double time_s = 0.5;
    for (int beat = 0; time_s < 59.5; beat++) { // the mean is 142 BPM
        rhythm_track_add_click(&track, time_s, 0.5);
        time_s += 60.0 / (beat % 10 < 7 ? 150.0 : 125.0);
    }

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(fabs(result.tempo.bpm - 150.0) < 3.0);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *list, size_t count)
{
    qsort(list, count, sizeof(*list), compare);
    return count % 2 ? list[count / 2] : 0.5 * (list[count / 2 - 1] + list[count / 2]);
}

static void stability_of_jittered_clicks_follows_the_closed_form(void **state)
{
    (void)state;
    enum { CLICKS = 100 };
    struct rhythm_track track = rhythm_track_make(CLICKS * 0.5 + 1.0);
    double times[CLICKS], intervals[CLICKS - 1];
    for (int i = 0; i < CLICKS; i++) {
        times[i] = 0.5 + 0.5 * i + 0.025 * rhythm_track_next_noise(&track);
        rhythm_track_add_click(&track, times[i], 0.5);
    }
    for (int i = 0; i + 1 < CLICKS; i++)
        intervals[i] = times[i + 1] - times[i];
    const double middle = median_of(intervals, CLICKS - 1);
    for (int i = 0; i + 1 < CLICKS; i++)
        intervals[i] = fabs(intervals[i] - middle);
    const double truth = 1.0 / (1.0 + 1.4826 * median_of(intervals, CLICKS - 1) / middle);

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(fabs(result.stability - truth) < 0.01);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void even_clicks_are_steady(void **state)
{
    (void)state;
    struct rhythm_track track = rhythm_track_make_clicks(113.0, 20.0);

    struct rhythm_result result = rhythm_track_measure(&track);

    assert_true(result.stability > 0.98 && result.stability <= 1.0);
    rhythm_result_deinit(&result);
    free(track.samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beats_lie_on_the_clicks),
        cmocka_unit_test(beats_lie_on_the_thumps_not_on_the_hats_between),
        cmocka_unit_test(beats_lie_on_the_thumps_not_on_the_loud_pickup_a_third_before),
        cmocka_unit_test(beats_lie_where_swells_begin_however_slowly_they_rise),
        cmocka_unit_test(a_tempo_that_runs_or_leaps_is_followed_beat_by_beat),
        cmocka_unit_test(confidence_falls_by_e_for_each_quarter_of_a_beat_that_beats_stray),
        cmocka_unit_test(a_tempo_that_leaps_to_and_fro_is_that_of_most_beats),
        cmocka_unit_test(stability_of_jittered_clicks_follows_the_closed_form),
        cmocka_unit_test(even_clicks_are_steady),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
