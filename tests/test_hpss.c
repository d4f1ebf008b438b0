// SPDX-License-Identifier: MIT
// Harmonic-percussive separation against medians by sorting, and on spectra that are purely one kind.
#include "dsp/spectrum/hpss.h"
#include "dsp/spectrum/low_spectrum.h"
#include "support/near.h"
#include "support/rng.h"

enum { BINS = LOW_SPECTRUM_BINS, REACH = 15, SPAN = 31 };

static double ratio_of(const float *powers, int frames)
{
    struct hpss *hpss = NULL;
    assert_int_equal(hpss_create(&hpss), 0);
    for (int t = 0; t < frames; ++t)
        hpss_push(hpss, powers + (size_t)t * BINS);
    const double ratio = hpss_finish(hpss);
    hpss_destroy(&hpss);
    assert_null(hpss);
    return ratio;
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// scipy's "reflect": d c b a | a b c d | d c b a.
static int reflected(int i, int n)
{
    while (i < 0 || i >= n)
        i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return i;
}

static double median(const float *magnitudes, int stride, int center, int n)
{
    float window[SPAN];
    for (int i = -REACH; i <= REACH; ++i)
        window[i + REACH] = magnitudes[(size_t)reflected(center + i, n) * (size_t)stride];
    qsort(window, SPAN, sizeof *window, compare);
    return (double)window[REACH];
}

static double naive_ratio(const float *powers, int frames)
{
    float *magnitudes = malloc((size_t)frames * BINS * sizeof *magnitudes);
    assert_non_null(magnitudes);
    for (int i = 0; i < frames * BINS; ++i)
        magnitudes[i] = sqrtf(powers[i]);
    double harmonic = 0, percussive = 0;
    for (int t = 0; t < frames; ++t)
        for (int k = 0; k < BINS; ++k) {
            const double along_time = median(magnitudes + k, BINS, t, frames);
            const double along_frequency = median(magnitudes + (size_t)t * BINS, 1, k, BINS);
            const double h = along_time * along_time, p = along_frequency * along_frequency;
            const double mask = h + p > 0 ? h / (h + p) : 0.5;
            const double power = (double)powers[t * BINS + k];
            harmonic += mask * mask * power;
            percussive += (1 - mask) * (1 - mask) * power;
        }
    free(magnitudes);
    return harmonic + percussive > 0 ? harmonic / (harmonic + percussive) : 0;
}

// Steady lines, broad bursts and noise, with stretches of zeros.
static float *make_powers(int frames, uint64_t seed)
{
    float *powers = malloc((size_t)frames * BINS * sizeof *powers);
    assert_non_null(powers);
    for (int t = 0; t < frames; ++t)
        for (int k = 0; k < BINS; ++k) {
            double power = rng_unit(&seed) * (1 + 0.02 * k);
            power += k % 97 == 5 ? 40 : 0;
            power += t % 11 == 3 ? 15 : 0;
            powers[t * BINS + k] = k > 700 && t % 40 > 20 ? 0.0F : (float)power;
        }
    return powers;
}

static void ratio_is_that_of_sorted_medians_for_any_count_of_frames(void **state)
{
    (void)state;
    const int counts[] = {1, 2, 3, 4, 15, 16, 18, 19, 20, 23, 31, 40, 41, 62, 131};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; ++i) {
        float *powers = make_powers(counts[i], 100 + i);
        assert_near(ratio_of(powers, counts[i]), naive_ratio(powers, counts[i]), 1e-6);
        free(powers);
    }
}

static void steady_lines_are_harmonic(void **state)
{
    (void)state;
    float *powers = calloc(60 * BINS, sizeof *powers);
    assert_non_null(powers);
    for (int t = 0; t < 60; ++t)
        for (int k = 20; k < BINS; k += 50)
            powers[t * BINS + k] = 2.0F;
    assert_near(ratio_of(powers, 60), 1.0, 0.0);
    free(powers);
}

static void one_broad_frame_is_percussive(void **state)
{
    (void)state;
    float *powers = calloc(60 * BINS, sizeof *powers);
    assert_non_null(powers);
    for (int k = 0; k < BINS; ++k)
        powers[33 * BINS + k] = 3.0F;
    assert_near(ratio_of(powers, 60), 0.0, 0.0);
    free(powers);
}

// Both medians are 0 under a lone point: the mask is one half, so each part gets a quarter.
static void a_lone_point_is_half_of_each(void **state)
{
    (void)state;
    float *powers = calloc(60 * BINS, sizeof *powers);
    assert_non_null(powers);
    powers[40 * BINS + 500] = 1.0F;
    assert_near(ratio_of(powers, 60), 0.5, 0.0);
    free(powers);
}

static void silence_and_no_frames_are_0(void **state)
{
    (void)state;
    float *powers = calloc(20 * BINS, sizeof *powers);
    assert_non_null(powers);
    assert_near(ratio_of(powers, 20), 0.0, 0.0);
    assert_near(ratio_of(powers, 0), 0.0, 0.0);
    free(powers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratio_is_that_of_sorted_medians_for_any_count_of_frames),
        cmocka_unit_test(steady_lines_are_harmonic),
        cmocka_unit_test(one_broad_frame_is_percussive),
        cmocka_unit_test(a_lone_point_is_half_of_each),
        cmocka_unit_test(silence_and_no_frames_are_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
