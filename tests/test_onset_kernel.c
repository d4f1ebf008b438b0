// SPDX-License-Identifier: MIT
// Kernels of onset strengths against plain loops in double precision, every variant.
#include "dsp/cpu.h"
#include "dsp/rhythm/onset_kernel.h"
#include "support/kernel_case.h"
#include "support/near.h"

enum { BANDS = ONSET_BANDS };

static void for_each_variant(void (*check)(const struct onset_impl *))
{
    int checked = 0;
    for (size_t i = 0; i < onset_impl_count; ++i)
        if (!(onset_impls[i]->cpu_flags & ~cpu_flags())) {
            check(onset_impls[i]);
            ++checked;
        }
    assert_true(checked > 0);
}

// Bands of one row more at a time, the rows anywhere.
static void make_rows(struct onset_rows *rows, uint64_t *seed)
{
    for (uint32_t b = 0; b < BANDS; ++b) {
        rows->begin[b + 1] = (uint16_t)(rows->begin[b] + b % 4);
        rows->first[b] = (uint16_t)(rng_next(seed) % (ONSET_BINS - 3 * ONSET_LANES));
    }
    kernel_fill_positive(rows->lower[0], ONSET_ROWS * ONSET_LANES, seed);
    kernel_fill_positive(rows->upper[0], ONSET_ROWS * ONSET_LANES, seed);
}

static void check_bands(const struct onset_impl *impl)
{
    static struct onset_rows rows;
    static float power[ONSET_BINS];
    uint64_t seed = 61;
    make_rows(&rows, &seed);
    kernel_fill_positive(power, ONSET_BINS, &seed);
    struct kernel_output output;
    float *bands = kernel_output_at(&output, sizeof(float));
    impl->sum_bands(bands, &rows, power);
    double expected[BANDS + 1] = {0};
    for (uint32_t b = 0; b < BANDS; ++b)
        for (uint32_t i = 0; i < ONSET_LANES * (uint32_t)(rows.begin[b + 1] - rows.begin[b]); ++i) {
            const uint32_t row = rows.begin[b] + i / ONSET_LANES, lane = i % ONSET_LANES;
            const double bin = (double)power[rows.first[b] + i];
            expected[b] += (double)rows.lower[row][lane] * bin;
            expected[b + 1] += (double)rows.upper[row][lane] * bin;
        }
    for (uint32_t b = 0; b < BANDS; ++b)
        assert_near((double)bands[b], expected[b], 1e-6 * expected[b] + 1e-35);
    assert_true(kernel_output_is_whole(&output, sizeof(float), BANDS * sizeof(float)));
}

static void bins_are_shared_between_two_bands(void **state)
{
    (void)state;
    for_each_variant(check_bands);
}

static void check_rises(const struct onset_impl *impl)
{
    float bands[BANDS], before[BANDS], logs[BANDS], rises[BANDS];
    uint64_t seed = 62;
    kernel_fill_positive(bands, BANDS, &seed);
    kernel_fill(before, BANDS, &seed);
    impl->take_logs(logs, bands);
    impl->rise(rises, logs, before, -0.5F);
    double weighed = 0, size = 0;
    for (int b = 0; b < BANDS; ++b) {
        const double log_of = log(fmax((double)bands[b], (double)ONSET_LEAST_POWER));
        assert_near((double)logs[b], log_of, 2e-7 * fmax(1.0, fabs(log_of)));
        const double from = fmax((double)before[b], -0.5);
        assert_near((double)rises[b], fmax(0.0, (double)logs[b] - from), 1e-4);
        weighed += (double)before[b] * (double)rises[b];
        size += fabs((double)before[b] * (double)rises[b]);
    }
    assert_near((double)impl->multiply(before, rises, BANDS), weighed, 1e-6 * size);
}

static void rises_are_differences_of_logarithms_over_a_floor(void **state)
{
    (void)state;
    for_each_variant(check_rises);
}

static void check_spans(const struct onset_impl *impl)
{
    static float power[ONSET_SPAN_BINS], roots[4][ONSET_SPAN_BINS], sum[ONSET_SPAN_BINS];
    static const float *const parts[4] = {roots[0], roots[1], roots[2], roots[3]};
    uint64_t seed = 63;
    for (uint32_t bins = 0; bins <= 200; bins += 8) {
        struct onset_angle expected = {0};
        double across = 0;
        for (int p = 0; p < 4; ++p) {
            kernel_fill_positive(power, ONSET_SPAN_BINS, &seed);
            impl->root(roots[p], power, bins);
            for (uint32_t k = 0; k < bins; ++k)
                assert_true(roots[p][k] == sqrtf(power[k]));
        }
        impl->add(sum, parts, 4, bins);
        for (uint32_t k = 0; k < bins; ++k) {
            assert_near((double)sum[k],
                        (double)roots[0][k] + (double)roots[1][k] + (double)roots[2][k] +
                            (double)roots[3][k],
                        1e-6 * (double)sum[k]);
            across += (double)roots[0][k] * (double)sum[k];
            expected.before += roots[0][k] * roots[0][k];
            expected.after += sum[k] * sum[k];
        }
        const struct onset_angle got = impl->compare(roots[0], sum, bins);
        assert_near((double)got.across, across, 1e-6 * across);
        assert_near((double)got.before, (double)expected.before, 2e-6 * (double)expected.before);
        assert_near((double)got.after, (double)expected.after, 2e-6 * (double)expected.after);
    }
}

static void spans_are_sums_of_amplitudes_and_compared_by_products(void **state)
{
    (void)state;
    for_each_variant(check_spans);
}

// Few values, so that many are equal; some places are out of reach, some totals unknown.
static void fill_steps(double *total, double *cost, uint32_t count, uint64_t *seed)
{
    for (uint32_t i = 0; i < count; ++i) {
        total[i] = rng_next(seed) % 8 ? (double)(rng_next(seed) % 5) / 3.0 : -HUGE_VAL;
        cost[i] = rng_next(seed) % 8 ? (double)(rng_next(seed) % 3) / 3.0 : HUGE_VAL;
    }
}

static void check_steps(const struct onset_impl *impl)
{
    enum { COUNT = 8 * ONSET_LANES };
    static double total[COUNT + KERNEL_OFFSETS], cost[COUNT + KERNEL_OFFSETS];
    uint64_t seed = 67;
    for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (uint32_t round = 0; round < 200; ++round) {
            const uint32_t count = round % 9 * ONSET_LANES;
            fill_steps(total, cost, COUNT + KERNEL_OFFSETS, &seed);
            double best = 0.0;
            uint32_t last = 0, place = 0;
            for (uint32_t i = 0; i < count; ++i)
                if (total[offset + i] - cost[i] >= best) {
                    best = total[offset + i] - cost[i];
                    last = i;
                }
            assert_true(impl->best_step(total + offset, cost, count, &place) == best);
            if (best > 0.0)
                assert_int_equal(place, last);
        }
}

static void the_last_of_the_best_steps_is_taken(void **state)
{
    (void)state;
    for_each_variant(check_steps);
}

static void check_changes(const struct onset_impl *impl)
{
    enum { N = ONSET_INTERVALS };
    static float total[N], cost[N][N];
    uint64_t seed = 9;
    for (uint32_t count = 1; count <= N; count++) {
        float best[N];
        uint8_t places[N];
        for (uint32_t i = 0; i < N; i++) {
            total[i] = (float)floor(8 * rng_unit(&seed)); // many are equal
            for (uint32_t j = 0; j < N; j++)
                cost[i][j] = (float)floor(8 * rng_unit(&seed));
        }
        impl->best_changes(best, places, total, cost, count);
        for (uint32_t j = 0; j < N; j++) {
            uint32_t first = 0;
            for (uint32_t i = 1; i < count; i++)
                if (total[i] - cost[i][j] > total[first] - cost[first][j])
                    first = i;
            assert_true(best[j] == total[first] - cost[first][j]);
            assert_int_equal(places[j], first);
        }
    }
}

static void the_first_of_the_best_changes_is_taken(void **state)
{
    (void)state;
    for_each_variant(check_changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_are_shared_between_two_bands),
        cmocka_unit_test(rises_are_differences_of_logarithms_over_a_floor),
        cmocka_unit_test(the_first_of_the_best_changes_is_taken),
        cmocka_unit_test(the_last_of_the_best_steps_is_taken),
        cmocka_unit_test(spans_are_sums_of_amplitudes_and_compared_by_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
