// SPDX-License-Identifier: MIT
// True peak on the signals of EBU Tech 3341, cases 15 to 23, without their slow fades.
#include "dsp/level/true_peak.h"
#include "support/measure.h"
#include "support/near.h"
#include "support/rng.h"

static double peak_db_of(const float *samples, uint32_t frames, uint32_t rate_hz)
{
    struct true_peak meter;
    true_peak_init(&meter, rate_hz);
    true_peak_feed(&meter, samples, 1, frames);
    return 20 * log10((double)true_peak_finish(&meter));
}

static const uint32_t RATES_HZ[] = {44100, 48000, 88200, 96000, 192000};
enum { RATE_COUNT = sizeof RATES_HZ / sizeof *RATES_HZ };

// Half a second of a sine between 10 ms fades.
static double sine_peak_db(uint32_t rate_hz, double hz, double amplitude, double phase_deg)
{
    const int frames = (int)rate_hz / 2;
    float *samples = malloc((size_t)frames * sizeof *samples);
    assert_non_null(samples);
    for (int i = 0; i < frames; ++i) {
        const double fade = fmin(1.0, fmin(i, frames - 1 - i) / (0.01 * rate_hz));
        samples[i] =
            (float)(fade * amplitude * sin(2 * M_PI * hz * i / rate_hz + phase_deg * M_PI / 180));
    }
    const double peak_db = peak_db_of(samples, (uint32_t)frames, rate_hz);
    free(samples);
    return peak_db;
}

static void assert_within(double value, double nominal, double above, double below)
{
    if (!(value <= nominal + above && value >= nominal - below))
        fail_msg("%.4f is not %.4f +%.2f -%.2f", value, nominal, above, below);
}

// A quarter, a sixth and an eighth of 48 kHz, at every rate: between samples at most of them.
static void ebu_3341_cases_15_to_19_sines_between_samples(void **state)
{
    (void)state;
    for (int r = 0; r < RATE_COUNT; ++r) {
        assert_within(sine_peak_db(RATES_HZ[r], 12000, 0.50, 0), -6.0206, 0.04, 0.08);
        assert_within(sine_peak_db(RATES_HZ[r], 12000, 0.50, 45), -6.0206, 0.04, 0.08);
        assert_within(sine_peak_db(RATES_HZ[r], 8000, 0.50, 60), -6.0206, 0.04, 0.08);
        assert_within(sine_peak_db(RATES_HZ[r], 6000, 0.50, 67.5), -6.0206, 0.04, 0.08);
        assert_within(sine_peak_db(RATES_HZ[r], 12000, 1.41, 45), 2.9844, 0.04, 0.08);
    }
}

// Crests that all lie a quarter of a sample off one: the samples and what lies half way read 0.69 dB less, so
// nothing but the interpolation for that very place finds them.
static void crests_a_quarter_of_a_sample_off_are_found(void **state)
{
    (void)state;
    for (int r = 0; r < RATE_COUNT; ++r) {
        const uint32_t rate_hz = RATES_HZ[r];
        if (rate_hz >= 96000)
            continue; // looked at half way, or at the samples alone
        for (int quarter = 1; quarter < 4; ++quarter)
            assert_within(sine_peak_db(rate_hz, rate_hz / 4.0, 0.5, 90 - 22.5 * quarter), -6.0206,
                          0.02, 0.02);
    }
}

// Made at 4 times 44.1 or 48 kHz: 0.5 of fs/6, one period of fs/4 at 1.0, 0.5 of fs/6.
enum { LONG = 4 * 9600, HALF = 96 };
static void make_burst(double oversampled[LONG])
{
    const int middle = 24 * 800;
    for (int i = 0; i < LONG; ++i) {
        const int inside = i >= middle && i < middle + 16;
        oversampled[i] =
            inside ? sin(2 * M_PI * (i - middle) / 16.0)
                   : 0.5 * sin(2 * M_PI * (i - (i < middle ? middle : middle + 16)) / 24.0);
        oversampled[i] *= fmin(1.0, fmin(i, LONG - 1 - i) / 1920.0);
    }
}

// Low-passed and decimated by `factor` from one of its offsets.
static double burst_peak_db(const double oversampled[LONG], int factor, int offset,
                            uint32_t rate_hz)
{
    static float samples[LONG];
    const int count = LONG / factor;
    double taps[2 * HALF + 1];
    for (int j = -HALF; j <= HALF; ++j) {
        const double x = (double)j / factor, sinc = j ? sin(M_PI * x) / (M_PI * x) : 1;
        taps[j + HALF] = sinc / factor * (0.5 + 0.5 * cos(M_PI * j / (HALF + 1.0)));
    }
    for (int i = 0; i < count; ++i) {
        double sum = 0;
        for (int j = -HALF; j <= HALF; ++j) {
            const int from = factor * i + offset + j;
            if (from >= 0 && from < LONG)
                sum += oversampled[from] * taps[j + HALF];
        }
        samples[i] = (float)sum;
    }
    return peak_db_of(samples, (uint32_t)count, rate_hz);
}

static void ebu_3341_cases_20_to_23_one_period_at_any_offset(void **state)
{
    (void)state;
    static double oversampled[LONG];
    make_burst(oversampled);
    for (int r = 0; r < RATE_COUNT; ++r) {
        const int factor = RATES_HZ[r] >= 192000 ? 1 : RATES_HZ[r] >= 88200 ? 2 : 4;
        for (int offset = 0; offset < factor; ++offset)
            assert_within(burst_peak_db(oversampled, factor, offset, RATES_HZ[r]), 0.0, 0.2, 0.4);
    }
}

// What an interpolation that is longer and finer finds in noise up to 0.6 of the Nyquist frequency.
static void band_limited_noise_peaks_as_a_long_sinc_finds(void **state)
{
    (void)state;
    enum { FRAMES = 4000 };
    for (uint64_t seed = 1; seed <= 5; ++seed) {
        float samples[FRAMES] = {0};
        uint64_t draw = seed;
        for (int tone = 0; tone < 40; ++tone) {
            const double cycles = 0.3 * rng_unit(&draw), phase = 2 * M_PI * rng_unit(&draw);
            for (int i = 0; i < FRAMES; ++i)
                samples[i] +=
                    (float)(0.02 * sin(2 * M_PI * cycles * i + phase) * sin(M_PI * i / FRAMES));
        }
        const double peak_db = 20 * log10(measure_sinc_peak(samples, 1, FRAMES));
        assert_within(peak_db_of(samples, FRAMES, 48000), peak_db, 0.02, 0.05);
    }
}

// 24 samples of one level whose signs are those of the filter's taps half way between two samples reach
// the sum of the taps' magnitudes: no block of that level may reach more, and this one not be skipped.
static void the_worst_pattern_is_not_skipped(void **state)
{
    (void)state;
    enum { TAPS = 24 };
    double taps[TAPS], sum = 0, magnitude = 0;
    for (int i = 0; i < TAPS; ++i) {
        const double x = i - 11.5;
        taps[i] = sin(M_PI * x) / (M_PI * x) * (0.5 + 0.5 * cos(M_PI * x / 12));
        sum += taps[i];
    }
    for (int i = 0; i < TAPS; ++i)
        magnitude += fabs(taps[i]) / sum;
    float samples[1000] = {0};
    samples[100] = (float)(0.1 * 0.99 * magnitude); // the peak so far
    for (int i = 0; i < TAPS; ++i)
        samples[500 + i] = taps[i] > 0 ? 0.1F : -0.1F;
    assert_within(peak_db_of(samples, 1000, 48000), 20 * log10(0.1 * magnitude), 1e-4, 1e-4);
}

// A block is skipped where it cannot matter; every stride and cut sees the same peak.
static void a_lone_peak_between_samples_is_found_wherever_it_lies(void **state)
{
    (void)state;
    enum { FRAMES = 400 };
    for (int place = 0; place < 300; ++place) {
        float samples[2 * FRAMES] = {0};
        for (int i = 0; i < FRAMES; ++i) {
            const double x = i - place - 50.5;
            samples[2 * i] = (float)(0.4 * sin(M_PI * x / 2) / (M_PI * x / 2) * exp(-x * x / 200));
            samples[2 * i + 1] = 0.9F;
        }
        struct true_peak meter;
        true_peak_init(&meter, 44100);
        for (int at = 0; at < FRAMES; at += 37)
            true_peak_feed(&meter, samples + 2 * at, 2,
                           at + 37 < FRAMES ? 37 : (uint32_t)(FRAMES - at));
        assert_within(20 * log10((double)true_peak_finish(&meter)), 20 * log10(0.4), 0.03, 0.06);
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
    true_peak_init(&meter, 176400);
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

// Two samples at the very end, as high as the crest between them is not: silence that follows changes nothing.
static void a_crest_at_the_end_is_found_at_every_length(void **state)
{
    (void)state;
    for (uint32_t frames = 2; frames <= 200; ++frames) {
        float x[500] = {0};
        x[frames - 2] = x[frames - 1] = 0.9F;
        const double peak_db = peak_db_of(x, frames, 48000);
        assert_near(peak_db, peak_db_of(x, 500, 48000), 0.0);
        assert_true(peak_db > 20 * log10(0.9) + 1);
    }
}

// A block that ends within few samples of a piece does not look at what lies before the piece.
static void no_sample_before_a_piece_is_read(void **state)
{
    (void)state;
    enum { BLOCK = INTERPOLATE_FRAMES, SPARE = 100 };
    for (uint32_t first = 1; first <= BLOCK; ++first) {
        float x[SPARE + 4 * BLOCK];
        for (int i = 0; i < SPARE + 4 * BLOCK; ++i)
            x[i] = i < SPARE ? 1e6F : 0.5F;
        static const float half[BLOCK] = {0};
        struct true_peak meter;
        true_peak_init(&meter, 48000);
        true_peak_feed(&meter, half, 1, first);
        true_peak_feed(&meter, x + SPARE, 1, 4 * BLOCK);
        assert_true(true_peak_finish(&meter) < 1.0F);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ebu_3341_cases_15_to_19_sines_between_samples),
        cmocka_unit_test(crests_a_quarter_of_a_sample_off_are_found),
        cmocka_unit_test(ebu_3341_cases_20_to_23_one_period_at_any_offset),
        cmocka_unit_test(band_limited_noise_peaks_as_a_long_sinc_finds),
        cmocka_unit_test(the_worst_pattern_is_not_skipped),
        cmocka_unit_test(a_lone_peak_between_samples_is_found_wherever_it_lies),
        cmocka_unit_test(high_rates_interpolate_less),
        cmocka_unit_test(one_sample_reads_itself),
        cmocka_unit_test(a_crest_at_the_end_is_found_at_every_length),
        cmocka_unit_test(no_sample_before_a_piece_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
