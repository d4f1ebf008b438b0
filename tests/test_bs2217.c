// SPDX-License-Identifier: MIT
// The signals of ITU-R BS.2217 that can be made, at five rates.
#include "support/loudness_signal.h"
#include "support/near.h"

static struct loudness_signal make_sine(uint32_t rate_hz, double hz, double lufs)
{
    const uint32_t channels = loudness_channels_at(rate_hz);
    struct loudness_signal signal = loudness_signal_make(rate_hz, channels, 2);
    // Both channels together: amplitude^2 * gain^2, less the constant of the definition.
    const double amplitude = pow(10, (lufs + 0.691) / 20) / bs1770_gain(rate_hz, hz);
    for (uint32_t i = 0; i < signal.frames; ++i)
        for (uint32_t c = 0; c < channels; ++c)
            signal.samples[(size_t)i * channels + c] =
                (float)(amplitude * sin(2 * M_PI * hz * i / rate_hz));
    return signal;
}

static void sines_over_the_band_read_minus_23_and_minus_24(void **state)
{
    (void)state;
    static const double hz[] = {25, 100, 500, 1000, 2000, 10000};
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r)
        for (int f = 0; f < 6; ++f)
            for (double lufs = -23; lufs >= -24; lufs -= 1) {
                struct loudness_signal sine = make_sine(LOUDNESS_RATES_HZ[r], hz[f], lufs);
                assert_near(loudness_signal_measure(&sine).integrated_lufs, lufs,
                            LOUDNESS_TOLERANCE_LU);
            }
}

// A sweep whose level follows the filter: it is the one signal that checks the filter's shape.
static void a_sweep_of_constant_loudness_stays_at_minus_18(void **state)
{
    (void)state;
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r) {
        const double rate_hz = LOUDNESS_RATES_HZ[r], seconds = 10;
        struct loudness_signal sweep = loudness_signal_make(
            LOUDNESS_RATES_HZ[r], loudness_channels_at(LOUDNESS_RATES_HZ[r]), seconds);
        double phase = 0, amplitude = 0;
        for (uint32_t i = 0; i < sweep.frames; ++i) {
            const double hz = 40 * pow(400, i / (seconds * rate_hz)); // to 16 kHz
            if (i % 64 == 0)
                amplitude = pow(10, (-18 + 0.691) / 20) / bs1770_gain(LOUDNESS_RATES_HZ[r], hz);
            phase += 2 * M_PI * hz / rate_hz;
            for (uint32_t c = 0; c < sweep.format.channels; ++c)
                sweep.samples[(size_t)i * sweep.format.channels + c] =
                    (float)(amplitude * sin(phase));
        }
        const struct loudness_figures m = loudness_signal_measure(&sweep);
        assert_near(m.integrated_lufs, -18, LOUDNESS_TOLERANCE_LU);
        assert_near(m.momentary_max_lufs, -18, 2 * LOUDNESS_TOLERANCE_LU);
        assert_near(m.exact.momentary_min_lufs, -18, 2 * LOUDNESS_TOLERANCE_LU);
    }
}

static void gates_leave_the_loud_part_alone(void **state)
{
    (void)state;
    loudness_assert_integrated((const struct loudness_piece[]){{-10, 10}, {-30, 10}}, 2, -10);
    loudness_assert_integrated((const struct loudness_piece[]){{-69.5, 10}, {-70.5, 10}}, 2, -69.5);
}

static void each_channel_counts_by_its_weight_and_the_lfe_not_at_all(void **state)
{
    (void)state;
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r)
        for (uint32_t c = 0; c < 6; ++c) {
            double levels_db[6] = {-999, -999, -999, -999, -999, -999};
            levels_db[c] = c == 3 ? 0 : c > 3 ? -20 - 10 * log10(1.41) : -20;
            struct loudness_signal lone =
                loudness_signal_make_levels(LOUDNESS_RATES_HZ[r], 6, levels_db, 2);
            assert_near(loudness_signal_measure(&lone).integrated_lufs, c == 3 ? -70 : -23,
                        LOUDNESS_TOLERANCE_LU);
        }
}

// Three fronts of weight 1 and four surrounds of 1.41 at the same level.
static void eight_channels_sum_their_powers(void **state)
{
    (void)state;
    static const double levels_db[] = {-30, -30, -30, -5, -30, -30, -30, -30};
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r) {
        struct loudness_signal all =
            loudness_signal_make_levels(LOUDNESS_RATES_HZ[r], 8, levels_db, 2);
        assert_near(loudness_signal_measure(&all).integrated_lufs, -33 + 10 * log10(3 + 4 * 1.41),
                    LOUDNESS_TOLERANCE_LU);
    }
}

// ITU-R BS.1770-5, table 4, for channels in WAVE order: 3 are L R C, 4 are L R Ls Rs, 5 are L R C Ls Rs. A rate whose
// 10 ms are no whole number of frames, too.
static void fewer_channels_have_the_weights_of_their_places(void **state)
{
    (void)state;
    static const double weights[][5] = {{1, 1, 1}, {1, 1, 1.41, 1.41}, {1, 1, 1, 1.41, 1.41}};
    static const uint32_t rates_hz[] = {48000, 22051};
    for (int r = 0; r < 2; ++r)
        for (uint32_t channels = 3; channels <= 5; ++channels)
            for (uint32_t c = 0; c < channels; ++c) {
                double levels_db[5] = {-999, -999, -999, -999, -999};
                levels_db[c] = -20 - 10 * log10(weights[channels - 3][c]);
                struct loudness_signal lone =
                    loudness_signal_make_levels(rates_hz[r], channels, levels_db, 2);
                assert_near(loudness_signal_measure(&lone).integrated_lufs, -23,
                            LOUDNESS_TOLERANCE_LU);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sines_over_the_band_read_minus_23_and_minus_24),
        cmocka_unit_test(a_sweep_of_constant_loudness_stays_at_minus_18),
        cmocka_unit_test(gates_leave_the_loud_part_alone),
        cmocka_unit_test(each_channel_counts_by_its_weight_and_the_lfe_not_at_all),
        cmocka_unit_test(eight_channels_sum_their_powers),
        cmocka_unit_test(fewer_channels_have_the_weights_of_their_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
