// SPDX-License-Identifier: MIT
#include "cuda/grid_control.h"
#include "gpu/stft_bands.h"
#include "gpu/stft_kernels_cuda.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ORDERS = 5, GUARD = 8 };

static uint32_t random_state;

static float noise(void)
{
    random_state = random_state * 1664525U + 1013904223U;
    return (float)((double)(random_state >> 8) / (1 << 23) - 1);
}

static float *noise_array(size_t count)
{
    float *array = malloc((count + GUARD) * sizeof *array);
    assert_non_null(array);
    for (size_t i = 0; i < count + GUARD; ++i)
        array[i] = noise();
    return array;
}

// --- Windowing

static void window_frames_equals_reference(uint32_t size, uint32_t channels, uint32_t frames,
                                           uint32_t batch)
{
    const size_t planes = (size_t)2 * batch * size;
    float *pcm = noise_array((size_t)(frames + 1) * size / 2 * channels);
    pcm[3] = NAN;
    pcm[size / 2] = INFINITY;
    pcm[size - 1] = 1025;
    float *window = noise_array(size);
    float *device = noise_array(planes), *reference = malloc((planes + GUARD) * sizeof *reference);
    assert_non_null(reference);
    memcpy(reference, device, (planes + GUARD) * sizeof *reference);
    struct window_frames_args args = {.pcm = pcm,
                                      .window = window,
                                      .planes = device,
                                      .frames = frames,
                                      .batch = batch,
                                      .size = size,
                                      .hop = size / 2,
                                      .channels = channels};
    stft_downmix_gains(&args, channels);

    assert_int_equal(window_frames_cuda(&args, NULL), 0);
    args.planes = reference;
    window_frames_c(&args);

    assert_memory_equal(device, reference, (planes + GUARD) * sizeof *reference);
    free(pcm);
    free(window);
    free(device);
    free(reference);
}

static void window_frames_is_the_reference_bit_for_bit_in_any_order(void **state)
{
    (void)state;
    for (uint32_t order = 0; order < ORDERS; ++order) {
        cuda_grid_set_order(order);
        window_frames_equals_reference(256, 1, 1, 1);
        window_frames_equals_reference(254, 2, 2, 3);
        window_frames_equals_reference(514, 6, 1, 2);
        window_frames_equals_reference(770, 8, 3, 3);
    }
}

static void frames_beyond_the_last_are_zeros(void **state)
{
    (void)state;
    enum { SIZE = 300, BATCH = 3 };
    float *pcm = noise_array(SIZE * 2), *window = noise_array(SIZE);
    float *planes = noise_array((size_t)2 * BATCH * SIZE);
    const struct window_frames_args args = {.pcm = pcm,
                                            .window = window,
                                            .planes = planes,
                                            .frames = 1,
                                            .batch = BATCH,
                                            .size = SIZE,
                                            .hop = SIZE / 2,
                                            .channels = 2,
                                            .left = {1, 0},
                                            .right = {0, 1}};

    assert_int_equal(window_frames_cuda(&args, NULL), 0);

    assert_true(planes[0] == window[0] * pcm[0] && planes[SIZE] == window[0] * pcm[1]);
    for (size_t i = 2 * SIZE; i < (size_t)2 * BATCH * SIZE; ++i)
        assert_true(planes[i] == 0.0F);
    free(pcm);
    free(window);
    free(planes);
}

// --- Band energies

static void assert_near_reference(const float *device, const float *reference, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i)
        assert_true(fabs((double)device[i] - (double)reference[i]) <= 1e-6 * (double)reference[i]);
}

static void band_energies_equals_reference(uint32_t rate_hz, uint32_t frames)
{
    const struct stft_shape shape = stft_shape_for(rate_hz);
    const uint32_t count = frames * BAND_COUNT;
    float *spectra = noise_array((size_t)frames * 4 * shape.bins);
    float *device = noise_array(count), *reference = malloc((count + GUARD) * sizeof *reference);
    assert_non_null(reference);
    memcpy(reference, device, (count + GUARD) * sizeof *reference);
    struct band_energies_args args = {
        .spectra = spectra, .energies = device, .frames = frames, .bins = shape.bins};
    memcpy(args.bands, shape.bands, sizeof args.bands);

    assert_int_equal(band_energies_cuda(&args, NULL), 0);
    args.energies = reference;
    band_energies_c(&args);

    assert_near_reference(device, reference, count);
    assert_memory_equal(device + count, reference + count, GUARD * sizeof *device);
    free(spectra);
    free(device);
    free(reference);
}

static void band_energies_is_near_the_reference_in_any_order(void **state)
{
    (void)state;
    for (uint32_t order = 0; order < ORDERS; ++order) {
        cuda_grid_set_order(order);
        band_energies_equals_reference(44100, 3);
        band_energies_equals_reference(8000, 1);
        band_energies_equals_reference(1000, 1);
        band_energies_equals_reference(96000, 2);
    }
}

// --- The shape itself

static void flat_spectrum_has_the_bands_widths_as_energies(void **state)
{
    (void)state;
    static const double widths_hz[BAND_COUNT] = {40, 190, 250, 1500, 2000, 4000, 12000};
    static const uint32_t rates_hz[] = {40001, 44100, 48000, 88200, 192000, 768000};
    for (size_t r = 0; r < sizeof rates_hz / sizeof rates_hz[0]; ++r) {
        const struct stft_shape shape = stft_shape_for(rates_hz[r]);
        const size_t values = (size_t)4 * shape.bins;
        float *spectra = calloc(values, sizeof *spectra);
        assert_non_null(spectra);
        for (size_t i = 0; i < values; i += 2)
            spectra[i] = 1; // power 2 in each bin
        float energies[BAND_COUNT];
        struct band_energies_args args = {
            .spectra = spectra, .energies = energies, .frames = 1, .bins = shape.bins};
        memcpy(args.bands, shape.bands, sizeof args.bands);

        band_energies_c(&args);

        for (int b = 0; b < BAND_COUNT; ++b) {
            const double cells = widths_hz[b] * shape.size / rates_hz[r];
            assert_true(fabs((double)energies[b] - 2 * cells) < 1e-4 * cells);
        }
        free(spectra);
    }
}

static void bands_over_half_the_rate_are_empty(void **state)
{
    (void)state;
    const struct stft_shape shape = stft_shape_for(4000);

    assert_true(shape.bands[3].last > shape.bands[3].first); // 500..2000 Hz
    assert_true(shape.bands[5].last < shape.bands[5].first);
    assert_true(shape.bands[6].last < shape.bands[6].first);
}

static void size_keeps_a_bin_at_about_11_hz(void **state)
{
    (void)state;
    static const uint32_t expected[][2] = {{1000, 4096},    {44100, 4096},  {48000, 4096},
                                           {48001, 8192},   {96000, 8192},  {176400, 16384},
                                           {384000, 32768}, {768000, 65536}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; ++i) {
        const struct stft_shape shape = stft_shape_for(expected[i][0]);
        assert_int_equal(shape.size, expected[i][1]);
        assert_int_equal(shape.hop, expected[i][1] / 2);
        assert_int_equal(shape.bins, expected[i][1] / 2 + 1);
    }
}

int main(void)
{
    random_state = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_frames_is_the_reference_bit_for_bit_in_any_order),
        cmocka_unit_test(frames_beyond_the_last_are_zeros),
        cmocka_unit_test(band_energies_is_near_the_reference_in_any_order),
        cmocka_unit_test(flat_spectrum_has_the_bands_widths_as_energies),
        cmocka_unit_test(bands_over_half_the_rate_are_empty),
        cmocka_unit_test(size_keeps_a_bin_at_about_11_hz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
