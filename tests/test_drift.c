// SPDX-License-Identifier: MIT
#include "dsp/rhythm/drift.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAME_RATE_HZ 43.0
#define PERIOD        22.0
enum { FRAMES = 2600 }; // a minute

/// Strokes whose period is PERIOD up to `change`, and `later` from there on.
static void strike(uint16_t strength[FRAMES], double change, double later)
{
    memset(strength, 0, FRAMES * sizeof(*strength));
    for (double place = 4.0; place < FRAMES - 2; place += place < change ? PERIOD : later) {
        const size_t t = (size_t)round(place);
        strength[t - 1] = strength[t + 1] = 1000;
        strength[t] = 4000;
    }
}

static void a_steady_pulse_has_no_paces(void **state)
{
    (void)state;
    uint16_t strength[FRAMES];
    struct drift drift;
    strike(strength, FRAMES, PERIOD);

    assert_int_equal(drift_find(strength, FRAMES, FRAME_RATE_HZ, PERIOD, &drift), 0);

    assert_int_equal(drift.count, 0);
    assert_null(drift.paces);
    assert_int_equal(drift_at(&drift, 1000), DRIFT_STEADY);
}

static void a_leap_of_the_tempo_is_found_where_it_happens(void **state)
{
    (void)state;
    const double ratios[] = {0.8, 0.9, 1.1, 1.25};
    for (size_t i = 0; i < sizeof(ratios) / sizeof(*ratios); i++) {
        uint16_t strength[FRAMES];
        struct drift drift;
        strike(strength, 1300.0, ratios[i] * PERIOD);

        assert_int_equal(drift_find(strength, FRAMES, FRAME_RATE_HZ, PERIOD, &drift), 0);

        assert_true(drift.count > 0);
        assert_int_equal(drift_at(&drift, 400), DRIFT_STEADY);
        assert_int_equal(drift_at(&drift, 1000), DRIFT_STEADY);
        assert_true(fabs(drift_ratio(drift_at(&drift, 1600)) / ratios[i] - 1.0) < 0.04);
        assert_true(fabs(drift_ratio(drift_at(&drift, FRAMES - 1)) / ratios[i] - 1.0) < 0.04);
        drift_deinit(&drift);
        assert_null(drift.paces);
    }
}

static void silence_and_short_tracks_are_steady(void **state)
{
    (void)state;
    const uint16_t silence[FRAMES] = {0};
    struct drift drift;

    assert_int_equal(drift_find(silence, FRAMES, FRAME_RATE_HZ, PERIOD, &drift), 0);
    assert_int_equal(drift.count, 0);
    assert_int_equal(drift_find(silence, 100, FRAME_RATE_HZ, PERIOD, &drift), 0);
    assert_int_equal(drift.count, 0);
}

static void paces_are_evenly_spaced_around_one(void **state)
{
    (void)state;
    assert_true(drift_ratio(DRIFT_STEADY) == 1.0);
    for (int pace = 0; pace + 1 < DRIFT_PACES; pace++) {
        const double step = drift_ratio(pace + 1) / drift_ratio(pace);
        assert_true(fabs(step - drift_ratio(1) / drift_ratio(0)) < 1e-12);
    }
    assert_true(drift_ratio(0) > 0.75 && drift_ratio(DRIFT_PACES - 1) < 4.0 / 3.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_pulse_has_no_paces),
        cmocka_unit_test(a_leap_of_the_tempo_is_found_where_it_happens),
        cmocka_unit_test(silence_and_short_tracks_are_steady),
        cmocka_unit_test(paces_are_evenly_spaced_around_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
