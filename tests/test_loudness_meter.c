// SPDX-License-Identifier: MIT
// Loudness against the standard's table and libebur128.
#include "dsp/level/k_weighting.h"
#include "dsp/level/loudness_meter.h"
#include <ebur128.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

static const uint32_t RATES_HZ[] = {44100, 48000, 96000, 192000};
enum { RATE_COUNT = sizeof RATES_HZ / sizeof *RATES_HZ };

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.6f is not %.6f", value, expected);
}

// A stretch of a 1 kHz sine at the same level in both channels; silence below -200 dB.
struct piece {
    double level_db, seconds;
};

struct signal {
    float *samples;
    uint32_t frames, rate_hz;
};

static struct signal make_tone(uint32_t rate_hz, const struct piece *pieces, uint32_t count)
{
    double seconds = 0;
    for (uint32_t p = 0; p < count; ++p)
        seconds += pieces[p].seconds;
    struct signal signal = {.rate_hz = rate_hz, .frames = (uint32_t)lround(seconds * rate_hz)};
    signal.samples = calloc((size_t)signal.frames * 2, sizeof(float));
    assert_non_null(signal.samples);
    double start = 0;
    for (uint32_t p = 0; p < count; ++p) {
        const double gain = pieces[p].level_db < -200 ? 0 : pow(10, pieces[p].level_db / 20);
        const uint32_t from = (uint32_t)lround(start * rate_hz);
        start += pieces[p].seconds;
        const uint32_t to = (uint32_t)lround(start * rate_hz);
        for (uint32_t i = from; i < to && i < signal.frames; ++i)
            signal.samples[2 * i] = signal.samples[2 * i + 1] =
                (float)(gain * sin(2 * M_PI * 1000.0 * i / rate_hz));
    }
    return signal;
}

static struct loudness_meter *measure(const struct signal *signal, uint32_t channels)
{
    struct loudness_meter *meter = NULL;
    const struct pcm_format format = {signal->rate_hz, channels};
    assert_int_equal(loudness_meter_create(&meter, &format), 0);
    assert_int_equal(loudness_meter_feed(meter, signal->samples, signal->frames), 0);
    return meter;
}

static double integrated_by_peer(const struct signal *signal)
{
    ebur128_state *peer = ebur128_init(2, signal->rate_hz, EBUR128_MODE_I);
    assert_non_null(peer);
    assert_int_equal(ebur128_add_frames_float(peer, signal->samples, signal->frames), 0);
    double lufs = 0;
    assert_int_equal(ebur128_loudness_global(peer, &lufs), 0);
    ebur128_destroy(&peer);
    return lufs;
}

static void k_filter_at_48_khz_is_the_standards_table(void **state)
{
    (void)state;
    struct k_coefficients k;
    k_weighting_design(&k, 48000);
    const double shelf_b[] = {1.53512485958697, -2.69169618940638, 1.19839281085285};
    const double shelf_a[] = {1, -1.69065929318241, 0.73248077421585};
    const double high_pass_b[] = {1, -2, 1};
    const double high_pass_a[] = {1, -1.99004745483398, 0.99007225036621};
    for (int i = 0; i < 3; ++i) {
        assert_near(k.shelf_b[i], shelf_b[i], 1e-10);
        assert_near(k.shelf_a[i], shelf_a[i], 1e-10);
        assert_near(k.high_pass_b[i], high_pass_b[i], 1e-10);
        assert_near(k.high_pass_a[i], high_pass_a[i], 1e-10);
    }
}

// Both gates have work. The filters of both come from the same prototype, so that the peer is the
// yardstick at every rate; the standard's own cases are in test_ebu_3341.c.
static void agrees_with_libebur128_on_gated_tones_at_every_rate(void **state)
{
    (void)state;
    const struct piece pieces[] = {{-72, 2}, {-36, 3}, {-23, 4}, {-26, 3}, {-72, 2}};
    for (uint32_t r = 0; r < RATE_COUNT; ++r) {
        struct signal signal = make_tone(RATES_HZ[r], pieces, 5);
        struct loudness_meter *meter = measure(&signal, 2);
        assert_near(loudness_meter_integrated_lufs(meter), integrated_by_peer(&signal), 0.001);
        loudness_meter_destroy(&meter);
        free(signal.samples);
    }
}

static void mono_counts_on_both_sides(void **state)
{
    (void)state;
    struct signal signal = make_tone(48000, (const struct piece[]){{-23, 5}}, 1);
    for (uint32_t i = 0; i < signal.frames; ++i)
        signal.samples[i] = signal.samples[2 * i];
    struct loudness_meter *meter = measure(&signal, 1);
    assert_near(loudness_meter_integrated_lufs(meter), -22.993, 0.02);
    loudness_meter_destroy(&meter);
    free(signal.samples);
}

static void agrees_with_libebur128_on_shaped_noise(void **state)
{
    (void)state;
    struct signal signal = {.rate_hz = 44100, .frames = 44100 * 30};
    signal.samples = calloc((size_t)signal.frames * 2, sizeof(float));
    assert_non_null(signal.samples);
    uint32_t seed = 7;
    float low = 0;
    for (uint32_t i = 0; i < signal.frames * 2; ++i) {
        seed = seed * 1664525U + 1013904223U;
        low += 0.1F * ((float)(seed >> 8) / 8388608.0F - 1.0F - low);
        signal.samples[i] = low * (float)(0.05 + 0.5 * fabs(sin(i * 3e-6)));
    }
    struct loudness_meter *meter = measure(&signal, 2);
    assert_near(loudness_meter_integrated_lufs(meter), integrated_by_peer(&signal), 0.001);
    loudness_meter_destroy(&meter);
    free(signal.samples);
}

static void silence_reads_minus_70_and_has_no_maxima(void **state)
{
    (void)state;
    struct signal signal = make_tone(8000, (const struct piece[]){{-999, 5}}, 1);
    struct loudness_meter *meter = measure(&signal, 2);
    assert_true(loudness_meter_integrated_lufs(meter) == -70.0);
    assert_true(isnan(loudness_meter_momentary_max_lufs(meter)));
    assert_true(isnan(loudness_meter_short_term_max_lufs(meter)));
    assert_int_equal(loudness_list_short_term_count(loudness_meter_list(meter)), 21);
    loudness_meter_destroy(&meter);
    free(signal.samples);
}

// At 11,026 Hz 100 ms are 1102.6 frames and 200 ms are 2205.2: steps end at the nearest frame.
static void steps_end_at_the_frame_nearest_to_their_time(void **state)
{
    (void)state;
    static const uint32_t ends[] = {1103, 2205, 3308, 4410, 5513};
    static float silence[5513];
    for (uint32_t i = 0; i < 5; ++i)
        for (uint32_t missing = 0; missing < 2; ++missing) {
            struct loudness_meter *meter = NULL;
            assert_int_equal(loudness_meter_create(
                                 &meter, &(struct pcm_format){.rate_hz = 11026, .channels = 1}),
                             0);
            assert_int_equal(loudness_meter_feed(meter, silence, ends[i] - missing), 0);
            assert_int_equal(loudness_list_steps(loudness_meter_list(meter)).count,
                             i + 1 - missing);
            loudness_meter_destroy(&meter);
        }
}

// Two windows of 3 s, of which the first begins with 0.1 s of nothing: it has 29 of 30 parts of the other's power.
static void variation_of_two_windows_is_half_of_what_they_are_apart(void **state)
{
    (void)state;
    struct signal signal = make_tone(48000, (const struct piece[]){{-999, 0.1}, {-20, 3}}, 2);
    struct loudness_meter *meter = measure(&signal, 2);
    assert_int_equal(loudness_list_short_term_count(loudness_meter_list(meter)), 2);
    assert_near(loudness_list_variation_lu(loudness_meter_list(meter)), 5 * log10(30 / 29.0), 5e-4);
    loudness_meter_destroy(&meter);
    signal.frames -= 4800; // one window, which cannot vary
    meter = measure(&signal, 2);
    assert_near(loudness_list_variation_lu(loudness_meter_list(meter)), 0, 0);
    loudness_meter_destroy(&meter);
    free(signal.samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k_filter_at_48_khz_is_the_standards_table),
        cmocka_unit_test(agrees_with_libebur128_on_gated_tones_at_every_rate),
        cmocka_unit_test(mono_counts_on_both_sides),
        cmocka_unit_test(agrees_with_libebur128_on_shaped_noise),
        cmocka_unit_test(silence_reads_minus_70_and_has_no_maxima),
        cmocka_unit_test(steps_end_at_the_frame_nearest_to_their_time),
        cmocka_unit_test(variation_of_two_windows_is_half_of_what_they_are_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
