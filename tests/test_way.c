// SPDX-License-Identifier: MIT
#include "engine/render/provisional.h"
#include "engine/render/way.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka.h wants those above it
#include <cmocka.h>

enum { RATE_HZ = 48000, START = 100000, TENTH = RATE_HZ / 10 };

static const struct levels quiet = {.lift_db = 2.0},
                           lifted = {.lift_db = 26.0, .headroom_db = 20.0};

static struct mastering_targets makeup(double db)
{
    return (struct mastering_targets){.makeup_db = db};
}

static struct way begun(uint32_t *frames)
{
    const struct mastering_targets from = makeup(2.0), to = makeup(26.0);
    struct way way;
    way_stand(&way, &from, &quiet);
    *frames = way_go(&way, &to, &lifted, START, RATE_HZ);
    return way;
}

static double decibels(float gain)
{
    return 20 * log10((double)gain);
}

static void assert_close(double a, double b, double tolerance)
{
    assert_true(fabs(a - b) <= tolerance);
}

static void who_stands_is_there(void **state)
{
    (void)state;
    const struct mastering_targets targets = makeup(2.0);
    struct way way;
    way_stand(&way, &targets, &lifted);
    assert_true(way_is_over(&way, 0));
    const struct match match = way_match(&way, 12345), expected = match_of_lift(26.0, 20.0);
    assert_true(match.mastered == expected.mastered && match.plain == expected.plain);
}

static void both_ends_are_what_was_and_what_is_wanted(void **state)
{
    (void)state;
    uint32_t frames;
    const struct way way = begun(&frames);
    struct match match = way_match(&way, START), expected = match_of_lift(2.0, 0.0);
    assert_close(decibels(match.mastered), decibels(expected.mastered), 1e-5);
    assert_close(decibels(match.plain), decibels(expected.plain), 1e-5);
    assert_false(way_is_over(&way, START + frames - 1));
    assert_true(way_is_over(&way, START + frames));
    match = way_match(&way, START + frames);
    expected = match_of_lift(26.0, 20.0);
    assert_true(match.mastered == expected.mastered && match.plain == expected.plain);
}

// Equally loud: the gains differ by what the makeup is at that time, half the way of its gain in half of the time.
static void sides_are_equally_loud_on_the_way_too(void **state)
{
    (void)state;
    uint32_t frames;
    const struct way way = begun(&frames);
    const struct match half = way_match(&way, START + frames / 2);
    const double makeup_db = 20 * log10((pow(10, 2.0 / 20) + pow(10, 26.0 / 20)) / 2);
    assert_close(decibels(half.plain) - decibels(half.mastered), makeup_db, 1e-3);
}

// 6 t^5 - 15 t^4 + 10 t^3, as the chain ramps: 53/512 of the way in the first quarter of the time.
static void way_sets_out_and_arrives_as_the_chain_does(void **state)
{
    (void)state;
    uint32_t frames;
    const struct way way = begun(&frames);
    const double from = pow(10, 2.0 / 20), to = pow(10, 26.0 / 20);
    assert_int_equal(frames % 4, 0);
    for (int late = 0; late < 2; ++late) {
        const double share = late ? 459.0 / 512 : 53.0 / 512;
        assert_close(way_lift_db(&way, START + frames / 4 * (late ? 3 : 1)),
                     20 * log10(from + share * (to - from)), 1e-9);
    }
}

static void no_level_moves_by_a_decibel_in_a_tenth_of_a_second(void **state)
{
    (void)state;
    uint32_t frames;
    const struct way way = begun(&frames);
    for (uint64_t at = START; at < START + frames; at += TENTH) {
        const struct match now = way_match(&way, at), then = way_match(&way, at + TENTH);
        assert_true(fabs(decibels(then.mastered) - decibels(now.mastered)) < 1.0);
        assert_true(fabs(decibels(then.plain) - decibels(now.plain)) < 1.0);
    }
}

// 22 dB are left where the second one sets out, though its targets are within 1 dB of the first one's.
static void way_begun_on_a_way_is_as_long_as_what_is_left(void **state)
{
    (void)state;
    uint32_t frames;
    struct way way = begun(&frames);
    const uint64_t soon = START + frames / 100;
    const struct match before = way_match(&way, soon);
    const struct mastering_targets nearly = makeup(25.0), start = makeup(2.0);
    const uint32_t rest = way_go(&way, &nearly, &lifted, soon, RATE_HZ);
    const double whole = provisional_ramp_s(&start, &nearly) * RATE_HZ;
    assert_true(rest > 0.98 * whole && rest <= whole);
    const struct match after = way_match(&way, soon);
    assert_close(decibels(before.mastered), decibels(after.mastered), 1e-5);
    assert_close(decibels(before.plain), decibels(after.plain), 1e-5);
}

static void lift_that_is_found_to_be_more_is_more_all_along(void **state)
{
    (void)state;
    uint32_t frames;
    struct way way = begun(&frames);
    const uint64_t half = START + frames / 2, end = START + frames;
    const double half_db = way_lift_db(&way, half);
    assert_true(half_db > 2.5 && half_db < 25.5);
    assert_close(way_lift_db(&way, START), 2.0, 1e-9);
    assert_close(way_lift_db(&way, end), 26.0, 1e-9);
    way_raise_lift(&way, -1.5);
    assert_close(way_lift_db(&way, START), 0.5, 1e-9);
    assert_close(way_lift_db(&way, end), 24.5, 1e-9);
    assert_true(way_lift_db(&way, half) < half_db);
    const struct match match = way_match(&way, end);
    assert_close(decibels(match.plain) - decibels(match.mastered), 24.5, 1e-4);
    assert_int_equal(way.frames, frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stands_is_there),
        cmocka_unit_test(both_ends_are_what_was_and_what_is_wanted),
        cmocka_unit_test(sides_are_equally_loud_on_the_way_too),
        cmocka_unit_test(way_sets_out_and_arrives_as_the_chain_does),
        cmocka_unit_test(no_level_moves_by_a_decibel_in_a_tenth_of_a_second),
        cmocka_unit_test(way_begun_on_a_way_is_as_long_as_what_is_left),
        cmocka_unit_test(lift_that_is_found_to_be_more_is_more_all_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
