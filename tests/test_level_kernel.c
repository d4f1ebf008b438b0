// SPDX-License-Identifier: MIT
// Sums and extremes of two signals against a loop.
#include "dsp/cpu.h"
#include "dsp/level/level_kernel.h"
#include "support/kernel_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { FRAMES_MAX = 400, LINE = FRAMES_MAX + KERNEL_OFFSETS };

// Within 1e-6 of the magnitudes that went into the sum.
static void assert_near(double value, double expected, double magnitudes)
{
    if (!(fabs(value - expected) <= 1e-6 * magnitudes))
        fail_msg("%.17g is not %.17g", value, expected);
}

static struct level_block begin(void)
{
    return (struct level_block){.frames = 3,
                                .ll = 1,
                                .rr = 2,
                                .lr = 3,
                                .l = 4,
                                .r = 5,
                                .min_l = 0.5F,
                                .max_l = 0.5F,
                                .min_r = -0.5F,
                                .max_r = -0.5F};
}

static struct level_block by_loop(const float *left, const float *right, uint32_t frames)
{
    struct level_block b = begin();
    for (uint32_t i = 0; i < frames; ++i) {
        const double l = (double)left[i], r = (double)right[i];
        b.ll += l * l;
        b.rr += r * r;
        b.lr += l * r;
        b.l += l;
        b.r += r;
        b.min_l = fminf(b.min_l, left[i]);
        b.max_l = fmaxf(b.max_l, left[i]);
        b.min_r = fminf(b.min_r, right[i]);
        b.max_r = fmaxf(b.max_r, right[i]);
    }
    b.frames += frames;
    return b;
}

static void assert_sums(const struct level_impl *impl, const float *left, const float *right,
                        uint32_t frames)
{
    struct level_block got = begin();
    const struct level_block expected = by_loop(left, right, frames);
    double of_l = got.l, of_r = got.r;
    for (uint32_t i = 0; i < frames; ++i) {
        of_l += fabs((double)left[i]);
        of_r += fabs((double)right[i]);
    }
    impl->add(&got, left, right, frames);
    assert_int_equal(got.frames, expected.frames);
    assert_near(got.ll, expected.ll, expected.ll);
    assert_near(got.rr, expected.rr, expected.rr);
    assert_near(got.lr, expected.lr, expected.ll + expected.rr);
    assert_near(got.l, expected.l, of_l);
    assert_near(got.r, expected.r, of_r);
    assert_true(got.min_l == expected.min_l && got.max_l == expected.max_l);
    assert_true(got.min_r == expected.min_r && got.max_r == expected.max_r);
}

static void sums_and_extremes_are_those_of_a_loop(void **state)
{
    (void)state;
    static float left[LINE], right[LINE];
    uint64_t seed = 21;
    int compared = 0;
    for (size_t i = 0; i < level_impl_count; ++i) {
        if (level_impls[i].cpu_flags & ~cpu_flags())
            continue;
        for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset)
            for (uint32_t frames = 0; frames <= FRAMES_MAX;
                 frames += frames < KERNEL_LENGTHS ? 1 : 37, ++compared) {
                kernel_fill(left, LINE, &seed);
                kernel_fill(right, LINE, &seed);
                assert_sums(&level_impls[i], left + offset, right + KERNEL_OFFSETS - offset,
                            frames);
            }
    }
    assert_true(compared >= KERNEL_OFFSETS * KERNEL_LENGTHS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_extremes_are_those_of_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
