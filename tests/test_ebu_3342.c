// SPDX-License-Identifier: MIT
// The signals of EBU Tech 3342 that can be made, at five rates. Its tolerance is 1 LU; a fifth is asked for.
#include "support/loudness_signal.h"
#include "support/near.h"

static void loudness_ranges(void **state)
{
    (void)state;
    static const struct {
        double levels_db[5];
        uint32_t count;
        double range_lu;
    } cases[] = {{{-20, -30}, 2, 10},
                 {{-20, -15}, 2, 5},
                 {{-40, -20}, 2, 20},
                 {{-50, -35, -20, -35, -50}, 5, 15}};
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r)
        for (int c = 0; c < 4; ++c) {
            struct loudness_piece pieces[5];
            for (uint32_t p = 0; p < cases[c].count; ++p)
                pieces[p] = (struct loudness_piece){cases[c].levels_db[p], 20};
            const struct loudness_figures m =
                loudness_measure_tones(LOUDNESS_RATES_HZ[r], pieces, cases[c].count);
            assert_near(m.range_lu, cases[c].range_lu, 0.2);
        }
}

// The standard's cases have two or three levels, so that no percentile is looked at closely.
static void percentiles_of_a_staircase_are_the_nearest_ranks(void **state)
{
    (void)state;
    struct loudness_piece pieces[32];
    for (int i = 0; i < 32; ++i)
        pieces[i] = (struct loudness_piece){-38 + 0.5 * i, 2};
    loudness_measure_tones(48000, pieces, 32);
    for (uint32_t count = 2; count < 6; ++count) { // few windows: each rank is another value
        const struct loudness_figures m = loudness_measure_tones(48000, pieces, count);
        assert_true(m.range_lu > 0);
    }
}

// A minute of one level, then 20 s of another: of 771 windows, 571 hold the first alone, 171 the second, and
// the first's share of the 29 between them comes to 14.5.
static double range_lu_of(double second_under_mean_lu)
{
    const double mean_db = 10 * log10((571 + 14.5) / 771);
    const struct loudness_piece pieces[2] = {{-20, 60}, {-20 + mean_db - second_under_mean_lu, 20}};
    return loudness_measure_tones(48000, pieces, 2).range_lu;
}

// The standard's cases have nothing between 19 and 21 LU under their mean.
static void relative_gate_lies_20_lu_under_the_mean(void **state)
{
    (void)state;
    const double mean_db = 10 * log10((571 + 14.5) / 771);
    assert_near(range_lu_of(19.9), 19.9 - mean_db, 0.01);
    assert_near(range_lu_of(20.1), 0, 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loudness_ranges),
        cmocka_unit_test(relative_gate_lies_20_lu_under_the_mean),
        cmocka_unit_test(percentiles_of_a_staircase_are_the_nearest_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
