// SPDX-License-Identifier: MIT
// Gated loudness of tracks of any length against all of their windows, kept and sorted.
#include "dsp/level/loudness_list.h"
#include "support/failing_heap.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { HOUR = 36000 };

// --- the plain reading: every window in LUFS
struct windows {
    double *lufs;
    uint32_t count;
};

static struct windows windows_of(const float *powers, uint32_t count, uint32_t steps)
{
    struct windows windows = {calloc(count + 1U, sizeof(double)), 0};
    assert_non_null(windows.lufs);
    for (uint32_t i = 0; i + steps <= count; ++i) {
        double sum = 0;
        for (uint32_t k = 0; k < steps; ++k)
            sum += (double)powers[i + k];
        windows.lufs[windows.count++] = -0.691 + 10 * log10(sum / steps);
    }
    return windows;
}

static double mean_lufs_over(const struct windows *windows, double gate_lufs)
{
    double sum = 0, count = 0;
    for (uint32_t i = 0; i < windows->count; ++i)
        if (windows->lufs[i] > gate_lufs) {
            sum += pow(10, (windows->lufs[i] + 0.691) / 10);
            ++count;
        }
    return count > 0 ? -0.691 + 10 * log10(sum / count) : -70;
}

static double integrated_of(const float *powers, uint32_t count)
{
    struct windows blocks = windows_of(powers, count, 4);
    const double lufs = mean_lufs_over(&blocks, fmax(-70, mean_lufs_over(&blocks, -70) - 10));
    free(blocks.lufs);
    return lufs;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread {
    double range_lu, variation_lu;
};

static struct spread spread_of(const float *powers, uint32_t count)
{
    struct windows windows = windows_of(powers, count, 30);
    const double gate = fmax(-70, mean_lufs_over(&windows, -70) - 20);
    uint32_t passed = 0;
    double mean = 0, squares = 0;
    for (uint32_t i = 0; i < windows.count; ++i)
        if (windows.lufs[i] > gate)
            mean += windows.lufs[passed++] = windows.lufs[i];
    mean /= passed;
    for (uint32_t i = 0; i < passed; ++i)
        squares += pow(windows.lufs[i] - mean, 2);
    qsort(windows.lufs, passed, sizeof(double), compare);
    const struct spread spread = {
        windows.lufs[(uint32_t)floor((passed - 1) * 0.95 + 0.5)] -
            windows.lufs[(uint32_t)floor((passed - 1) * 0.10 + 0.5)],
        sqrt(squares / passed),
    };
    free(windows.lufs);
    return spread;
}

// --- a track: loud and soft movements of minutes, each step as it comes, pauses of silence
static float *make_track(uint32_t count)
{
    float *powers = malloc(count * sizeof *powers);
    assert_non_null(powers);
    uint32_t seed = 5;
    for (uint32_t i = 0; i < count; ++i) {
        seed = seed * 1664525U + 1013904223U;
        const double lufs = -26 + 14 * sin(i * 9e-4) + 9 * ((seed >> 8) / 16777216.0 - 0.5);
        powers[i] = i % 5000 < 40 ? 0.0F : (float)pow(10, (lufs + 0.691) / 10);
    }
    return powers;
}

static struct loudness_list list_of(const float *powers, uint32_t count)
{
    struct loudness_list list;
    loudness_list_init(&list);
    for (uint32_t i = 0; i < count; ++i)
        assert_int_equal(loudness_list_add(&list, (double)powers[i]), 0);
    return list;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.6f is not %.6f", value, expected);
}

static double integrated(const struct loudness_list *list)
{
    const struct loudness_steps steps = loudness_list_steps(list);
    return loudness_steps_integrated_lufs(&steps, 1);
}

static void assert_figures(uint32_t count, double integrated_off, double spread_off)
{
    float *powers = make_track(count);
    struct loudness_list list = list_of(powers, count);
    const struct spread spread = spread_of(powers, count);
    const double range_lu = loudness_list_range_lu(&list);
    assert_near(integrated(&list), integrated_of(powers, count), integrated_off);
    assert_near(range_lu, spread.range_lu, spread_off);
    assert_near(loudness_list_variation_lu(&list), spread.variation_lu, spread_off);
    loudness_list_deinit(&list);
    free(powers);
}

static void up_to_an_hour_every_figure_is_exact(void **state)
{
    (void)state;
    assert_figures(300, 1e-9, 1e-6);
    assert_figures(HOUR, 1e-9, 1e-6);
}

static void over_an_hour_they_are_within_a_hundredth(void **state)
{
    (void)state;
    assert_figures(HOUR + 1, 1e-3, 1e-2);
    assert_figures(2 * HOUR + 700, 1e-3, 1e-2);
    assert_figures(10 * HOUR, 1e-3, 1e-2);
}

// The windows that are counted and those that are kept meet without a gap, wherever the track ends.
static void assert_integrated(const float *powers, uint32_t count)
{
    struct loudness_list list = list_of(powers, count);
    assert_near(integrated(&list), integrated_of(powers, count), 1e-5);
    loudness_list_deinit(&list);
}

static float power_of(double lufs)
{
    return (float)pow(10, (lufs + 0.691) / 10);
}

// Whose windows all lie at one place of a step, be it at its end, and do not make up for each other.
static void steady_tracks_over_an_hour_are_exact(void **state)
{
    (void)state;
    enum { STEADY = HOUR + 6000 };
    float *powers = malloc(STEADY * sizeof *powers);
    assert_non_null(powers);
    for (uint32_t k = 0; k < 9; ++k) {
        for (uint32_t i = 0; i < STEADY; ++i)
            powers[i] = power_of((k == 8 ? -69.9999 : -23) + k / 1024.0);
        assert_integrated(powers, STEADY);
    }
    for (uint32_t i = 0; i < STEADY; ++i)
        powers[i] = i < STEADY / 2 ? power_of(-20.003) : 0.0F;
    assert_integrated(powers, STEADY);
    for (uint32_t i = 0; i < STEADY; ++i)
        powers[i] = power_of(i < STEADY / 2 ? -14.0001 : -30.0001);
    assert_integrated(powers, STEADY);
    free(powers);
}

static void no_window_is_lost_or_counted_twice(void **state)
{
    (void)state;
    float *powers = malloc((HOUR + 1100) * sizeof *powers);
    assert_non_null(powers);
    for (uint32_t i = 0; i < HOUR + 1100; ++i)
        powers[i] = 0.01F;
    for (uint32_t extra = 0; extra <= 1100; extra += 1 + extra / 3) {
        struct loudness_list list = list_of(powers, HOUR + extra);
        const struct loudness_steps steps = loudness_list_steps(&list);
        const uint32_t kept = steps.count >= 4 ? steps.count - 3 : 0;
        const uint32_t earlier =
            steps.earlier ? loudness_tally_passed(steps.earlier, 0.001).count : 0;
        assert_int_equal(earlier + kept, HOUR + extra - 3);
        loudness_list_deinit(&list);
    }
    free(powers);
}

// One in two windows over an hour, one in four over two: the list is those of the whole.
static void a_long_list_is_thinned_evenly(void **state)
{
    (void)state;
    static const struct {
        uint32_t steps, stride;
    } cases[] = {{HOUR, 1},          {HOUR + 29, 1},     {HOUR + 30, 2},
                 {2 * HOUR + 29, 2}, {2 * HOUR + 30, 4}, {5 * HOUR + 777, 8}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; ++c) {
        const uint32_t steps = cases[c].steps, stride = cases[c].stride;
        float *powers = make_track(steps);
        struct loudness_list list = list_of(powers, steps);
        struct windows all = windows_of(powers, steps, 30);
        const uint32_t count = loudness_list_short_term_count(&list);
        float *lufs = malloc(count * sizeof *lufs);
        assert_non_null(lufs);
        loudness_list_short_term_fill(&list, lufs);

        assert_int_equal(count, (all.count + stride - 1) / stride);
        for (uint32_t i = 0; i < count; ++i)
            if (isfinite(all.lufs[i * stride]))
                assert_near((double)lufs[i], all.lufs[i * stride], 1e-5);
            else
                assert_true(lufs[i] == -HUGE_VALF);
        free(lufs);
        free(all.lufs);
        loudness_list_deinit(&list);
        free(powers);
    }
}

static void an_albums_blocks_count_as_one_tracks(void **state)
{
    (void)state;
    enum { LONG = HOUR + 5000, SHORT = 900 };
    float *powers = make_track(LONG + SHORT);
    struct loudness_list first = list_of(powers, LONG), second = list_of(powers + LONG, SHORT);
    const struct loudness_steps both[] = {loudness_list_steps(&first),
                                          loudness_list_steps(&second)};

    const double lufs = loudness_steps_integrated_lufs(both, 2);

    assert_near(lufs, integrated_of(powers, LONG + SHORT),
                1e-3); // as far as a long track's are told
    loudness_list_deinit(&first);
    loudness_list_deinit(&second);
    free(powers);
}

// However short the tracks are: most of these have no block of their own.
static void blocks_run_on_across_joins(void **state)
{
    (void)state;
    static const uint32_t counts[] = {2, 7, 1, 1, 0, 3, 4, 1, 2, 9, 3};
    enum { TRACKS = sizeof counts / sizeof *counts };
    float powers[64];
    struct loudness_list lists[TRACKS];
    struct loudness_steps steps[TRACKS];
    uint32_t all = 0;
    for (uint32_t i = 0; i < TRACKS; ++i) {
        for (uint32_t k = 0; k < counts[i]; ++k) // a step apart from each other, none like another
            powers[all + k] = 0.01F * (float)((all + k) * 37 % 64 + 1);
        lists[i] = list_of(powers + all, counts[i]);
        steps[i] = loudness_list_steps(&lists[i]);
        all += counts[i];
        assert_near(loudness_steps_integrated_lufs(steps, i + 1), integrated_of(powers, all), 1e-9);
    }
    for (uint32_t i = 0; i < TRACKS; ++i)
        loudness_list_deinit(&lists[i]);
}

// 10 LU under a mean of -64 lies under -70: what is at -72 counts neither before nor after.
static void nothing_under_minus_70_counts_in_soft_tracks(void **state)
{
    (void)state;
    enum { STEPS = 400 };
    float powers[STEPS];
    for (uint32_t i = 0; i < STEPS; ++i)
        powers[i] = (float)pow(10, ((i < STEPS / 2 ? -64 : -72) + 0.691) / 10);
    struct loudness_list list = list_of(powers, STEPS);
    assert_near(integrated(&list), integrated_of(powers, STEPS), 1e-9);
    assert_near(integrated(&list), -64, 0.05); // but for three blocks across the fall
    loudness_list_deinit(&list);
}

// Three seconds are one short-term value, which is spread over nothing; a step more makes two.
static void one_short_term_value_has_no_spread(void **state)
{
    (void)state;
    enum { ONE = 30 };
    float powers[ONE + 1];
    for (uint32_t i = 0; i <= ONE; ++i)
        powers[i] = power_of(i - 30.0);
    for (uint32_t count = ONE - 1; count <= ONE; ++count) {
        struct loudness_list list = list_of(powers, count);
        assert_int_equal(loudness_list_short_term_count(&list), count == ONE);
        assert_true(loudness_list_range_lu(&list) == 0.0);
        assert_true(loudness_list_variation_lu(&list) == 0.0);
        loudness_list_deinit(&list);
    }
    struct loudness_list list = list_of(powers, ONE + 1);
    const struct spread spread = spread_of(powers, ONE + 1);
    assert_true(spread.variation_lu > 0.4);
    assert_near(loudness_list_variation_lu(&list), spread.variation_lu, 1e-6);
    assert_near(loudness_list_range_lu(&list), spread.range_lu, 1e-6);
    loudness_list_deinit(&list);
}

static void silence_of_any_length_is_at_the_gate(void **state)
{
    (void)state;
    float *powers = calloc(HOUR + 2000, sizeof *powers);
    assert_non_null(powers);
    struct loudness_list list = list_of(powers, HOUR + 2000);
    assert_true(integrated(&list) == -70.0 && loudness_list_range_lu(&list) == 0.0);
    assert_true(loudness_list_variation_lu(&list) == 0.0);
    loudness_list_deinit(&list);
    free(powers);
}

// Fill a list over the hour. @return the first error.
static int live(const float *powers)
{
    struct loudness_list list;
    loudness_list_init(&list);
    int error = 0;
    for (uint32_t i = 0; i < HOUR + 100 && !error; ++i)
        error = loudness_list_add(&list, (double)powers[i]);
    loudness_list_deinit(&list);
    return error;
}

// What was reserved does for a track of any length.
static void a_reserved_list_takes_no_more_memory(void **state)
{
    (void)state;
    float *powers = make_track(2 * HOUR);
    struct loudness_list list, lazy = list_of(powers, 2 * HOUR);
    loudness_list_init(&list);
    assert_int_equal(loudness_list_reserve(&list), 0);
    failing_heap_arm(0);
    for (uint32_t i = 0; i < 2 * HOUR; ++i)
        assert_int_equal(loudness_list_add(&list, (double)powers[i]), 0);
    assert_false(failing_heap_has_failed());
    failing_heap_arm(SIZE_MAX);
    assert_true(integrated(&list) == integrated(&lazy));
    assert_true(loudness_list_variation_lu(&list) == loudness_list_variation_lu(&lazy));
    loudness_list_deinit(&lazy);
    loudness_list_deinit(&list);
    free(powers);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    float *powers = make_track(HOUR + 100);
    size_t failures = 0;
    for (failing_heap_arm(0); live(powers) == -ENOMEM; failing_heap_arm(++failures))
        assert_true(failing_heap_has_failed());
    assert_false(failing_heap_has_failed());
    assert_true(failures >= 3);
    failing_heap_arm(SIZE_MAX);
    free(powers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_an_hour_every_figure_is_exact),
        cmocka_unit_test(over_an_hour_they_are_within_a_hundredth),
        cmocka_unit_test(steady_tracks_over_an_hour_are_exact),
        cmocka_unit_test(no_window_is_lost_or_counted_twice),
        cmocka_unit_test(a_long_list_is_thinned_evenly),
        cmocka_unit_test(an_albums_blocks_count_as_one_tracks),
        cmocka_unit_test(blocks_run_on_across_joins),
        cmocka_unit_test(nothing_under_minus_70_counts_in_soft_tracks),
        cmocka_unit_test(one_short_term_value_has_no_spread),
        cmocka_unit_test(silence_of_any_length_is_at_the_gate),
        cmocka_unit_test(a_reserved_list_takes_no_more_memory),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
