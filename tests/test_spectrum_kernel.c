// SPDX-License-Identifier: MIT
// Kernels of spectra against naive sums in double precision, every variant.
#include "dsp/cpu.h"
#include "dsp/spectrum/spectrum_kernel.h"
#include "support/kernel_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { POINTS = 256, BINS = POINTS / 2 + 1, LONG = 1025 };

// Run `check` for every variant this processor has.
static void for_each_variant(void (*check)(const struct spectrum_impl *))
{
    const uint32_t flags = cpu_flags();
    for (size_t i = 0; i < spectrum_impl_count; ++i)
        if (!(spectrum_impls[i]->cpu_flags & ~flags))
            check(spectrum_impls[i]);
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance + 1e-35)) // what single precision loses in denormals
        fail_msg("%.17g is not %.17g", value, expected);
}

static void check_elementwise(const struct spectrum_impl *impl)
{
    static float a[KERNEL_LENGTHS + KERNEL_OFFSETS], b[KERNEL_LENGTHS + KERNEL_OFFSETS];
    static float window[KERNEL_LENGTHS + KERNEL_OFFSETS];
    uint64_t seed = 1;
    struct kernel_output output;
    for (size_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (uint32_t count = 0; count < KERNEL_LENGTHS; ++count) {
            const size_t at = offset * sizeof(float);
            kernel_fill_positive(a, KERNEL_LENGTHS + KERNEL_OFFSETS, &seed);
            kernel_fill(b, KERNEL_LENGTHS + KERNEL_OFFSETS, &seed);
            kernel_fill(window, KERNEL_LENGTHS + KERNEL_OFFSETS, &seed);
            float *out = kernel_output_at(&output, at);
            impl->weigh_pair(out, a + offset, b + offset, window + offset, count);
            for (uint32_t i = 0; i < count; ++i) {
                assert_true(out[2 * i] == a[offset + i] * window[offset + i]);
                assert_true(out[2 * i + 1] == b[offset + i] * window[offset + i]);
            }
            assert_true(kernel_output_is_whole(&output, at, 2 * count * sizeof(float)));
        }
}

static void products_are_exact_at_any_length_and_offset(void **state)
{
    (void)state;
    for_each_variant(check_elementwise);
}

static void check_sums(const struct spectrum_impl *impl)
{
    static float x[LONG + KERNEL_OFFSETS], squared[LONG + KERNEL_OFFSETS];
    uint64_t seed = 2;
    kernel_fill_positive(x, LONG + KERNEL_OFFSETS, &seed);
    kernel_fill(squared, LONG + KERNEL_OFFSETS, &seed);
    for (size_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (uint32_t count = 0; count <= LONG; count += count < KERNEL_LENGTHS ? 1 : 87) {
            double sum = 0, squares = 0;
            for (uint32_t i = 0; i < count; ++i) {
                sum += (double)x[offset + i];
                squares += (double)squared[offset + i] * (double)squared[offset + i];
            }
            assert_near(impl->sum(x + offset, count), sum, 1e-6 * sum);
            assert_near(impl->square_sum(squared + offset, count), squares, 1e-6 * squares);
        }
}

static void sums_are_those_of_a_loop(void **state)
{
    (void)state;
    for_each_variant(check_sums);
}

// A transform as fft.h gives it, of random points.
static void make_transform(float z[2 * POINTS + 2], uint64_t seed)
{
    kernel_fill(z, 2 * POINTS, &seed);
    memcpy(z + 2 * POINTS, z, 2 * sizeof *z);
}

static void check_stereo(const struct spectrum_impl *impl)
{
    float z[2 * POINTS + 2], power[BINS];
    double sum = 0;
    make_transform(z, 3);
    const double total = impl->stereo_power(power, z, POINTS);
    for (int k = 0; k < BINS; ++k) {
        const float *a = z + 2 * k, *b = z + 2 * ((POINTS - k) % POINTS);
        const double expected = 0.5 * ((double)a[0] * (double)a[0] + (double)a[1] * (double)a[1] +
                                       (double)b[0] * (double)b[0] + (double)b[1] * (double)b[1]);
        assert_near((double)power[k], expected, 1e-6 * expected);
        sum += (double)power[k];
    }
    assert_near(total, sum, 1e-6 * sum);
}

static void check_fold(const struct spectrum_impl *impl)
{
    float squares[POINTS + 1], power[BINS + 1];
    double sum = 0;
    uint64_t seed = 4;
    kernel_fill(squares, POINTS, &seed);
    for (int k = 0; k < POINTS; ++k)
        squares[k] *= squares[k];
    squares[POINTS] = squares[0];
    power[BINS] = 7;
    const double total = impl->fold_squares(power, squares, POINTS);
    for (int k = 0; k < BINS; ++k) {
        const double expected = 0.5 * ((double)squares[k] + (double)squares[(POINTS - k) % POINTS]);
        assert_near((double)power[k], expected, 1e-6 * expected);
        sum += (double)power[k];
    }
    assert_near(total, sum, 1e-6 * sum);
    assert_near((double)power[BINS], 7, 0);
}

static void check_settle(const struct spectrum_impl *impl)
{
    static float before[KERNEL_LENGTHS];
    struct kernel_output powers, energies;
    uint64_t seed = 12;
    for (size_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
        for (uint32_t count = 0; count < KERNEL_LENGTHS; ++count) {
            float *power = kernel_output_at(&powers, offset * sizeof(float));
            float *energy = kernel_output_at(&energies, offset * sizeof(float));
            kernel_fill_positive(before, KERNEL_LENGTHS, &seed);
            for (uint32_t i = 0; i < count; ++i) {
                power[i] = before[i];
                energy[i] = (float)i;
            }
            impl->settle(power, energy, 0.25F, count);
            for (uint32_t i = 0; i < count; ++i) {
                assert_true(power[i] == (before[i] > 0.25F ? before[i] : 0.0F));
                assert_true(energy[i] == (float)i + power[i]);
            }
            assert_true(
                kernel_output_is_whole(&powers, offset * sizeof(float), count * sizeof(float)));
            assert_true(
                kernel_output_is_whole(&energies, offset * sizeof(float), count * sizeof(float)));
        }
}

static void small_powers_count_nothing_and_the_rest_is_added(void **state)
{
    (void)state;
    for_each_variant(check_settle);
}

static void power_of_both_sides_comes_from_one_transform(void **state)
{
    (void)state;
    for_each_variant(check_stereo);
    for_each_variant(check_fold);
}

static void check_pair(const struct spectrum_impl *impl)
{
    float z[2 * POINTS + 2], first[BINS], second[BINS];
    make_transform(z, 4);
    impl->pair_power(first, second, z, POINTS);
    for (int k = 0; k < BINS; ++k) {
        const float *a = z + 2 * k, *b = z + 2 * ((POINTS - k) % POINTS);
        const double xr = ((double)a[0] + (double)b[0]) / 2, xi = ((double)a[1] - (double)b[1]) / 2;
        const double yr = ((double)a[1] + (double)b[1]) / 2, yi = ((double)b[0] - (double)a[0]) / 2;
        const double scale = 1e-6 * ((double)a[0] * (double)a[0] + (double)a[1] * (double)a[1] +
                                     (double)b[0] * (double)b[0] + (double)b[1] * (double)b[1]);
        assert_near((double)first[k], xr * xr + xi * xi, scale);
        assert_near((double)second[k], yr * yr + yi * yi, scale);
    }
}

static void powers_of_two_frames_come_from_one_transform(void **state)
{
    (void)state;
    for_each_variant(check_pair);
}

enum { HALF = SPECTRUM_HALF - 1, WHOLE = 2 * HALF };

static void fill_half(struct spectrum_half *half, uint64_t *seed)
{
    kernel_fill(half->re, SPECTRUM_HALF, seed);
    kernel_fill(half->im, SPECTRUM_HALF, seed);
    half->im[0] = half->im[HALF] = 0;
}

// Point k of the transform of a real signal, of which `half` has the first half.
static void whole_point(double out[2], const struct spectrum_half *half, int k)
{
    const int place = k <= HALF ? k : WHOLE - k;
    out[0] = (double)half->re[place];
    out[1] = k <= HALF ? (double)half->im[place] : -(double)half->im[place];
}

static void check_split(const struct spectrum_impl *impl)
{
    static float z[2 * WHOLE + 2];
    static struct spectrum_half first, second, split[2];
    uint64_t seed = 9;
    fill_half(&first, &seed);
    fill_half(&second, &seed);
    for (int k = 0; k <= WHOLE; ++k) {
        double x[2], y[2];
        whole_point(x, &first, k % WHOLE);
        whole_point(y, &second, k % WHOLE);
        z[2 * k] = (float)(x[0] - y[1]);
        z[2 * k + 1] = (float)(x[1] + y[0]);
    }
    impl->split_pair(&split[0], &split[1], z);
    for (int k = 0; k <= HALF; ++k) {
        assert_near((double)split[0].re[k], (double)first.re[k], 3e-4);
        assert_near((double)split[0].im[k], (double)first.im[k], 3e-4);
        assert_near((double)split[1].re[k], (double)second.re[k], 3e-4);
        assert_near((double)split[1].im[k], (double)second.im[k], 3e-4);
    }
}

static void one_transform_gives_those_of_both_its_parts(void **state)
{
    (void)state;
    for_each_variant(check_split);
}

static void check_follow(const struct spectrum_impl *impl)
{
    static struct spectrum_half block, next, out;
    uint64_t seed = 10;
    fill_half(&block, &seed);
    fill_half(&next, &seed);
    impl->follow(&out, &block, &next);
    for (int k = 0; k <= HALF; ++k) {
        const double sign = k % 2 ? -1 : 1, re = (double)block.re[k], im = (double)block.im[k];
        const double next_re = sign * (double)next.re[k], next_im = sign * (double)next.im[k];
        const double size = hypot(re, im) * (hypot(re, im) + hypot(next_re, next_im));
        assert_near((double)out.re[k], re * re + im * im + re * next_re + im * next_im,
                    1e-6 * size);
        assert_near((double)out.im[k], re * next_im - im * next_re, 1e-6 * size);
    }
}

static void a_block_is_multiplied_with_itself_and_the_next(void **state)
{
    (void)state;
    for_each_variant(check_follow);
}

static void check_join(const struct spectrum_impl *impl)
{
    static struct spectrum_half parts[3];
    static const struct spectrum_half *const places[3] = {&parts[0], &parts[1], &parts[2]};
    static float z[2 * WHOLE + 16];
    uint64_t seed = 11;
    for (int i = 0; i < 3; ++i)
        fill_half(&parts[i], &seed);
    for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset) {
        memset(z, 0xA5, sizeof z);
        impl->join_pairs(z + offset, places);
        for (size_t i = 0; i < sizeof z; ++i)
            if (i < offset * sizeof *z || i >= (offset + 2 * WHOLE) * sizeof *z)
                assert_int_equal(((const unsigned char *)z)[i], 0xA5);
        for (int k = 0; k < WHOLE; ++k) {
            double a[2], b[2], c[2];
            whole_point(a, &parts[0], k);
            whole_point(b, &parts[1], k);
            whole_point(c, &parts[2], k);
            const double re = a[0] + b[0] - (b[1] + c[1]), im = a[1] + b[1] + b[0] + c[0];
            const double size = 2048; // the largest sum of two parts
            assert_near((double)(z + offset)[2 * k], im, 3e-7 * size);
            assert_near((double)(z + offset)[2 * k + 1], re, 3e-7 * size);
        }
    }
}

static void two_transforms_are_joined_to_go_back_as_one(void **state)
{
    (void)state;
    for_each_variant(check_join);
}

static void check_blocks(const struct spectrum_impl *impl)
{
    static float weights[LONG], moments[LONG], values[LONG];
    uint64_t seed = 5;
    kernel_fill_positive(weights, LONG, &seed);
    kernel_fill_positive(moments, LONG, &seed);
    kernel_fill_positive(values, LONG, &seed);
    for (uint32_t count = 0; count <= LONG; count += count < KERNEL_LENGTHS ? 1 : 87) {
        double blocks[LONG / SPECTRUM_BLOCK + 1] = {0};
        double expected[LONG / SPECTRUM_BLOCK + 1] = {0}, moment = 0;
        for (uint32_t k = 0; k < count; ++k) {
            expected[k / SPECTRUM_BLOCK] += (double)weights[k] * sqrt((double)values[k]);
            moment += (double)moments[k] * sqrt((double)values[k]);
        }
        const double sum = impl->weigh_blocks(blocks, weights, moments, values, count);
        assert_near(sum, moment, 1e-5 * moment);
        for (size_t b = 0; b < LONG / SPECTRUM_BLOCK + 1; ++b)
            assert_near(blocks[b], expected[b], 1e-6 * expected[b]);
    }
}

static void weighted_sums_of_roots_by_block_are_those_of_a_loop(void **state)
{
    (void)state;
    for_each_variant(check_blocks);
}

static void check_floored(const struct spectrum_impl *impl)
{
    static float values[4096];
    uint64_t seed = 6;
    kernel_fill_positive(values, 4096, &seed);
    for (uint32_t count = 0; count <= 4096; count += count < KERNEL_LENGTHS ? 1 : 503) {
        double logs = 0, sum = 0;
        for (uint32_t i = 0; i < count; ++i) {
            const double x = fmax((double)values[i] * 3.5, 1e-4);
            logs += log(x);
            sum += x;
        }
        const struct spectrum_floored got = impl->floored(values, count, 3.5F, 1e-4F);
        assert_near(got.log_sum, logs, 1e-7 * count);
        assert_near(got.sum, sum, 1e-6 * sum);
    }
}

static void logarithms_of_products_equal_sums_of_logarithms(void **state)
{
    (void)state;
    for_each_variant(check_floored);
}

// The worst that the contract allows: the lowest floor and the highest ratio all along.
static void check_floored_range(const struct spectrum_impl *impl)
{
    static float low[4096], high[4096];
    for (int i = 0; i < 4096; ++i) {
        low[i] = 0;
        high[i] = 4096;
    }
    assert_near(impl->floored(low, 4096, 1.0F, 1e-4F).log_sum, 4096 * log(1e-4), 1e-7 * 4096);
    assert_near(impl->floored(high, 4096, 1.0F, 1e-4F).log_sum, 4096 * log(4096.0), 1e-7 * 4096);
}

static void products_stay_in_range_at_both_ends(void **state)
{
    (void)state;
    for_each_variant(check_floored_range);
}

static void check_classes(const struct spectrum_impl *impl)
{
    enum { ROWS = SPECTRUM_TOGETHER };
    static float weights[SPECTRUM_CLASSES * LONG], rows[ROWS][LONG];
    static const float *const values[ROWS] = {rows[0], rows[1], rows[2], rows[3]};
    static const float *const turned[ROWS] = {rows[3], rows[0], rows[1], rows[2]};
    uint64_t seed = 7;
    kernel_fill_positive(weights, SPECTRUM_CLASSES * LONG, &seed);
    kernel_fill_positive(rows[0], ROWS * LONG, &seed);
    for (uint32_t count = 0; count <= LONG; count += count < KERNEL_LENGTHS ? 1 : 87) {
        double got[ROWS][SPECTRUM_CLASSES], elsewhere[ROWS][SPECTRUM_CLASSES];
        impl->classes(got, weights, LONG, values, count);
        impl->classes(elsewhere, weights, LONG, turned, count);
        for (uint32_t r = 0; r < ROWS; ++r) {
            assert_memory_equal(elsewhere[(r + 1) % ROWS], got[r], sizeof got[r]);
            for (uint32_t c = 0; c < SPECTRUM_CLASSES; ++c) {
                double expected = 0;
                for (uint32_t i = 0; i < count; ++i)
                    expected += (double)weights[c * LONG + i] * (double)rows[r][i];
                assert_near(got[r][c], expected, 1e-5 * expected);
            }
        }
    }
}

static void classes_are_weighted_sums(void **state)
{
    (void)state;
    for_each_variant(check_classes);
}

static void check_masked(const struct spectrum_impl *impl)
{
    static float power[LONG], a[LONG], b[LONG];
    uint64_t seed = 8;
    kernel_fill_positive(power, LONG, &seed);
    kernel_fill_positive(a, LONG, &seed);
    kernel_fill_positive(b, LONG, &seed);
    for (int i = 0; i < LONG; i += 5)
        a[i] = b[i] = 0;
    for (uint32_t count = 0; count <= LONG; count += count < KERNEL_LENGTHS ? 1 : 87) {
        double harmonic = 0, percussive = 0;
        for (uint32_t i = 0; i < count; ++i) {
            // Single precision has no value beside those of 1e-37 that a mask of nothing is made of.
            const double aa = (double)a[i] + 1e-37, mask = aa / (aa + (double)b[i] + 1e-37);
            harmonic += mask * mask * (double)power[i];
            percussive += (1 - mask) * (1 - mask) * (double)power[i];
        }
        const struct spectrum_masked got = impl->masked(power, a, b, count);
        assert_near(got.harmonic, harmonic, 1e-6 * (harmonic + percussive));
        assert_near(got.percussive, percussive, 1e-6 * (harmonic + percussive));
    }
}

static void masks_share_out_the_energy(void **state)
{
    (void)state;
    for_each_variant(check_masked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_exact_at_any_length_and_offset),
        cmocka_unit_test(sums_are_those_of_a_loop),
        cmocka_unit_test(power_of_both_sides_comes_from_one_transform),
        cmocka_unit_test(small_powers_count_nothing_and_the_rest_is_added),
        cmocka_unit_test(powers_of_two_frames_come_from_one_transform),
        cmocka_unit_test(one_transform_gives_those_of_both_its_parts),
        cmocka_unit_test(a_block_is_multiplied_with_itself_and_the_next),
        cmocka_unit_test(two_transforms_are_joined_to_go_back_as_one),
        cmocka_unit_test(weighted_sums_of_roots_by_block_are_those_of_a_loop),
        cmocka_unit_test(logarithms_of_products_equal_sums_of_logarithms),
        cmocka_unit_test(products_stay_in_range_at_both_ends),
        cmocka_unit_test(classes_are_weighted_sums),
        cmocka_unit_test(masks_share_out_the_energy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
