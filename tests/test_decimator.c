// SPDX-License-Identifier: MIT
// The decimator: its response, its delay, its ends, against plain convolution.
#include "dsp/level/decimator.h"
#include "support/near.h"
#include "support/rng.h"
#include <string.h>

enum { CENTER = DECIMATOR_TAPS / 2 };

// Decimate a whole signal, cut into pieces whose lengths go round `pieces`. The caller frees it.
static float *decimate(const float *in, uint32_t count, uint32_t stages, const uint32_t *pieces,
                       uint32_t *written)
{
    struct decimator *decimator = NULL;
    assert_int_equal(decimator_create(&decimator, stages), 0);
    float *out = malloc((count + 2 * DECIMATOR_MAX_FRAMES) * sizeof *out);
    assert_non_null(out);
    *written = 0;
    for (uint32_t at = 0, p = 0; at < count; p = pieces[p + 1] ? p + 1 : 0) {
        const uint32_t part = pieces[p] < count - at ? pieces[p] : count - at;
        *written += decimator_push(decimator, out + *written, in + at, part);
        at += part;
    }
    *written += decimator_finish(decimator, out + *written);
    decimator_destroy(&decimator);
    assert_null(decimator);
    return out;
}

static const uint32_t LARGE[] = {DECIMATOR_MAX_FRAMES, 0};

// Largest distance of a decimated sine from the sine itself times `gain`, away from the ends.
static double sine_error(uint32_t stages, double cycles_per_sample, double gain)
{
    enum { COUNT = 16384 };
    static float sine[COUNT];
    for (uint32_t i = 0; i < COUNT; ++i)
        sine[i] = (float)sin(2 * M_PI * cycles_per_sample * i);
    uint32_t written;
    float *out = decimate(sine, COUNT, stages, LARGE, &written);
    assert_int_equal(written, COUNT >> stages);
    double worst = 0;
    for (uint32_t m = 64; m + 64 < written; ++m) {
        const double there = gain * sin(2 * M_PI * cycles_per_sample * (double)(m << stages));
        worst = fmax(worst, fabs((double)out[m] - there));
    }
    free(out);
    return worst;
}

static void passes_up_to_08_of_the_new_nyquist_without_delay(void **state)
{
    (void)state;
    for (uint32_t stages = 0; stages <= DECIMATOR_MAX_STAGES; ++stages)
        for (double place = 0.05; place <= 0.8001; place += 0.05)
            assert_near(sine_error(stages, place / (2 << stages), 1.0), 0.0, 1.2e-4); // 0.001 dB
}

static void stops_from_12_of_the_new_nyquist_on(void **state)
{
    (void)state;
    for (uint32_t stages = 1; stages <= DECIMATOR_MAX_STAGES; ++stages)
        for (double place = 1.2; place <= (double)(1U << stages); place += 0.11)
            assert_near(sine_error(stages, place / (2 << stages), 0.0), 0.0, 3.17e-5); // -90 dB
}

static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; k < 60; ++k)
        sum += term *= x * x / (4.0 * k * k);
    return sum;
}

// Half-band convolution by its definition: output m from the inputs around 2 m, zeros outside.
static uint32_t halve(double *out, const double *in, uint32_t count)
{
    double taps[DECIMATOR_TAPS], odd_sum = 0;
    for (int k = -CENTER; k <= CENTER; ++k) {
        const double u = k / (CENTER + 1.0);
        const double sinc = k % 2 ? sin(M_PI * k / 2) / (M_PI * k) : k ? 0.0 : 0.5;
        taps[k + CENTER] = sinc * bessel_i0(9.3 * sqrt(1 - u * u)) / bessel_i0(9.3);
        odd_sum += k % 2 ? taps[k + CENTER] : 0;
    }
    for (int k = -CENTER; k <= CENTER; ++k)
        taps[k + CENTER] *= k % 2 ? 0.5 / odd_sum : 1.0;
    const uint32_t outputs = (count + 1) / 2;
    for (uint32_t m = 0; m < outputs; ++m) {
        out[m] = 0;
        for (int64_t k = -CENTER; k <= CENTER; ++k)
            if (2 * (int64_t)m + k >= 0 && 2 * (int64_t)m + k < count)
                out[m] += taps[k + CENTER] * in[2 * (int64_t)m + k];
    }
    return outputs;
}

static void equals_plain_convolution_at_both_ends_of_any_length(void **state)
{
    (void)state;
    enum { LONGEST = 700 };
    uint64_t seed = 1;
    for (uint32_t stages = 0; stages <= DECIMATOR_MAX_STAGES; ++stages)
        for (uint32_t count = 1; count <= LONGEST; count += count < 70 ? 1 : 63) {
            float in[LONGEST];
            double a[LONGEST], b[LONGEST];
            for (uint32_t i = 0; i < count; ++i)
                a[i] = (double)(in[i] = (float)(2 * rng_unit(&seed) - 1));
            uint32_t expected = count, written;
            for (uint32_t s = 0; s < stages; ++s) {
                expected = halve(b, a, expected);
                memcpy(a, b, expected * sizeof *a);
            }
            float *out = decimate(in, count, stages, LARGE, &written);
            assert_int_equal(written, expected);
            for (uint32_t m = 0; m < written; ++m)
                assert_near((double)out[m], a[m], 1e-6);
            free(out);
        }
}

static void gives_the_same_bits_however_the_input_is_cut(void **state)
{
    (void)state;
    enum { COUNT = 30011 };
    static float in[COUNT];
    uint64_t seed = 2;
    for (uint32_t i = 0; i < COUNT; ++i)
        in[i] = (float)(2 * rng_unit(&seed) - 1);
    static const uint32_t cuts[][4] = {{1, 0}, {2, 3, 1, 0}, {63, 64, 0}, {4096, 1, 5, 0}};
    for (uint32_t stages = 0; stages <= DECIMATOR_MAX_STAGES; ++stages) {
        uint32_t count, cut_count;
        float *whole = decimate(in, COUNT, stages, LARGE, &count);
        for (uint32_t c = 0; c < 4; ++c) {
            float *cut = decimate(in, COUNT, stages, cuts[c], &cut_count);
            assert_int_equal(cut_count, count);
            assert_memory_equal(cut, whole, count * sizeof *cut);
            free(cut);
        }
        free(whole);
    }
}

static void stages_lead_to_the_lowest_rate_of_at_least_22050_hz(void **state)
{
    (void)state;
    static const struct {
        uint32_t rate_hz, stages;
    } cases[] = {{1000, 0},  {22050, 0},  {32000, 0},  {44099, 0},  {44100, 1},  {48000, 1},
                 {88200, 2}, {176399, 2}, {192000, 3}, {384000, 4}, {705600, 5}, {768000, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        assert_int_equal(decimator_stages_for(cases[i].rate_hz), cases[i].stages);
}

static void nothing_in_nothing_out(void **state)
{
    (void)state;
    uint32_t written = 1;
    float *out = decimate(NULL, 0, 3, LARGE, &written);
    assert_int_equal(written, 0);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_up_to_08_of_the_new_nyquist_without_delay),
        cmocka_unit_test(stops_from_12_of_the_new_nyquist_on),
        cmocka_unit_test(equals_plain_convolution_at_both_ends_of_any_length),
        cmocka_unit_test(gives_the_same_bits_however_the_input_is_cut),
        cmocka_unit_test(stages_lead_to_the_lowest_rate_of_at_least_22050_hz),
        cmocka_unit_test(nothing_in_nothing_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
