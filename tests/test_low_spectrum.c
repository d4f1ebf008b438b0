// SPDX-License-Identifier: MIT
// The low spectrum against plain transforms in double precision, at both ends and for any length.
#include "dsp/spectrum/low_spectrum.h"
#include "support/near.h"
#include "support/rng.h"
#include "support/stft.h"
#include <errno.h>
#include <string.h>

enum { LONGEST = 9000, MAX_FRAMES = 1 + LONGEST / LOW_SPECTRUM_HOP };

struct frames {
    uint32_t count, refuse_from; // the receiver fails from this frame on
    float power[MAX_FRAMES][LOW_SPECTRUM_BINS];
    double mean_square[MAX_FRAMES];
};

static int keep(void *context, const struct low_frame *frame)
{
    struct frames *frames = context;
    if (frames->count >= frames->refuse_from)
        return -ENOMEM;
    assert_true(frames->count < MAX_FRAMES);
    memcpy(frames->power[frames->count], frame->power, sizeof *frames->power);
    frames->mean_square[frames->count++] = frame->mean_square;
    return 0;
}

static struct frames *transform(const float *signal, uint32_t count, uint32_t part)
{
    struct frames *frames = calloc(1, sizeof *frames);
    assert_non_null(frames);
    frames->refuse_from = UINT32_MAX;
    struct low_spectrum *spectrum = NULL;
    assert_int_equal(low_spectrum_create(&spectrum, keep, frames), 0);
    for (uint32_t at = 0; at < count; at += part)
        assert_int_equal(
            low_spectrum_feed(spectrum, signal + at, part < count - at ? part : count - at), 0);
    assert_int_equal(low_spectrum_finish(spectrum), 0);
    low_spectrum_destroy(&spectrum);
    assert_null(spectrum);
    return frames;
}

static void make_signal(float *signal, uint64_t seed)
{
    for (int i = 0; i < LONGEST; ++i)
        signal[i] = (float)(0.4 * sin(0.003 * i * (1 + i * 1e-4)) + 0.2 * rng_unit(&seed));
}

static double mean_square(const float *signal, uint32_t count, uint32_t frame)
{
    double sum = 0;
    for (int64_t i = 512 * (int64_t)frame - 1024; i < 512 * (int64_t)frame + 1024; ++i)
        if (i >= 0 && i < count)
            sum += (double)signal[i] * (double)signal[i];
    return sum / 2048;
}

static void frames_are_centred_transforms_for_any_length(void **state)
{
    (void)state;
    static float signal[LONGEST], expected[LOW_SPECTRUM_BINS];
    make_signal(signal, 41);
    const uint32_t lengths[] = {0, 1, 511, 512, 513, 1023, 1024, 2047, 2560, 5000, LONGEST};
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; ++l) {
        struct frames *frames = transform(signal, lengths[l], LONGEST);
        assert_int_equal(frames->count, 1 + lengths[l] / 512);
        for (uint32_t t = 0; t < frames->count; ++t) {
            double loudest = 0;
            stft_power(signal, lengths[l], t, expected);
            for (int k = 0; k < LOW_SPECTRUM_BINS; ++k)
                loudest = fmax(loudest, (double)expected[k]);
            for (int k = 0; k < LOW_SPECTRUM_BINS; ++k)
                assert_near((double)frames->power[t][k], (double)expected[k], 2e-6 * loudest);
            assert_near(frames->mean_square[t], mean_square(signal, lengths[l], t), 1e-7);
        }
        free(frames);
    }
}

// Hann spreads a tone on a bin's centre as 1/6, 2/3, 1/6 of its power.
static void a_tone_on_a_bin_has_the_windows_shape(void **state)
{
    (void)state;
    static float signal[LONGEST];
    for (int i = 0; i < LONGEST; ++i)
        signal[i] = (float)sin(2 * M_PI * 100 * i / 2048.0);
    struct frames *frames = transform(signal, LONGEST, 1000);
    for (uint32_t t = 2; t + 3 < frames->count; ++t) {
        assert_near((double)frames->power[t][100], 512.0 * 512.0, 0.5);
        assert_near((double)frames->power[t][99], 256.0 * 256.0, 0.5);
        assert_near((double)frames->power[t][101], 256.0 * 256.0, 0.5);
        assert_near((double)frames->power[t][103], 0.0, 0.01);
        assert_near(frames->mean_square[t], 0.5, 1e-6);
    }
    free(frames);
}

static void gives_the_same_bits_however_the_input_is_cut(void **state)
{
    (void)state;
    static float signal[LONGEST];
    make_signal(signal, 43);
    struct frames *whole = transform(signal, LONGEST, LONGEST);
    const uint32_t parts[] = {1, 100, 512, 2049};
    for (int p = 0; p < 4; ++p) {
        struct frames *cut = transform(signal, LONGEST, parts[p]);
        assert_memory_equal(cut, whole, sizeof *whole);
        free(cut);
    }
    assert_int_equal(whole->count, MAX_FRAMES);
    free(whole);
}

static void the_receivers_error_ends_the_feed(void **state)
{
    (void)state;
    static float signal[LONGEST];
    struct frames *frames = calloc(1, sizeof *frames);
    assert_non_null(frames);
    frames->refuse_from = 3;
    struct low_spectrum *spectrum = NULL;
    assert_int_equal(low_spectrum_create(&spectrum, keep, frames), 0);
    assert_int_equal(low_spectrum_feed(spectrum, signal, LONGEST), -ENOMEM);
    assert_int_equal(frames->count, 3);
    low_spectrum_destroy(&spectrum);

    frames->refuse_from = frames->count = 0;
    assert_int_equal(low_spectrum_create(&spectrum, keep, frames), 0);
    assert_int_equal(low_spectrum_finish(spectrum), -ENOMEM);
    low_spectrum_destroy(&spectrum);
    free(frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_centred_transforms_for_any_length),
        cmocka_unit_test(a_tone_on_a_bin_has_the_windows_shape),
        cmocka_unit_test(gives_the_same_bits_however_the_input_is_cut),
        cmocka_unit_test(the_receivers_error_ends_the_feed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
