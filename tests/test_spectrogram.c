// SPDX-License-Identifier: MIT
#include "engine/desktop/spectrogram.h"
#include "support/near.h"
#include "support/rng.h"
#include <math.h>

enum { RATE = 48000, ROWS = SPECTROGRAM_ROWS };
static const double PI = 3.14159265358979323846;

// A finished spectrogram of two signals, fed in pieces of uneven length.
static struct spectrogram *spectrogram_of(const float *first, const float *second, uint32_t samples)
{
    struct spectrogram *s;
    assert_int_equal(spectrogram_create(&s, samples, RATE), 0);
    for (uint32_t at = 0, piece = 1; at < samples; at += piece, piece = piece * 7 % 1999 + 1) {
        piece = piece < samples - at ? piece : samples - at;
        spectrogram_feed(s, first + at, second + at, piece);
    }
    spectrogram_finish(s);
    return s;
}

static float *sine(uint32_t samples, double hz)
{
    float *out = malloc(samples * sizeof *out);
    assert_non_null(out);
    for (uint32_t i = 0; i < samples; ++i)
        out[i] = (float)sin(2 * PI * hz / RATE * i);
    return out;
}

static uint32_t strongest_row(const float *rows)
{
    uint32_t best = 0;
    for (uint32_t row = 1; row < ROWS; ++row)
        best = rows[row] > rows[best] ? row : best;
    return best;
}

static void a_sine_of_full_scale_is_one_at_its_frequency(void **state)
{
    (void)state;
    static const double tones[] = {60, 440, 1000.5, 3333, 15000};
    for (size_t i = 0; i < sizeof tones / sizeof tones[0]; ++i) {
        float *tone = sine(3 * RATE, tones[i]), *nothing = calloc(3 * RATE, sizeof *nothing);
        struct spectrogram *s = spectrogram_of(tone, nothing, 3 * RATE);
        const float *rows = spectrogram_column(s, SPECTROGRAM_FIRST, spectrogram_columns(s) / 2);
        const uint32_t row = strongest_row(rows);
        // A row is no narrower than a bin's place on the axis.
        const double bin_hz = RATE / 4096.0;
        assert_true(spectrogram_row_hz(s, row - 0.5) < tones[i] + bin_hz);
        assert_true(spectrogram_row_hz(s, row + 0.5) > tones[i] - bin_hz);
        double sum = 0, other = 0;
        for (uint32_t r = 0; r < ROWS; ++r) {
            sum += (double)rows[r];
            other += (double)spectrogram_column(s, SPECTROGRAM_SECOND, 0)[r];
        }
        assert_near(sum, 1.0, 0.01);
        assert_near(other, 0.0, 1e-9);
        spectrogram_destroy(&s);
        free(tone);
        free(nothing);
    }
}

static void white_noise_has_power_in_proportion_to_bandwidth(void **state)
{
    (void)state;
    enum { SAMPLES = 20 * RATE };
    float *noise = malloc(SAMPLES * sizeof *noise);
    uint64_t rng = 7;
    for (uint32_t i = 0; i < SAMPLES; ++i)
        noise[i] = (float)(rng_unit(&rng) * 2 - 1);
    struct spectrogram *s = spectrogram_of(noise, noise, SAMPLES);
    // Uniform noise has a mean square of 1/3; a sine of full scale, which counts as 1, of 1/2.
    const double power_a_hz = 2.0 / 3.0 / (RATE / 2.0);
    for (uint32_t row = 0; row < ROWS; ++row) {
        const double width_hz = spectrogram_row_hz(s, row + 0.5) - spectrogram_row_hz(s, row - 0.5);
        for (int signal = 0; signal < SPECTROGRAM_SIGNALS; ++signal)
            assert_near(spectrogram_mean(s, (enum spectrogram_signal)signal, row) /
                            (power_a_hz * width_hz),
                        1.0, 0.2);
    }
    spectrogram_destroy(&s);
    free(noise);
}

static void a_burst_lights_the_columns_of_its_time(void **state)
{
    (void)state;
    enum { SAMPLES = 100 * RATE, FROM = 60 * RATE, LENGTH = RATE };
    float *signal = calloc(SAMPLES, sizeof *signal);
    for (uint32_t i = 0; i < LENGTH; ++i)
        signal[FROM + i] = (float)sin(2 * PI * 1000.0 / RATE * i);
    struct spectrogram *s = spectrogram_of(signal, signal, SAMPLES);
    assert_int_equal(spectrogram_columns(s), SPECTROGRAM_COLUMNS_MOST);
    for (uint32_t c = 0; c < spectrogram_columns(s); ++c) {
        const float *rows = spectrogram_column(s, SPECTROGRAM_SECOND, c);
        const float highest = rows[strongest_row(rows)];
        // A column is 0.1 s; windows of 85 ms that begin in the column before reach into the burst.
        if (c < 598 || c > 610)
            assert_true(highest < 1e-6F);
        if (c >= 600 && c < 609)
            assert_true(highest > 0.1F);
    }
    spectrogram_destroy(&s);
    free(signal);
}

static void one_sample_is_one_column_of_finite_power(void **state)
{
    (void)state;
    const float one = 1.0F;
    struct spectrogram *s = spectrogram_of(&one, &one, 1);
    assert_int_equal(spectrogram_columns(s), 1);
    for (uint32_t row = 0; row < ROWS; ++row)
        assert_true(isfinite(spectrogram_column(s, SPECTROGRAM_FIRST, 0)[row]));
    spectrogram_destroy(&s);
}

static void what_comes_after_the_announced_end_is_left_out(void **state)
{
    (void)state;
    enum { SAMPLES = RATE };
    float *quiet = calloc(2 * SAMPLES, sizeof *quiet);
    for (uint32_t i = SAMPLES + 4096; i < 2 * SAMPLES; ++i)
        quiet[i] = 1.0F;
    struct spectrogram *s;
    assert_int_equal(spectrogram_create(&s, SAMPLES, RATE), 0);
    spectrogram_feed(s, quiet, quiet, 2 * SAMPLES);
    spectrogram_finish(s);
    for (uint32_t row = 0; row < ROWS; ++row)
        assert_true(spectrogram_mean(s, SPECTROGRAM_FIRST, row) < 1e-12);
    spectrogram_destroy(&s);
    free(quiet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sine_of_full_scale_is_one_at_its_frequency),
        cmocka_unit_test(white_noise_has_power_in_proportion_to_bandwidth),
        cmocka_unit_test(a_burst_lights_the_columns_of_its_time),
        cmocka_unit_test(one_sample_is_one_column_of_finite_power),
        cmocka_unit_test(what_comes_after_the_announced_end_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
