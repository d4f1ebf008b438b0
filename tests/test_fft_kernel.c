// SPDX-License-Identifier: MIT
// Transforms of all sizes against a naive one in double precision, against FFTW, and variant against variant.
#include "dsp/cpu.h"
#include "dsp/spectrum/fft.h"
#include "dsp/spectrum/fft_kernel.h"
#include "support/rng.h"
#include <fftw3.h>
#include <math.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { GUARD = 64, POINTS = FFT_LARGEST_SIZE, NAIVE_LARGEST = 2048 };
// The flags of FFTW's latest plan.
static unsigned plan_flags;
fftwf_plan __real_fftwf_plan_dft_1d(int n, fftwf_complex *from, fftwf_complex *to, int sign,
                                    unsigned flags);
fftwf_plan __wrap_fftwf_plan_dft_1d(int n, fftwf_complex *from, fftwf_complex *to, int sign,
                                    unsigned flags);

fftwf_plan __wrap_fftwf_plan_dft_1d(int n, fftwf_complex *from, fftwf_complex *to, int sign,
                                    unsigned flags)
{
    plan_flags = flags;
    return __real_fftwf_plan_dft_1d(n, from, to, sign, flags);
}

static const double TOLERANCE = 1e-6, PI = 3.14159265358979323846;

static alignas(64) float in[2 * POINTS], work[2 * POINTS + 2 * GUARD], out[2 * POINTS + 2 * GUARD];
static double expected[2 * POINTS];

static void fill_noise(uint32_t size)
{
    uint64_t seed = size;
    for (uint32_t i = 0; i < 2 * size; ++i)
        in[i] = (float)(2 * rng_unit(&seed) - 1);
}

static void expect_naive(uint32_t size)
{
    static double re[NAIVE_LARGEST], im[NAIVE_LARGEST];
    for (uint32_t i = 0; i < size; ++i) {
        re[i] = cos(2 * PI * i / size);
        im[i] = -sin(2 * PI * i / size);
    }
    for (uint32_t k = 0; k < size; ++k) {
        double sum_re = 0, sum_im = 0;
        for (uint32_t i = 0; i < size; ++i) {
            const uint32_t turn = (uint32_t)((uint64_t)i * k % size);
            const double a = (double)in[2 * i], b = (double)in[2 * i + 1];
            sum_re += a * re[turn] - b * im[turn];
            sum_im += a * im[turn] + b * re[turn];
        }
        expected[2 * k] = sum_re;
        expected[2 * k + 1] = sum_im;
    }
}

static void expect_fftw(uint32_t size)
{
    fftwf_complex *z = fftwf_alloc_complex(size);
    fftwf_plan plan = fftwf_plan_dft_1d((int)size, z, z, FFTW_FORWARD, FFTW_ESTIMATE);
    memcpy(z, in, 2 * size * sizeof(float));
    fftwf_execute(plan);
    for (uint32_t i = 0; i < 2 * size; ++i)
        expected[i] = (double)z[i / 2][i % 2];
    fftwf_destroy_plan(plan);
    fftwf_free(z);
}

static void assert_close(const char *name, const float *got, uint32_t size)
{
    double largest = 0, error = 0;
    for (uint32_t k = 0; k < size; ++k) {
        const double re = (double)got[2 * k] - expected[2 * k];
        const double im = (double)got[2 * k + 1] - expected[2 * k + 1];
        error = fmax(error, hypot(re, im));
        largest = fmax(largest, hypot(expected[2 * k], expected[2 * k + 1]));
        assert_true(isfinite(got[2 * k]) && isfinite(got[2 * k + 1]));
    }
    if (!(error <= TOLERANCE * largest))
        fail_msg("%s: %u points: off by %.2g of the largest", name, size, error / largest);
}

static void assert_guards(const float *buffer, uint32_t size)
{
    const unsigned char *bytes = (const unsigned char *)buffer;
    for (size_t i = 0; i < GUARD * sizeof(float); ++i)
        assert_true(bytes[i] == 0xA5 &&
                    bytes[(GUARD + 2 * (size_t)size) * sizeof(float) + i] == 0xA5);
}

static void check(const struct fft_impl *impl, uint32_t size)
{
    struct fft_tables tables;
    assert_int_equal(fft_tables_init(&tables, impl, size), 0);
    memset(out, 0xA5, sizeof out);
    memset(work, 0xA5, sizeof work);
    impl->forward(&tables, out + GUARD, work + GUARD, in);
    assert_close(impl->name, out + GUARD, size);
    assert_guards(out, size);
    assert_guards(work, size);
    fft_tables_deinit(&tables);
}

static void check_variants(uint32_t size)
{
    const uint32_t flags = cpu_flags();
    for (size_t i = 0; i < fft_impl_count; ++i)
        if (!(fft_impls[i].cpu_flags & ~flags))
            check(&fft_impls[i], size);
}

static void all_agree_with_a_naive_transform(void **state)
{
    (void)state;
    for (uint32_t size = FFT_LEAST_SIZE; size <= NAIVE_LARGEST; size *= 2) {
        fill_noise(size);
        expect_naive(size);
        check_variants(size);
    }
}

static void all_agree_with_fftw_at_every_size(void **state)
{
    (void)state;
    for (uint32_t size = FFT_LEAST_SIZE; size <= FFT_LARGEST_SIZE; size *= 2) {
        fill_noise(size);
        expect_fftw(size);
        check_variants(size);
    }
}

// A single point of a large value among denormals has a spectrum of turns alone, in closed form.
static void impulses_turn(void **state)
{
    (void)state;
    for (uint32_t size = FFT_LEAST_SIZE; size <= FFT_LARGEST_SIZE; size *= 2) {
        const uint32_t place = size / 3;
        for (uint32_t i = 0; i < 2 * size; ++i)
            in[i] = 1e-39F;
        in[2 * place] = 1024;
        for (uint32_t k = 0; k < size; ++k) {
            const double angle = 2 * PI * (double)((uint64_t)k * place % size) / size;
            expected[2 * k] = 1024 * cos(angle);
            expected[2 * k + 1] = -1024 * sin(angle);
        }
        check_variants(size);
    }
}

static void zeros_stay_zeros(void **state)
{
    (void)state;
    memset(in, 0, sizeof in);
    memset(expected, 0, sizeof expected);
    check_variants(4096); // within a tolerance of 0
}

// Two signals in halves that lie apart, at odd places: the transform of what is weighed beforehand.
static struct fft_pair weigh_apart(uint32_t size)
{
    static float apart[4][POINTS / 2 + 16], window[POINTS + 1];
    const uint32_t half = size / 2;
    fill_noise(size);
    for (uint32_t i = 0; i < size; ++i) {
        window[1 + i] = (float)sin(PI * i / size);
        apart[2 * i / size][3 + i % half] = in[2 * i];
        apart[2 + 2 * i / size][5 + i % half] = in[2 * i + 1];
        in[2 * i] *= window[1 + i];
        in[2 * i + 1] *= window[1 + i];
    }
    return (struct fft_pair){
        {apart[0] + 3, apart[1] + 3}, {apart[2] + 5, apart[3] + 5}, window + 1};
}

static void check_pair(const struct fft_impl *impl, uint32_t size, const struct fft_pair *pair)
{
    struct fft_tables tables;
    assert_int_equal(fft_tables_init(&tables, impl, size), 0);
    memset(out, 0xA5, sizeof out);
    memset(work, 0xA5, sizeof work);
    impl->forward_pair(&tables, out + GUARD, work + GUARD, pair);
    assert_close(impl->name, out + GUARD, size);
    assert_guards(out, size);
    assert_guards(work, size);
    fft_tables_deinit(&tables);
}

static void pairs_are_weighed_as_they_are_read(void **state)
{
    (void)state;
    for (uint32_t size = FFT_LEAST_SIZE; size <= FFT_LARGEST_SIZE; size *= 2) {
        const struct fft_pair pair = weigh_apart(size);
        expect_fftw(size);
        for (size_t i = 0; i < fft_impl_count; ++i)
            if (!(fft_impls[i].cpu_flags & ~cpu_flags()))
                check_pair(&fft_impls[i], size, &pair);
    }
}

static void check_squares(const struct fft_impl *impl, uint32_t size, const struct fft_pair *pair)
{
    struct fft_tables tables;
    double largest = 0;
    assert_int_equal(fft_tables_init(&tables, impl, size), 0);
    memset(out, 0xA5, sizeof out);
    memset(work, 0xA5, sizeof work);
    impl->pair_squares(&tables, out + GUARD, work + GUARD, pair);
    for (uint32_t k = 0; k < size; ++k)
        largest = fmax(largest, hypot(expected[2 * k], expected[2 * k + 1]));
    for (uint32_t k = 0; k < size; ++k) {
        const double error =
            sqrt((double)out[GUARD + k]) - hypot(expected[2 * k], expected[2 * k + 1]);
        if (!(fabs(error) <= TOLERANCE * largest))
            fail_msg("%s: square %u of %u: off by %.2g", impl->name, k, size, error / largest);
    }
    // Squares take half the room of points.
    for (size_t i = 0; i < GUARD; ++i)
        assert_memory_equal(out + GUARD + size + i, out, sizeof *out);
    assert_int_equal(*(const unsigned char *)out, 0xA5);
    assert_guards(work, size);
    fft_tables_deinit(&tables);
}

static void pairs_give_their_squares_too(void **state)
{
    (void)state;
    for (uint32_t size = FFT_LEAST_SIZE; size <= FFT_LARGEST_SIZE; size *= 2) {
        const struct fft_pair pair = weigh_apart(size);
        expect_fftw(size);
        for (size_t i = 0; i < fft_impl_count; ++i)
            if (!(fft_impls[i].cpu_flags & ~cpu_flags()))
                check_squares(&fft_impls[i], size, &pair);
    }
}

static void check_pair_power(uint32_t size)
{
    struct fft *fft;
    assert_int_equal(fft_create(&fft, size), 0);
    const struct fft_pair pair = weigh_apart(size);
    expect_fftw(size);
    double sum = 0, largest = 0;
    const double total = fft_pair_power(fft, out, &pair);
    for (uint32_t k = 0; k <= size / 2; ++k) {
        const double *a = expected + 2 * (size_t)k;
        const double *b = expected + 2 * (size_t)((size - k) % size);
        const double power = 0.5 * (a[0] * a[0] + a[1] * a[1] + b[0] * b[0] + b[1] * b[1]);
        largest = fmax(largest, power);
        sum += power;
        expected[2 * k] = power; // its mirror image is not read any more after this
    }
    for (uint32_t k = 0; k <= size / 2; ++k)
        assert_true(fabs((double)out[k] - expected[2 * k]) <= 2 * TOLERANCE * largest);
    assert_true(fabs(total - sum) <= 2 * TOLERANCE * sum);
    fft_destroy(&fft);
}

// By our own transform where there is AVX-512, and by FFTW's.
static void pairs_give_their_powers_together(void **state)
{
    (void)state;
    static const char *const sets[] = {"avx512", "c"};
    for (int s = 0; s < 2; ++s) {
        assert_int_equal(setenv("SEGUE_CPU", sets[s], 1), 0);
        for (uint32_t size = FFT_LEAST_POWERS; size <= FFT_LARGEST_SIZE; size *= 2)
            check_pair_power(size);
    }
    assert_int_equal(unsetenv("SEGUE_CPU"), 0);
}

// What the analysis sees of it: any power of two, the first point once more, the input kept.
static void every_power_of_two_has_a_transform(void **state)
{
    (void)state;
    for (uint32_t size = 2; size <= FFT_LARGEST_SIZE; size *= 2) {
        struct fft *fft;
        assert_int_equal(fft_create(&fft, size), 0);
        fill_noise(size);
        memcpy(fft_input(fft), in, 2 * size * sizeof(float));
        const float *got = fft_forward(fft);
        expect_fftw(size);
        assert_close("fft", got, size);
        assert_memory_equal(got + 2 * (size_t)size, got, 2 * sizeof(float));
        assert_memory_equal(fft_input(fft), in, 2 * size * sizeof(float));
        const struct fft_pair pair = weigh_apart(size);
        expect_fftw(size);
        got = fft_forward_pair(fft, &pair);
        assert_close("pair", got, size);
        assert_memory_equal(got + 2 * (size_t)size, got, 2 * sizeof(float));
        fft_destroy(&fft);
        assert_null(fft);
    }
}

// Where there is no AVX-512. A plan that is measured is another one from run to run, and with it the last bits.
static void no_plan_of_fftw_is_measured(void **state)
{
    (void)state;
    assert_int_equal(setenv("SEGUE_CPU", "c", 1), 0);
    for (uint32_t size = 2; size <= FFT_LARGEST_SIZE; size *= 2) {
        struct fft *fft;
        plan_flags = 0;
        assert_int_equal(fft_create(&fft, size), 0);
        assert_true(plan_flags & (FFTW_ESTIMATE | FFTW_WISDOM_ONLY));
        fft_destroy(&fft);
    }
    assert_int_equal(unsetenv("SEGUE_CPU"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_agree_with_a_naive_transform),
        cmocka_unit_test(all_agree_with_fftw_at_every_size),
        cmocka_unit_test(impulses_turn),
        cmocka_unit_test(zeros_stay_zeros),
        cmocka_unit_test(pairs_are_weighed_as_they_are_read),
        cmocka_unit_test(pairs_give_their_squares_too),
        cmocka_unit_test(pairs_give_their_powers_together),
        cmocka_unit_test(every_power_of_two_has_a_transform),
        cmocka_unit_test(no_plan_of_fftw_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
