// SPDX-License-Identifier: MIT
// Shapes and bands of spectra that are written by hand.
#include "dsp/spectrum/spectral_shape.h"
#include "support/near.h"
#include "support/rng.h"
#include <string.h>

enum { BINS = 2049 };

struct measured {
    struct spectral_shape shape;
    double bands[BAND_COUNT];
};

static struct measured measure(double bin_hz, const double power[BINS])
{
    static float single[BINS];
    struct spectral_grid grid;
    struct measured out;
    assert_int_equal(spectral_grid_init(&grid, BINS, bin_hz), 0);
    for (int k = 0; k < BINS; ++k)
        single[k] = (float)power[k];
    spectral_grid_measure(&grid, single, &out.shape);
    spectral_grid_bands(&grid, power, out.bands);
    spectral_grid_deinit(&grid);
    assert_null(grid.share);
    return out;
}

static void a_lone_bin_has_its_own_centroid_and_rolls_off_inside_its_cell(void **state)
{
    (void)state;
    const double bin_hz = 44100.0 / 4096;
    const int bins[] = {3, 50, 700, 1857};
    for (int i = 0; i < 4; ++i) {
        double power[BINS] = {0};
        power[bins[i]] = 9;
        const struct measured m = measure(bin_hz, power);
        assert_near(m.shape.centroid_hz, bins[i] * bin_hz, 1e-3);
        assert_near(m.shape.rolloff_hz, (bins[i] - 0.5 + 0.85) * bin_hz, 1e-3);
    }
}

// Of two bins the lower with 3/5 of the magnitude: 85 % lies 5/8 into the upper cell.
static void two_bins_weigh_by_magnitude(void **state)
{
    (void)state;
    double power[BINS] = {0};
    power[100] = 9;
    power[200] = 4;
    const struct measured m = measure(10.0, power);
    assert_near(m.shape.centroid_hz, (3 * 1000 + 2 * 2000) / 5.0, 1e-3);
    assert_near(m.shape.rolloff_hz, 1995 + 10 * 0.625, 1e-3);
}

// Cells are 40 Hz wide: the one around 0 Hz is outside to its edge, that at 40 Hz inside; the one at
// 20,000 Hz counts half.
static void only_20_hz_to_20_khz_counts_and_cells_in_part(void **state)
{
    (void)state;
    double power[BINS] = {0};
    power[0] = 1e6;
    power[501] = 1e6;
    power[25] = 1;
    power[500] = 1;
    const struct measured m = measure(40.0, power);
    assert_near(m.shape.centroid_hz, (1000 + 0.5 * 20000) / 1.5, 0.01);
    assert_near(m.shape.rolloff_hz, 19980 + 20 * (0.85 * 1.5 - 1) / 0.5, 0.01);
    assert_near(m.bands[6], 0.5, 1e-9);
    assert_near(m.bands[3], 1.0, 1e-9);
}

// From a naive sum over finely divided cells, not from the cells' ends.
static void bands_share_out_the_cells_that_their_edges_cut(void **state)
{
    (void)state;
    static const double edges_hz[] = {20, 60, 250, 500, 2000, 4000, 8000, 20000};
    enum { PIECES = 4000 };
    const double bin_hz = 48000.0 / 4096;
    double power[BINS], expected[BAND_COUNT] = {0};
    uint64_t seed = 51;
    for (int k = 0; k < BINS; ++k) {
        power[k] = rng_unit(&seed);
        for (int i = 0; i < PIECES; ++i) {
            const double hz = (k - 0.5 + (i + 0.5) / PIECES) * bin_hz;
            for (int b = 0; b < BAND_COUNT; ++b)
                if (hz >= edges_hz[b] && hz < edges_hz[b + 1])
                    expected[b] += power[k] / PIECES;
        }
    }
    const struct measured m = measure(bin_hz, power);
    for (int b = 0; b < BAND_COUNT; ++b)
        assert_near(m.bands[b], expected[b], 1e-3);
}

static void flatness_of_even_and_of_two_levels(void **state)
{
    (void)state;
    const double bin_hz = 44100.0 / 4096;
    double power[BINS];
    for (int k = 0; k < BINS; ++k)
        power[k] = 7;
    assert_near(measure(bin_hz, power).shape.flatness, 1.0, 1e-6);
    // Bins 2 to 1857 have their centre in 20 Hz..20 kHz: 928 of each level.
    for (int k = 0; k < BINS; ++k)
        power[k] = k % 2 ? 4 : 1;
    assert_near(measure(bin_hz, power).shape.flatness, 2 / 2.5, 1e-6);
    power[0] = power[1] = power[1858] = 1e9; // do not count
    assert_near(measure(bin_hz, power).shape.flatness, 2 / 2.5, 1e-6);
}

// n bins, one of which holds everything: the others are lifted to 1e-4 of the mean.
static void flatness_has_a_floor_at_1e_4_of_the_mean(void **state)
{
    (void)state;
    const double bin_hz = 44100.0 / 4096, n = 1856;
    double power[BINS] = {0};
    power[333] = 5;
    const double geometric = exp(((n - 1) * log(1e-4) + log(n)) / n);
    const double arithmetic = ((n - 1) * 1e-4 + n) / n;
    assert_near(measure(bin_hz, power).shape.flatness, geometric / arithmetic, 1e-8);
}

static void an_empty_spectrum_is_all_zeros(void **state)
{
    (void)state;
    const double power[BINS] = {0};
    const struct measured m = measure(10.0, power);
    assert_near(m.shape.centroid_hz, 0.0, 0.0);
    assert_near(m.shape.rolloff_hz, 0.0, 0.0);
    assert_near(m.shape.flatness, 0.0, 0.0);
    for (int b = 0; b < BAND_COUNT; ++b)
        assert_near(m.bands[b], 0.0, 0.0);
}

// Bins 10 Hz apart have their centres on 20 and on 20,000 Hz: those two count, their neighbours outside do not.
static void flatness_takes_the_bins_on_both_ends(void **state)
{
    (void)state;
    static const int bins[] = {1, 2, 2000, 2001};
    const double n = 1999;
    for (int i = 0; i < 4; ++i) {
        double power[BINS] = {0};
        power[bins[i]] = 5;
        const double expected =
            i == 0 || i == 3 ? 0
                             : exp(((n - 1) * log(1e-4) + log(n)) / n) / (((n - 1) * 1e-4 + n) / n);
        assert_near(measure(10.0, power).shape.flatness, expected, 1e-8);
    }
}

// The cell of bin 2 reaches from 16.15 to 26.92 Hz, of which what is over 20 Hz counts.
static void a_cell_over_20_hz_rolls_off_within_what_counts(void **state)
{
    (void)state;
    const double bin_hz = 44100.0 / 4096;
    double power[BINS] = {0};
    power[2] = 3;
    assert_near(measure(bin_hz, power).shape.rolloff_hz, 20 + 0.85 * (2.5 * bin_hz - 20), 1e-3);
}

// Of a broad spectrum, against a sum over finely divided cells.
static void a_broad_spectrum_rolls_off_where_its_pieces_add_up(void **state)
{
    (void)state;
    enum { PIECES = 400 };
    const double bin_hz = 44100.0 / 4096;
    uint64_t seed = 53;
    for (int round = 0; round < 20; ++round) {
        double power[BINS], total = 0, sum = 0, expected = 0;
        for (int pass = 0; pass < 2; ++pass)
            for (int k = 0; k < BINS; ++k) {
                if (pass == 0)
                    power[k] = rng_unit(&seed) * exp(-k / 200.0 * (round % 4));
                for (int i = 0; i < PIECES; ++i) {
                    const double hz = (k - 0.5 + (i + 0.5) / PIECES) * bin_hz;
                    const double piece = hz >= 20 && hz < 20000 ? sqrt(power[k]) / PIECES : 0;
                    total += pass == 0 ? piece : 0;
                    sum += pass == 1 ? piece : 0;
                    if (pass == 1 && expected <= 0 && sum >= 0.85 * total)
                        expected = hz;
                }
            }
        assert_near(measure(bin_hz, power).shape.rolloff_hz, expected, 0.1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_bin_has_its_own_centroid_and_rolls_off_inside_its_cell),
        cmocka_unit_test(two_bins_weigh_by_magnitude),
        cmocka_unit_test(only_20_hz_to_20_khz_counts_and_cells_in_part),
        cmocka_unit_test(bands_share_out_the_cells_that_their_edges_cut),
        cmocka_unit_test(flatness_of_even_and_of_two_levels),
        cmocka_unit_test(flatness_has_a_floor_at_1e_4_of_the_mean),
        cmocka_unit_test(an_empty_spectrum_is_all_zeros),
        cmocka_unit_test(flatness_takes_the_bins_on_both_ends),
        cmocka_unit_test(a_cell_over_20_hz_rolls_off_within_what_counts),
        cmocka_unit_test(a_broad_spectrum_rolls_off_where_its_pieces_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
