// SPDX-License-Identifier: MIT
// True peak on the signals of EBU Tech 3341, cases 15 to 23, without their slow fades.
#include "dsp/true_peak.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// cmocka.h needs the headers above
#include <cmocka.h>

static double peak_db_of(const float *samples, uint32_t frames, uint32_t rate_hz)
{
    struct true_peak meter;
    true_peak_init(&meter, rate_hz);
    true_peak_feed(&meter, samples, 1, frames);
    return 20 * log10((double)true_peak_finish(&meter));
}

// A sine of `period` samples between 10 ms fades.
static double sine_peak_db(double period, double amplitude, double phase_deg)
{
    enum { FRAMES = 48000, FADE = 480 };
    float *samples = malloc(FRAMES * sizeof(float));
    assert_non_null(samples);
    for (int i = 0; i < FRAMES; ++i) {
        const double fade = fmin(1.0, fmin(i, FRAMES - 1 - i) / (double)FADE);
        samples[i] =
            (float)(fade * amplitude * sin(2 * M_PI * i / period + phase_deg * M_PI / 180));
    }
    const double peak_db = peak_db_of(samples, FRAMES, 48000);
    free(samples);
    return peak_db;
}

static void assert_within(double value, double nominal, double above, double below)
{
    assert_true(value <= nominal + above);
    assert_true(value >= nominal - below);
}

static void ebu_3341_cases_15_to_19_sines_between_samples(void **state)
{
    (void)state;
    assert_within(sine_peak_db(4, 0.50, 0), -6.0206, 0.04, 0.08);
    assert_within(sine_peak_db(4, 0.50, 45), -6.0206, 0.04, 0.08);
    assert_within(sine_peak_db(6, 0.50, 60), -6.0206, 0.04, 0.08);
    assert_within(sine_peak_db(8, 0.50, 67.5), -6.0206, 0.04, 0.08);
    assert_within(sine_peak_db(4, 1.41, 45), 2.9844, 0.04, 0.08);
}

// Made at 4 times the rate: 0.5 of fs/6, one period of fs/4 at 1.0, 0.5 of fs/6; low-passed and
// decimated at each of four offsets.
static void ebu_3341_cases_20_to_23_one_period_at_any_offset(void **state)
{
    (void)state;
    enum { LONG = 4 * 9600, HALF = 96 };
    static double oversampled[LONG];
    const int middle = 24 * 800;
    for (int i = 0; i < LONG; ++i) {
        const int inside = i >= middle && i < middle + 16;
        oversampled[i] =
            inside ? sin(2 * M_PI * (i - middle) / 16.0)
                   : 0.5 * sin(2 * M_PI * (i - (i < middle ? middle : middle + 16)) / 24.0);
        oversampled[i] *= fmin(1.0, fmin(i, LONG - 1 - i) / 1920.0);
    }
    for (int offset = 0; offset < 4; ++offset) {
        float samples[LONG / 4] = {0};
        for (int i = HALF; i < LONG / 4 - HALF; ++i) {
            double sum = 0;
            for (int j = -HALF; j <= HALF; ++j) {
                const double x = j / 4.0;
                const double sinc = j ? sin(M_PI * x) / (M_PI * x) : 1;
                sum += oversampled[4 * i + offset + j] * sinc / 4 *
                       (0.5 + 0.5 * cos(M_PI * j / (HALF + 1.0)));
            }
            samples[i] = (float)sum;
        }
        assert_within(peak_db_of(samples, LONG / 4, 48000), 0.0, 0.2, 0.4);
    }
}

static void high_rates_interpolate_less(void **state)
{
    (void)state;
    struct true_peak meter;
    true_peak_init(&meter, 88200);
    assert_int_equal(meter.phases, 3);
    true_peak_init(&meter, 96000);
    assert_int_equal(meter.phases, 1);
    true_peak_init(&meter, 192000);
    assert_int_equal(meter.phases, 0);
}

static void one_sample_reads_itself(void **state)
{
    (void)state;
    const float sample = 0.25F;
    assert_within(peak_db_of(&sample, 1, 44100), 20 * log10(0.25), 1e-6, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ebu_3341_cases_15_to_19_sines_between_samples),
        cmocka_unit_test(ebu_3341_cases_20_to_23_one_period_at_any_offset),
        cmocka_unit_test(high_rates_interpolate_less),
        cmocka_unit_test(one_sample_reads_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
