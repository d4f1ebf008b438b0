// SPDX-License-Identifier: MIT
// Bands and median shapes of a track: tones, noise, plain transforms, which frames count.
#include "dsp/spectrum/native_spectrum.h"
#include "support/near.h"
#include "support/rng.h"

enum { SIZE = 4096, HOP = 2048, BINS = SIZE / 2 + 1 };

struct spectrum {
    double bands[BAND_COUNT]; // of their sum
    double total;
    struct spectral_shape shape;
};

// Measure both sides in pieces of `part` frames.
static struct spectrum measure(const float *left, const float *right, uint32_t frames,
                               uint32_t rate_hz, uint32_t part)
{
    struct native_spectrum *spectrum = NULL;
    struct spectrum out = {.total = 0};
    assert_int_equal(native_spectrum_create(&spectrum, rate_hz), 0);
    for (uint32_t at = 0; at < frames; at += part)
        native_spectrum_feed(spectrum, left + at, right + at,
                             part < frames - at ? part : frames - at);
    native_spectrum_finish(spectrum, out.bands, &out.shape);
    native_spectrum_destroy(&spectrum);
    assert_null(spectrum);
    for (int b = 0; b < BAND_COUNT; ++b)
        out.total += out.bands[b];
    for (int b = 0; b < BAND_COUNT && out.total > 0; ++b)
        out.bands[b] /= out.total;
    return out;
}

static float *make_buffer(uint32_t frames)
{
    float *buffer = calloc(frames, sizeof *buffer);
    assert_non_null(buffer);
    return buffer;
}

// How much of [(k - 1/2) d, (k + 1/2) d] lies under `edge_hz`.
static double share_under(double k, double bin_hz, double edge_hz)
{
    return fmin(1, fmax(0, edge_hz / bin_hz - (k - 0.5)));
}

// A tone on a bin's centre puts 1/6, 2/3, 1/6 into three cells, and band edges cut those.
static void a_tone_on_a_bin_is_shared_by_the_cells_around_an_edge(void **state)
{
    (void)state;
    static const double edges_hz[] = {60, 250, 500, 2000, 4000, 8000};
    static const uint32_t rates_hz[] = {44100, 48000, 48001, 96000, 192000, 32000};
    for (int r = 0; r < 6; ++r) {
        uint32_t q = 1; // the smallest power of two with rate / q <= 48,000
        while (rates_hz[r] > 48000 * q)
            q *= 2;
        const double bin_hz = (double)rates_hz[r] / (SIZE * q);
        const uint32_t frames = 4 * SIZE * q;
        float *tone = make_buffer(frames);
        for (int e = 0; e < 6; ++e) {
            const double k = round(edges_hz[e] / bin_hz);
            for (uint32_t i = 0; i < frames; ++i)
                tone[i] = (float)(0.5 * sin(2 * M_PI * k * i / (SIZE * q)));
            const struct spectrum s = measure(tone, tone, frames, rates_hz[r], 5000);
            const double under = share_under(k - 1, bin_hz, edges_hz[e]) / 6 +
                                 share_under(k, bin_hz, edges_hz[e]) * 2 / 3 +
                                 share_under(k + 1, bin_hz, edges_hz[e]) / 6;
            assert_near(s.bands[e], under, 1e-6);
            assert_near(s.bands[e + 1], 1 - under, 1e-6);
            // Magnitudes are 1/4, 1/2, 1/4.
            assert_near(s.shape.centroid_hz, k * bin_hz, 1.0);
            assert_near(s.shape.rolloff_hz, (k + 0.5 + 0.4) * bin_hz, 1.0);
        }
        free(tone);
    }
}

// A signal shorter than a frame, filled up with zeros, by the sum that defines its transform.
static void a_short_signal_equals_its_plain_transform(void **state)
{
    (void)state;
    enum { FRAMES = 300 };
    float left[FRAMES], right[FRAMES];
    uint64_t seed = 61;
    for (int i = 0; i < FRAMES; ++i) {
        left[i] = (float)(rng_unit(&seed) - 0.5 + sin(i * 0.09));
        right[i] = (float)(0.3 * rng_unit(&seed));
    }
    static float power[BINS];
    static double energy[BINS];
    for (int k = 0; k < BINS; ++k) {
        double sums[4] = {0};
        for (int i = 0; i < FRAMES; ++i) {
            const double window = 0.5 - 0.5 * cos(2 * M_PI * i / SIZE);
            const double turn = 2 * M_PI * ((double)k * i / SIZE);
            sums[0] += window * (double)left[i] * cos(turn);
            sums[1] += window * (double)left[i] * sin(turn);
            sums[2] += window * (double)right[i] * cos(turn);
            sums[3] += window * (double)right[i] * sin(turn);
        }
        for (int i = 0; i < 4; ++i)
            energy[k] += sums[i] * sums[i];
        power[k] = (float)energy[k];
    }
    struct spectral_grid grid;
    struct spectral_shape shape;
    double bands[BAND_COUNT], total = 0;
    assert_int_equal(spectral_grid_init(&grid, BINS, 44100.0 / SIZE), 0);
    spectral_grid_measure(&grid, power, &shape);
    spectral_grid_bands(&grid, energy, bands);
    spectral_grid_deinit(&grid);
    for (int b = 0; b < BAND_COUNT; ++b)
        total += bands[b];
    const struct spectrum s = measure(left, right, FRAMES, 44100, 7);
    for (int b = 0; b < BAND_COUNT; ++b)
        assert_near(s.bands[b], bands[b] / total, 1e-6);
    assert_near(s.total / total, 1.0, 1e-6);
    assert_near(s.shape.centroid_hz, shape.centroid_hz, 0.5);
    assert_near(s.shape.rolloff_hz, shape.rolloff_hz, 0.5);
    assert_near(s.shape.flatness, shape.flatness, 2e-5);
}

// A frame's bins are exponential for one side, and the sum of two such for independent sides:
// e^-gamma and e^(1 - gamma) / 2.
static void white_noise_has_the_flatness_of_its_statistics(void **state)
{
    (void)state;
    enum { FRAMES = 44100 * 10 };
    float *left = make_buffer(FRAMES), *right = make_buffer(FRAMES);
    uint64_t seed = 67;
    for (int i = 0; i < FRAMES; ++i) {
        left[i] = (float)(rng_unit(&seed) - 0.5);
        right[i] = (float)(rng_unit(&seed) - 0.5);
    }
    const double gamma = 0.57721566490153286;
    assert_near(measure(left, left, FRAMES, 44100, 4096).shape.flatness, exp(-gamma), 0.003);
    assert_near(measure(left, right, FRAMES, 44100, 4096).shape.flatness, exp(1 - gamma) / 2,
                0.003);
    free(left);
    free(right);
}

static void only_whole_frames_count(void **state)
{
    (void)state;
    enum { FRAMES = SIZE + 2 * HOP };
    float x[FRAMES];
    for (int i = 0; i < FRAMES; ++i)
        x[i] = (float)sin(2 * M_PI * i * 30 / SIZE);
    const struct spectrum three = measure(x, x, FRAMES, 44100, 1000);
    x[FRAMES - 1] = 1000; // not in the first two
    const struct spectrum two = measure(x, x, FRAMES - 1, 44100, 1000);
    assert_near(two.total * 3 / 2 / three.total, 1.0, 1e-6);
    for (int b = 0; b < BAND_COUNT; ++b)
        assert_near(two.bands[b], three.bands[b], 1e-9);
}

// Frames that lie in quiet parts, tone 800 at `quiet_db`, outnumber those of the loud tone 100.
static double median_bin(double quiet_db)
{
    enum { FRAMES = 12 * SIZE };
    static float x[FRAMES];
    for (int i = 0; i < FRAMES; ++i)
        x[i] = (float)(i < 3 * SIZE ? sin(2 * M_PI * 100.0 * i / SIZE)
                                    : pow(10, quiet_db / 20) * sin(2 * M_PI * 800.0 * i / SIZE));
    return measure(x, x, FRAMES, 48000, 4096).shape.centroid_hz / (48000.0 / SIZE);
}

static void frames_40_db_under_the_loudest_are_silent(void **state)
{
    (void)state;
    assert_near(median_bin(-39.9), 800.0, 0.1);
    assert_near(median_bin(-40.1), 100.0, 0.1);
}

// Two frames, each with one tone where the other does not reach.
static double centroid_of(double first_gain, double second_gain)
{
    float x[SIZE + HOP] = {0};
    for (int i = 0; i < HOP; ++i) {
        x[i] = (float)(first_gain * sin(i * 0.2));
        x[SIZE + i] = (float)(second_gain * sin(i * 0.7));
    }
    return measure(x, x, SIZE + HOP, 48000, 4096).shape.centroid_hz;
}

static void the_median_of_an_even_count_is_the_mean_of_the_middle_two(void **state)
{
    (void)state;
    const double first_hz = centroid_of(1, 0), second_hz = centroid_of(0, 1);
    assert_true(second_hz > first_hz + 1000);
    assert_near(centroid_of(1, 1), 0.5 * (first_hz + second_hz), 0.5);
}

// Hann takes a constant to bins 0 and 1, both under 20 Hz; rounding is no energy.
static void a_constant_has_no_bands(void **state)
{
    (void)state;
    float *x = make_buffer(44100);
    for (int i = 0; i < 44100; ++i)
        x[i] = 0.3F;
    const struct spectrum s = measure(x, x, 44100, 44100, 4096);
    assert_near(s.total, 0.0, 0.0);
    assert_near(s.shape.centroid_hz, 0.0, 0.0);
    assert_near(s.shape.flatness, 0.0, 0.0);
    free(x);
}

static void silence_and_nothing_are_zeros(void **state)
{
    (void)state;
    float *x = make_buffer(10000);
    for (uint32_t frames = 0; frames <= 10000; frames += 2500) {
        const struct spectrum s = measure(x, x, frames, 44100, 4096);
        assert_near(s.total, 0.0, 0.0);
        assert_near(s.shape.rolloff_hz, 0.0, 0.0);
    }
    free(x);
}

// 130 dB under the other side's tone lies within what 24 bits can hold: it is no rounding.
static void a_faint_tone_beside_a_loud_one_keeps_its_band(void **state)
{
    (void)state;
    float *loud = make_buffer(4 * SIZE), *faint = make_buffer(4 * SIZE);
    const double ratio = 3e-7;
    for (int i = 0; i < 4 * SIZE; ++i) {
        loud[i] = (float)sin(2 * M_PI * 100.0 * i / SIZE);
        faint[i] = (float)(ratio * sin(2 * M_PI * 1500.0 * i / SIZE));
    }
    const struct spectrum s = measure(loud, faint, 4 * SIZE, 44100, 4096);
    assert_near(s.bands[6] / (ratio * ratio), 1.0, 0.3);
    free(loud);
    free(faint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tone_on_a_bin_is_shared_by_the_cells_around_an_edge),
        cmocka_unit_test(a_short_signal_equals_its_plain_transform),
        cmocka_unit_test(white_noise_has_the_flatness_of_its_statistics),
        cmocka_unit_test(only_whole_frames_count),
        cmocka_unit_test(frames_40_db_under_the_loudest_are_silent),
        cmocka_unit_test(the_median_of_an_even_count_is_the_mean_of_the_middle_two),
        cmocka_unit_test(a_constant_has_no_bands),
        cmocka_unit_test(silence_and_nothing_are_zeros),
        cmocka_unit_test(a_faint_tone_beside_a_loud_one_keeps_its_band),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
