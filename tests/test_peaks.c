// SPDX-License-Identifier: MIT
// Spectral peaks against a plain search, and their places against logarithms of the library's.
#include "dsp/cpu.h"
#include "dsp/tonality/peaks.h"
#include "support/kernel_case.h"
#include "support/near.h"

static struct peaks_circle circle = {.turn = 120};

static void for_each_variant(void (*check)(const struct peaks_impl *))
{
    int checked = 0;
    for (size_t i = 0; i < peaks_impl_count; ++i)
        if (!(peaks_impls[i]->cpu_flags & ~cpu_flags())) {
            check(peaks_impls[i]);
            ++checked;
        }
    assert_true(checked > 0);
}

static void assert_column(const struct peaks *peaks, uint32_t i, const float *power, uint32_t bin)
{
    assert_true(peaks->bins[i] == (float)bin && peaks->centres[i] == circle.places[bin]);
    assert_true(peaks->powers[i] == power[bin]);
    assert_true(peaks->left[i] == power[bin - 1] && peaks->right[i] == power[bin + 1]);
}

static void assert_found(const struct peaks_impl *impl, const float *power, uint32_t first,
                         uint32_t end)
{
    static struct peaks peaks;
    const float least = 0.01F;
    uint32_t found = 0;
    impl->find(&peaks, power, &circle, first, end, least);
    for (uint32_t k = first; k < end; ++k) {
        const float here = power[k], left = power[k - 1], right = power[k + 1];
        if (here > least && here > left && here >= right && left > 0 && right > 0)
            assert_column(&peaks, found++, power, k);
    }
    assert_int_equal(peaks.count, found);
}

static void check_find(const struct peaks_impl *impl)
{
    static float power[PEAKS_BINS];
    uint64_t seed = 71;
    for (uint32_t first = 1; first <= KERNEL_OFFSETS; ++first)
        for (uint32_t length = 0; length < KERNEL_LENGTHS; ++length) {
            kernel_fill_positive(power, PEAKS_BINS, &seed);
            for (uint32_t k = 0; k < PEAKS_BINS; k += 7)
                power[k + 1] = power[k]; // a plateau
            assert_found(impl, power, first, first + length);
            assert_found(impl, power, PEAKS_BINS - 1 - length, PEAKS_BINS - 1);
        }
}

static void peaks_are_over_both_neighbours_and_the_least(void **state)
{
    (void)state;
    for_each_variant(check_find);
}

static void check_every_other(const struct peaks_impl *impl)
{
    static float power[PEAKS_BINS];
    for (uint32_t k = 0; k < PEAKS_BINS; ++k)
        power[k] = k % 2 ? 2 : 1;
    assert_found(impl, power, 1, PEAKS_BINS - 1);
}

static void as_many_as_can_be_have_room(void **state)
{
    (void)state;
    for_each_variant(check_every_other);
}

static void check_refine(const struct peaks_impl *impl)
{
    static float power[PEAKS_BINS];
    static struct peaks peaks;
    uint64_t seed = 72;
    for (uint32_t k = 0; k < PEAKS_BINS; ++k)
        power[k] = (float)(rng_unit(&seed) + 1e-3);
    impl->find(&peaks, power, &circle, 2, PEAKS_BINS - 1, 0.01F);
    assert_true(peaks.count > 200);
    impl->refine(&peaks, &circle);
    for (uint32_t i = 0; i < peaks.count; ++i) {
        const uint32_t k = (uint32_t)peaks.bins[i];
        const double fall = log((double)power[k - 1] / (double)power[k]);
        const double rise = log((double)power[k + 1] / (double)power[k]);
        const double bin = k + 0.5 * (fall - rise) / fmin(fall + rise, -1e-20);
        const double away = (double)peaks.places[i] - fmod(log2(bin) + 0.3, 1.0) * 120;
        assert_near((double)peaks.places_in_bins[i], bin, 1e-6 * k + 1e-5);
        assert_near(remainder(away, 120), 0.0, 1e-4);
        assert_true(peaks.places[i] >= 0 && peaks.places[i] < 120);
        assert_near((double)peaks.magnitudes[i], sqrt((double)power[k]), 1e-6);
    }
}

static void places_come_from_a_parabola_through_logarithms(void **state)
{
    (void)state;
    for_each_variant(check_refine);
}

int main(void)
{
    for (uint32_t k = 1; k < PEAKS_BINS; ++k)
        circle.places[k] = (float)(fmod(log2(k) + 0.3, 1.0) * 120);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peaks_are_over_both_neighbours_and_the_least),
        cmocka_unit_test(as_many_as_can_be_have_room),
        cmocka_unit_test(places_come_from_a_parabola_through_logarithms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
