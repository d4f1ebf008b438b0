// SPDX-License-Identifier: MIT
// The signals of EBU Tech 3341 that can be made, without true peak, at five rates.
#include "dsp/level/loudness_meter.h"
#include "support/loudness_signal.h"
#include "support/near.h"

static void case_1_and_2_steady_tones_read_alike_in_m_s_and_i(void **state)
{
    (void)state;
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r)
        for (double level_db = -23; level_db >= -33; level_db -= 10) {
            const struct loudness_piece pieces[] = {{level_db, 20}};
            const struct loudness_figures m =
                loudness_measure_tones(LOUDNESS_RATES_HZ[r], pieces, 1);
            assert_near(m.integrated_lufs, level_db, LOUDNESS_TOLERANCE_LU);
            assert_near(m.momentary_max_lufs, level_db, LOUDNESS_TOLERANCE_LU);
            assert_near(m.short_term_max_lufs, level_db, LOUDNESS_TOLERANCE_LU);
        }
}

static void case_3_relative_gate(void **state)
{
    (void)state;
    loudness_assert_integrated((const struct loudness_piece[]){{-36, 10}, {-23, 60}, {-36, 10}}, 3,
                               -23);
}

static void case_4_absolute_gate(void **state)
{
    (void)state;
    loudness_assert_integrated(
        (const struct loudness_piece[]){{-72, 10}, {-36, 10}, {-23, 60}, {-36, 10}, {-72, 10}}, 5,
        -23);
}

static void case_5_levels_on_both_sides_of_the_result(void **state)
{
    (void)state;
    loudness_assert_integrated((const struct loudness_piece[]){{-26, 20}, {-20, 20.1}, {-26, 20}},
                               3, -23);
}

static void case_6_surround_with_and_without_a_silent_lfe(void **state)
{
    (void)state;
    static const double five_db[] = {-28, -28, -24, -30, -30};
    static const double six_db[] = {-28, -28, -24, -999, -30, -30};
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r) {
        struct loudness_signal five =
            loudness_signal_make_levels(LOUDNESS_RATES_HZ[r], 5, five_db, 3);
        struct loudness_signal six =
            loudness_signal_make_levels(LOUDNESS_RATES_HZ[r], 6, six_db, 3);
        const struct loudness_figures a = loudness_signal_measure(&five),
                                      b = loudness_signal_measure(&six);
        assert_near(a.integrated_lufs, -23, LOUDNESS_TOLERANCE_LU);
        assert_near(a.integrated_lufs, b.integrated_lufs, 1e-9);
    }
}

static void case_9_short_term_is_constant_for_a_pattern_of_3_s(void **state)
{
    (void)state;
    struct loudness_piece pieces[10];
    for (int i = 0; i < 10; ++i)
        pieces[i] = i % 2 ? (struct loudness_piece){-30, 1.66} : (struct loudness_piece){-20, 1.34};
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r) {
        const struct loudness_figures m = loudness_measure_tones(LOUDNESS_RATES_HZ[r], pieces, 10);
        assert_near(m.short_term_max_lufs, -23, LOUDNESS_TOLERANCE_LU);
        assert_near(m.exact.short_term_min_lufs, -23, LOUDNESS_TOLERANCE_LU);
    }
}

static void case_10_short_term_maximum_of_3_s_anywhere(void **state)
{
    (void)state;
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r)
        for (int i = 0; i < 20; i += r == 1 ? 1 : 7) {
            const struct loudness_piece pieces[] = {
                {LOUDNESS_SILENCE_DB, 0.15 * i}, {-23, 3}, {LOUDNESS_SILENCE_DB, 1}};
            const struct loudness_figures m =
                loudness_measure_tones(LOUDNESS_RATES_HZ[r], pieces, 3);
            assert_near(m.short_term_max_lufs, -23, LOUDNESS_TOLERANCE_LU);
        }
}

// One file holds segments that grow louder; each ends with the loudest window so far.
static void assert_rising_maxima(double tone_s, double segment_s, double shift_s,
                                 double (*maximum)(const struct loudness_meter *))
{
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r) {
        struct loudness_meter *meter = NULL;
        const struct pcm_format format = {LOUDNESS_RATES_HZ[r],
                                          loudness_channels_at(LOUDNESS_RATES_HZ[r])};
        assert_int_equal(loudness_meter_create(&meter, &format), 0);
        for (int i = 0; i < 20; ++i) {
            const struct loudness_piece pieces[] = {
                {LOUDNESS_SILENCE_DB, shift_s * i},
                {-38 + i, tone_s},
                {LOUDNESS_SILENCE_DB, segment_s - tone_s - shift_s * i}};
            struct loudness_signal segment =
                loudness_signal_make_tones(LOUDNESS_RATES_HZ[r], pieces, 3);
            assert_int_equal(loudness_meter_feed(meter, segment.samples, segment.frames), 0);
            free(segment.samples);
            assert_near(maximum(meter), -38 + i, LOUDNESS_TOLERANCE_LU);
        }
        loudness_meter_destroy(&meter);
    }
}

static void case_11_short_term_maxima_of_twenty_levels(void **state)
{
    (void)state;
    assert_rising_maxima(3, 6, 0.15, loudness_meter_short_term_max_lufs);
}

static void case_12_momentary_is_constant_for_a_pattern_of_400_ms(void **state)
{
    (void)state;
    struct loudness_piece pieces[50];
    for (int i = 0; i < 50; ++i)
        pieces[i] = i % 2 ? (struct loudness_piece){-30, 0.22} : (struct loudness_piece){-20, 0.18};
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r) {
        const struct loudness_figures m = loudness_measure_tones(LOUDNESS_RATES_HZ[r], pieces, 50);
        assert_near(m.momentary_max_lufs, -23, LOUDNESS_TOLERANCE_LU);
        assert_near(m.exact.momentary_min_lufs, -23, LOUDNESS_TOLERANCE_LU);
        if (LOUDNESS_RATES_HZ[r] == 48000)
            assert_near(m.exact.momentary_max_lufs, -22.96, 0.005); // a figure known from elsewhere
    }
}

static void case_13_momentary_maximum_of_400_ms_anywhere(void **state)
{
    (void)state;
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r)
        for (int i = 0; i < 20; ++i) {
            const struct loudness_piece pieces[] = {
                {LOUDNESS_SILENCE_DB, 0.02 * i}, {-23, 0.4}, {LOUDNESS_SILENCE_DB, 1}};
            const struct loudness_figures m =
                loudness_measure_tones(LOUDNESS_RATES_HZ[r], pieces, 3);
            assert_near(m.momentary_max_lufs, -23, LOUDNESS_TOLERANCE_LU);
        }
}

static void case_14_momentary_maxima_of_twenty_levels(void **state)
{
    (void)state;
    assert_rising_maxima(0.4, 0.8, 0.02, loudness_meter_momentary_max_lufs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_1_and_2_steady_tones_read_alike_in_m_s_and_i),
        cmocka_unit_test(case_3_relative_gate),
        cmocka_unit_test(case_4_absolute_gate),
        cmocka_unit_test(case_5_levels_on_both_sides_of_the_result),
        cmocka_unit_test(case_6_surround_with_and_without_a_silent_lfe),
        cmocka_unit_test(case_9_short_term_is_constant_for_a_pattern_of_3_s),
        cmocka_unit_test(case_10_short_term_maximum_of_3_s_anywhere),
        cmocka_unit_test(case_11_short_term_maxima_of_twenty_levels),
        cmocka_unit_test(case_12_momentary_is_constant_for_a_pattern_of_400_ms),
        cmocka_unit_test(case_13_momentary_maximum_of_400_ms_anywhere),
        cmocka_unit_test(case_14_momentary_maxima_of_twenty_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
