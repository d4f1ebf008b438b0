// SPDX-License-Identifier: MIT
// Onset strengths against their definition in plain doubles.
#include "dsp/rhythm/onset.h"
#include "support/near.h"
#include "support/rng.h"
#include <string.h>

#define RATE_HZ 22050.0
#define BIN_HZ  (RATE_HZ / (2.0 * (ONSET_BINS - 1)))
enum { BANDS = 72, FRAMES = 60 };
// A stored unit, and what logarithms in single precision are off by.
static const double STORED = 1.5 / ONSET_SCALE;

static double mel(double hz)
{
    return 2595.0 * log10(1.0 + hz / 700.0);
}

/// Powers of triangular bands, whose tops are equally far apart from 30 to 11,000 Hz in mel.
static void sum_bands(const float *power, double bands[BANDS])
{
    const double step = (mel(11000.0) - mel(30.0)) / (BANDS - 1);
    for (int b = 0; b < BANDS; b++)
        bands[b] = 0.0;
    for (int k = 0; k < ONSET_BINS; k++) {
        const double place = (mel(k * BIN_HZ) - mel(30.0)) / step;
        for (int b = 0; b < BANDS && k * BIN_HZ >= 30.0 && k * BIN_HZ < 11000.0; b++)
            bands[b] += fmax(0.0, 1.0 - fabs(place - b)) * (double)power[k];
    }
}

static double band_top_hz(int b)
{
    return 700.0 * (pow(10.0, (mel(30.0) + b * (mel(11000.0) - mel(30.0)) / 71.0) / 2595.0) - 1.0);
}

/// Mean over the bands whose tops lie in a range of what each rises over what it was and over a floor.
static double mean_rise(const double *before, const double *now, double floor, double from_hz,
                        double to_hz)
{
    double sum = 0.0, count = 0.0;
    for (int b = 0; b < BANDS; b++) {
        if (band_top_hz(b) < from_hz || band_top_hz(b) >= to_hz)
            continue;
        sum += fmax(0.0, log(fmax(now[b], 1e-37)) - log(fmax(fmax(before[b], floor), 1e-37)));
        count += 1.0;
    }
    return sum / count;
}

/// Spectra of up to 100 dB between one bin and another, and between one frame and another.
static float *make_spectra(void)
{
    float *spectra = calloc((size_t)FRAMES * ONSET_BINS, sizeof(*spectra));
    uint64_t seed = 4;
    assert_non_null(spectra);
    for (int t = 2; t < FRAMES; t++) { // of silence, two
        const double level = exp(-12.0 * rng_unit(&seed));
        for (int k = 0; k < ONSET_BINS; k++)
            spectra[t * ONSET_BINS + k] = (float)(level * exp(-12.0 * rng_unit(&seed)));
    }
    return spectra;
}

static struct onset *push(const float *spectra, int frames)
{
    struct onset *onset;
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < frames; t++)
        onset_push(onset, spectra + (size_t)t * ONSET_BINS);
    assert_int_equal(onset_frames(onset), frames);
    return onset;
}

static double strength(const uint16_t *stored, int t)
{
    return (double)stored[t] / ONSET_SCALE;
}

static void strengths_are_mean_rises_of_mel_bands_and_loud_ones_count_fivefold(void **state)
{
    (void)state;
    static const struct {
        enum onset_part part;
        double from_hz, to_hz;
    } parts[] = {{ONSET_LOW, 0.0, 200.0}, {ONSET_MIDDLE, 200.0, 2500.0}, {ONSET_HIGH, 2500.0, 2e4}};
    float *spectra = make_spectra();
    struct onset *onset = push(spectra, FRAMES);
    double before[BANDS] = {0.0}, now[BANDS], loudest = 0.0;
    for (int t = 0; t < FRAMES; t++) {
        sum_bands(spectra + (size_t)t * ONSET_BINS, now);
        for (int b = 0; b < BANDS; b++)
            loudest = fmax(loudest, now[b]);
        const double all = mean_rise(before, now, 1e-6 * loudest, 0.0, 2e4);
        const double loud = mean_rise(before, now, 1e-3 * loudest, 0.0, 2e4);
        assert_near(strength(onset_strength(onset), t), (all + 4.0 * loud) / 5.0, STORED);
        for (size_t p = 0; p < sizeof(parts) / sizeof(*parts); p++)
            assert_near(strength(onset_part_strength(onset, parts[p].part), t),
                        mean_rise(before, now, 1e-6 * loudest, parts[p].from_hz, parts[p].to_hz),
                        STORED);
        memcpy(before, now, sizeof(before));
    }
    onset_destroy(&onset);
    free(spectra);
}

/// Of -320 dB, as decoders leave it before the music: 12 dB more or less would make an onset of it or none.
static void what_is_left_in_silence_is_no_onset_at_any_gain(void **state)
{
    (void)state;
    float *spectra = make_spectra();
    uint64_t seed = 9;
    for (int k = 0; k < 2 * ONSET_BINS; k++)
        spectra[k] = (float)(1e-31 * exp(-12.0 * rng_unit(&seed)));
    struct onset *plain = push(spectra, FRAMES);
    for (int gain = 0; gain < 2; gain++) {
        for (int k = 0; k < FRAMES * ONSET_BINS; k++)
            spectra[k] *= gain ? 251.18864f : 0.063095734f; // 24 dB from 12 dB less
        struct onset *moved = push(spectra, FRAMES);
        for (int t = 0; t < FRAMES; t++)
            assert_near(strength(onset_strength(moved), t), strength(onset_strength(plain), t),
                        STORED);
        onset_destroy(&moved);
    }
    assert_int_equal(onset_strength(plain)[0], 0);
    assert_int_equal(onset_strength(plain)[1], 0);
    assert_true(onset_strength(plain)[2] > ONSET_SCALE);
    onset_destroy(&plain);
    free(spectra);
}

/// The bins of up to 2 kHz are of one shape before a frame and of another, at right angles to it, from that frame on.
/// What lies above changes all the time.
static float *make_change(int change)
{
    enum { FIRST = 4, END = 188 };
    float *spectra = calloc((size_t)FRAMES * ONSET_BINS, sizeof(*spectra));
    assert_non_null(spectra);
    for (int t = 0; t < FRAMES; t++)
        for (int k = FIRST; k < ONSET_BINS; k++)
            spectra[t * ONSET_BINS + k] = (float)(k < END ? k % 2 == (t >= change) : (t + k) % 2);
    return spectra;
}

/// One minus the cosine between the sums of `span` amplitudes before a frame and from it on, where the shape changed
/// `away` frames earlier or later.
static double turn(int away, int span)
{
    const double mixed = fmin(1.0, (double)abs(away) / span), pure = 1.0 - mixed;
    return 1.0 - mixed / sqrt(mixed * mixed + pure * pure);
}

static void a_change_of_pitch_is_told_from_4_frames_and_one_of_harmony_from_12(void **state)
{
    (void)state;
    enum { CHANGE = 30 };
    float *spectra = make_change(CHANGE);
    struct onset *onset = push(spectra, FRAMES);
    for (int t = 24; t < FRAMES - 12; t++) {
        assert_near(strength(onset_part_strength(onset, ONSET_CHANGE), t), turn(t - CHANGE, 4),
                    STORED);
        assert_near(strength(onset_part_strength(onset, ONSET_HARMONY), t), turn(t - CHANGE, 12),
                    STORED);
    }
    onset_destroy(&onset);
    free(spectra);
}

static void
weight_is_the_growth_of_the_amplitude_under_150_hz_as_a_share_of_the_largest(void **state)
{
    (void)state;
    float *spectra = make_spectra();
    struct onset *onset = push(spectra, FRAMES);
    double before = 0.0, heaviest = 0.0;
    for (int t = 0; t < FRAMES; t++) {
        double sum = 0.0;
        for (int k = 2; k * BIN_HZ < 150.0; k++) // the window's lobes around 0 Hz lie below
            sum += (double)spectra[t * ONSET_BINS + k];
        heaviest = fmax(heaviest, sqrt(sum));
        const double growth = heaviest > 0.0 ? fmax(0.0, sqrt(sum) - before) / heaviest : 0.0;
        assert_near(strength(onset_part_strength(onset, ONSET_WEIGHT), t), growth, STORED);
        before = sqrt(sum);
    }
    onset_destroy(&onset);
    free(spectra);
}

static void after_the_hour_that_is_kept_the_latest_stretch_is(void **state)
{
    (void)state;
    enum { RATE = 200, KEPT = 3600 * RATE / 512, LATE = ONSET_LATE_FRAMES + 5 };
    struct onset *onset;
    assert_int_equal(onset_create(&onset, RATE), 0);
    float quiet[ONSET_BINS], loud[ONSET_BINS];
    for (int k = 0; k < ONSET_BINS; k++) {
        quiet[k] = 1.0f;
        loud[k] = 10.0f;
    }
    for (int t = 0; t < KEPT + LATE; t++) {
        onset_push(onset, t == KEPT - 1 || t == KEPT + 3 || t == KEPT + LATE - 2 ? loud : quiet);
        const struct onset_stretch late = onset_late_stretch(onset);
        const int after = t + 1 - KEPT;
        assert_int_equal(onset_frames(onset), after < 0 ? t + 1 : KEPT);
        assert_int_equal(late.frames, after <= 0 ? 0 : (after - 1) % ONSET_LATE_FRAMES + 1);
        if (after == ONSET_LATE_FRAMES)
            assert_near(strength(late.strength, 3), log(10.0), STORED);
    }
    const struct onset_stretch late = onset_late_stretch(onset);
    assert_near(strength(onset_strength(onset), KEPT - 1), log(10.0), STORED);
    assert_near(strength(late.strength, 3), log(10.0), STORED);
    assert_near(strength(late.strength, 2), 0.0, STORED);
    onset_destroy(&onset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strengths_are_mean_rises_of_mel_bands_and_loud_ones_count_fivefold),
        cmocka_unit_test(what_is_left_in_silence_is_no_onset_at_any_gain),
        cmocka_unit_test(a_change_of_pitch_is_told_from_4_frames_and_one_of_harmony_from_12),
        cmocka_unit_test(
            weight_is_the_growth_of_the_amplitude_under_150_hz_as_a_share_of_the_largest),
        cmocka_unit_test(after_the_hour_that_is_kept_the_latest_stretch_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
