// SPDX-License-Identifier: MIT
#include "engine/render/lift.h"
#include "support/measure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka.h wants those above it
#include <cmocka.h>

enum { RATE_HZ = 48000, BLOCK = 480, A_SECOND = RATE_HZ / BLOCK };

/// Both sides of one second: a tone of `hz`, and the same by `gain_db` louder. @return the most that the lift
/// moved in a block.
static double play(struct lift *lift, double hz, double gain_db, double makeup_db)
{
    float plain[2 * BLOCK], mastered[2 * BLOCK];
    const double gain = pow(10, gain_db / 20);
    double most = 0;
    for (int block = 0; block < A_SECOND; ++block) {
        for (int i = 0; i < BLOCK; ++i) {
            const double x = 0.1 * sin(2 * M_PI * hz / RATE_HZ * (block * BLOCK + i));
            plain[2 * i] = plain[2 * i + 1] = (float)x;
            mastered[2 * i] = mastered[2 * i + 1] = (float)(gain * x);
        }
        most = fmax(most, fabs(lift_take(lift, mastered, plain, BLOCK, makeup_db)));
    }
    return most;
}

static void makeup_is_believed_until_there_is_sound(void **state)
{
    (void)state;
    enum { LOW_RATE_HZ = 8000, SECONDS = 2500 }; // longer than a double's exponent lasts
    static const float silence[2 * LOW_RATE_HZ];
    struct lift lift;
    lift_init(&lift, LOW_RATE_HZ);
    for (int i = 0; i < SECONDS; ++i)
        assert_true(lift_take(&lift, silence, silence, LOW_RATE_HZ, 3) == 0);
    assert_true(lift.beyond_db == 0);
    lift_init(&lift, RATE_HZ);
    play(&lift, 1000, 4, 3);
    assert_true(fabs(lift.beyond_db - 1) < 0.01);
}

static void what_goes_beyond_the_makeup_is_found_within_seconds_and_without_a_step(void **state)
{
    (void)state;
    struct lift lift;
    lift_init(&lift, RATE_HZ);
    const double most = play(&lift, 1000, 2, 6);
    assert_true(fabs(lift.beyond_db + 4) < 0.01);
    for (int i = 0; i < 8; ++i)
        play(&lift, 1000, 9, 6);
    assert_true(fabs(lift.beyond_db - 3) < 0.3);
    assert_true(most <= 0.05 + 1e-12 && most > 0.04); // 0.5 dB in 100 ms
}

// A makeup that moves is nothing beyond it.
static void another_makeup_leaves_it_alone(void **state)
{
    (void)state;
    struct lift lift;
    lift_init(&lift, RATE_HZ);
    play(&lift, 1000, 5, 3);
    const double before = lift.beyond_db;
    const double most = play(&lift, 1000, -4, -6);
    assert_true(most < 1e-3);
    assert_true(fabs(lift.beyond_db - before) < 1e-3);
}

// 30 Hz count for little beside 3 kHz.
static void loudness_counts_not_power(void **state)
{
    (void)state;
    struct lift lift;
    lift_init(&lift, RATE_HZ);
    float plain[2 * BLOCK], mastered[2 * BLOCK];
    for (int block = 0; block < 4 * A_SECOND; ++block) {
        for (int i = 0; i < BLOCK; ++i) {
            const double t = (double)(block * BLOCK + i) / RATE_HZ;
            const double bass = 0.1 * sin(2 * M_PI * 30 * t), high = 0.1 * sin(2 * M_PI * 3000 * t);
            plain[2 * i] = plain[2 * i + 1] = (float)(bass + high);
            mastered[2 * i] = mastered[2 * i + 1] = (float)(4 * bass + high);
        }
        (void)lift_take(&lift, mastered, plain, BLOCK, 0); // looked at below
    }
    // By the two sections of BS.1770-5's tables: -8.304 dB at 30 Hz and +3.808 dB at 3 kHz.
    const double low = pow(10, -0.8304), top = pow(10, 0.3808);
    const double expected = 10 * log10((16 * low + top) / (low + top));
    print_message("%.3f dB, expected %.3f\n", lift.beyond_db, expected);
    assert_true(fabs(lift.beyond_db - expected) < 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makeup_is_believed_until_there_is_sound),
        cmocka_unit_test(what_goes_beyond_the_makeup_is_found_within_seconds_and_without_a_step),
        cmocka_unit_test(another_makeup_leaves_it_alone),
        cmocka_unit_test(loudness_counts_not_power),
    };
    return cmocka_run_group_tests_name("lift", tests, NULL, NULL);
}
