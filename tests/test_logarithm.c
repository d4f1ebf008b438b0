// SPDX-License-Identifier: MIT
#include "dsp/logarithm.h"
#include "support/near.h"

static void is_near_the_librarys_over_all_magnitudes(void **state)
{
    (void)state;
    for (double x = 1.2e-38; x < 3.4e38; x *= 1.00371) {
        const double exact = log((double)(float)x);
        assert_near((double)logarithm((float)x), exact, 1.5e-7 * fmax(1.0, fabs(exact)));
    }
}

static void is_near_the_librarys_around_one(void **state)
{
    (void)state;
    for (double x = 0.4; x < 2.8; x += 1.37e-5) {
        const double exact = log((double)(float)x);
        assert_near((double)logarithm((float)x), exact, 1.5e-7);
    }
}

static void one_gives_nothing_and_halves_are_alike(void **state)
{
    (void)state;
    assert_near((double)logarithm(1.0F), 0.0, 0.0);
    for (int e = -120; e < 120; ++e)
        assert_near((double)logarithm(ldexpf(1.0F, e)), e * log(2.0), 1e-7 * fabs(e * log(2.0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_near_the_librarys_over_all_magnitudes),
        cmocka_unit_test(is_near_the_librarys_around_one),
        cmocka_unit_test(one_gives_nothing_and_halves_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
