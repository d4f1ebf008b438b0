// SPDX-License-Identifier: MIT
// Stability of clicks whose true beats are known, against its definition read from these.
#include "support/rhythm_track.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CLICKS_MAX = 160 };
#define SECONDS 45.0

/// A tempo that swings, runs, and a hand that strays.
struct motion {
    double bpm;
    double depth, cycle_s; // of the swing, a sine
    double run;            // share by which the tempo has grown at the end
    double stray_s;        // standard deviation, normal
};

static double next_normal(struct rhythm_track *track)
{
    double sum = 0.0;
    for (int i = 0; i < 12; i++)
        sum += rhythm_track_next_noise(track);
    return 0.5 * sum; // twelve of variance 1/3
}

static uint32_t strike(struct rhythm_track *track, const struct motion *motion,
                       double times[CLICKS_MAX])
{
    uint32_t count = 0;
    for (double time_s = 0.5; time_s < SECONDS - 0.5 && count < CLICKS_MAX; count++) {
        times[count] = time_s + motion->stray_s * next_normal(track);
        rhythm_track_add_click(track, times[count], 0.5);
        const double swing =
            motion->depth > 0.0 ? motion->depth * sin(2.0 * M_PI * time_s / motion->cycle_s) : 0.0;
        time_s += 60.0 / (motion->bpm * (1.0 + swing) * (1.0 + motion->run * time_s / SECONDS));
    }
    return count;
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

static double stability_of(const double *times, uint32_t count)
{
    double intervals[CLICKS_MAX];
    for (uint32_t i = 0; i + 1 < count; i++)
        intervals[i] = times[i + 1] - times[i];
    const double middle = median_of(intervals, count - 1);
    for (uint32_t i = 0; i + 1 < count; i++)
        intervals[i] = fabs(intervals[i] - middle);
    return 1.0 / (1.0 + 1.4826 * median_of(intervals, count - 1) / middle);
}

/// F-measure of the beats within 70 ms (each is the only one near a click).
static double f_measure(const struct rhythm_result *result, const double *times, uint32_t count)
{
    uint32_t hits = 0;
    for (uint32_t i = 0; i < count; i++) {
        int is_hit = 0;
        for (uint32_t j = 0; j < result->beat_count; j++)
            is_hit |= fabs(result->beats_s[j] - times[i]) < 0.07;
        hits += (uint32_t)is_hit;
    }
    return 2.0 * hits / (count + result->beat_count);
}

static void assert_follows(const struct motion *motion, double tolerance)
{
    struct rhythm_track track = rhythm_track_make(SECONDS);
    double times[CLICKS_MAX];
    const uint32_t count = strike(&track, motion, times);
    const double truth = stability_of(times, count);

    struct rhythm_result result = rhythm_track_measure(&track);

    const double f = f_measure(&result, times, count);
    if (fabs(result.stability - truth) > tolerance || f < 0.97)
        print_message(
            "%.0f BPM, depth %.2f in %.0f s, run %.2f, stray %.3f s: stability %.4f for %.4f, F %.3f\n",
            motion->bpm, motion->depth, motion->cycle_s, motion->run, motion->stray_s,
            result.stability, truth, f);
    assert_true(fabs(result.stability - truth) <= tolerance);
    assert_true(f >= 0.97);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void a_swinging_tempo_is_as_unsteady_as_its_closed_form(void **state)
{
    (void)state;
    static const struct motion motions[] = {
        {100.0, 0.05, 8.0, 0.0, 0.0},
        {92.0, 0.15, 12.0, 0.0, 0.0},
        {124.0, 0.20, 20.0, 0.0, 0.0},
        {104.0, 0.25, 10.0, 0.0, 0.0},
    };
    for (size_t i = 0; i < sizeof(motions) / sizeof(*motions); i++)
        assert_follows(&motions[i], 0.015);
}

static void a_tempo_that_runs_is_as_unsteady_as_its_closed_form(void **state)
{
    (void)state;
    static const struct motion motions[] = {
        {100.0, 0.0, 0.0, 0.05, 0.0},
        {96.0, 0.0, 0.0, 0.4, 0.0},
        {126.0, 0.0, 0.0, -0.15, 0.0},
        {150.0, 0.0, 0.0, -0.35, 0.0},
    };
    for (size_t i = 0; i < sizeof(motions) / sizeof(*motions); i++)
        assert_follows(&motions[i], 0.01);
}

static void a_hand_that_strays_is_as_unsteady_as_its_closed_form(void **state)
{
    (void)state;
    static const struct motion motions[] = {
        {100.0, 0.0, 0.0, 0.0, 0.010},
        {90.0, 0.0, 0.0, 0.0, 0.045},
        {84.0, 0.0, 0.0, 0.0, 0.055},
        {96.0, 0.12, 14.0, 0.0, 0.02},
    };
    for (size_t i = 0; i < sizeof(motions) / sizeof(*motions); i++)
        assert_follows(&motions[i], 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_swinging_tempo_is_as_unsteady_as_its_closed_form),
        cmocka_unit_test(a_tempo_that_runs_is_as_unsteady_as_its_closed_form),
        cmocka_unit_test(a_hand_that_strays_is_as_unsteady_as_its_closed_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
