// SPDX-License-Identifier: MIT
#include "dsp/mastering/dither.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void samples_on_the_grid_stay_what_they_are(void **state)
{
    (void)state;
    struct dither dither;
    dither_init(&dither, 1);
    for (int value = -32768; value <= 32767; ++value) {
        const float in = (float)value / 32768.0F;
        int16_t out;
        dither_to_s16(&dither, &out, &in, 1);
        assert_int_equal(out, value);
    }
    assert_int_equal(dither.clipped_samples, 0);
}

static void silence_with_a_guard_against_denormals_stays_silent(void **state)
{
    (void)state;
    struct dither dither;
    dither_init(&dither, 1);
    for (int i = 0; i < 1000; ++i) {
        const float in = i % 2 ? 1e-18F : -1e-18F;
        int16_t out;
        dither_to_s16(&dither, &out, &in, 1);
        assert_int_equal(out, 0);
    }
}

// Triangular dither: the error has no mean, and a variance of 1/12 + 2/12 of a step squared, wherever between
// two steps the sample lies.
static void error_has_the_moments_of_triangular_dither_at_any_level(void **state)
{
    (void)state;
    enum { N = 200000 };
    for (int k = 1; k < 8; ++k) {
        const double level = 100.0 + k / 8.0;
        struct dither dither;
        dither_init(&dither, (uint64_t)k);
        double sum = 0, square = 0;
        for (int i = 0; i < N; ++i) {
            const float in = (float)(level / 32768.0);
            int16_t out;
            dither_to_s16(&dither, &out, &in, 1);
            sum += out - level;
            square += (out - level) * (out - level);
        }
        assert_true(fabs(sum / N) < 5 * 0.5 / sqrt(N));
        assert_true(fabs(square / N - 0.25) < 0.005);
    }
}

static void samples_out_of_range_are_clipped_and_counted(void **state)
{
    (void)state;
    const float in[4] = {1.0F, -1.5F, 2.0F, 0.0F};
    int16_t out[4];
    struct dither dither;
    dither_init(&dither, 1);
    dither_to_s16(&dither, out, in, 4);
    assert_int_equal(out[0], 32767);
    assert_int_equal(out[1], -32768);
    assert_int_equal(out[2], 32767);
    assert_int_equal(out[3], 0);
    assert_int_equal(dither.clipped_samples, 3);
}

static void equal_seeds_give_equal_output(void **state)
{
    (void)state;
    float in[256];
    int16_t a[256], b[256];
    for (int i = 0; i < 256; ++i)
        in[i] = sinf((float)i) * 0.3F;
    struct dither first, second;
    dither_init(&first, 7);
    dither_init(&second, 7);
    dither_to_s16(&first, a, in, 256);
    dither_to_s16(&second, b, in, 100);
    dither_to_s16(&second, b + 100, in + 100, 156);
    assert_memory_equal(a, b, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_on_the_grid_stay_what_they_are),
        cmocka_unit_test(silence_with_a_guard_against_denormals_stays_silent),
        cmocka_unit_test(error_has_the_moments_of_triangular_dither_at_any_level),
        cmocka_unit_test(samples_out_of_range_are_clipped_and_counted),
        cmocka_unit_test(equal_seeds_give_equal_output),
    };
    return cmocka_run_group_tests_name("dither", tests, NULL, NULL);
}
