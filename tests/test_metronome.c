// SPDX-License-Identifier: MIT
#include "io/sink/metronome.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka.h wants those above it
#include <cmocka.h>

enum { RATE_HZ = 48000, PERIOD_FRAMES = 480, PERIOD_NS = 10000000, PERIODS_AN_HOUR = 360000 };

static struct metronome a_metronome(double speed)
{
    struct metronome m;
    metronome_init(&m, RATE_HZ, 0.02, speed);
    return m;
}

// Calls of a host without a clock, which come a microsecond after they are let go. @return when the last is due.
static int64_t run_free(struct metronome *m, int64_t now_ns, int calls)
{
    for (int i = 0; i < calls; ++i) {
        const int64_t due_ns = metronome_beat(m, now_ns, PERIOD_FRAMES);
        now_ns = (due_ns > now_ns ? due_ns : now_ns) + 1000;
    }
    return now_ns;
}

static void metronome_never_holds_up_hardware_that_is_half_a_thousandth_fast(void **state)
{
    (void)state;
    struct metronome m = a_metronome(1.0);
    for (int64_t i = 0; i < 3 * PERIODS_AN_HOUR; ++i) {
        const int64_t now_ns = i < 4 ? 0 : (i - 4) * (PERIOD_NS - PERIOD_NS / 2000);
        assert_int_equal(metronome_beat(&m, now_ns, PERIOD_FRAMES), now_ns);
    }
}

static void metronome_never_holds_up_a_burst_after_a_stall(void **state)
{
    (void)state;
    struct metronome m = a_metronome(1.0);
    int64_t now_ns = 0;
    for (int i = 0; i < 1000; ++i) {
        if (i % 100 == 99)
            now_ns += INT64_C(3000000000);
        else if (i % 100 > 20) // the burst: 20 periods at once
            now_ns += PERIOD_NS;
        assert_int_equal(metronome_beat(&m, now_ns, PERIOD_FRAMES), now_ns);
    }
}

static void metronome_makes_a_host_without_clock_keep_real_time(void **state)
{
    (void)state;
    struct metronome m = a_metronome(1.0);
    const int64_t start_ns = run_free(&m, 0, 60);

    const int64_t end_ns = run_free(&m, start_ns, PERIODS_AN_HOUR);

    assert_true(start_ns < INT64_C(200000000));
    assert_in_range(end_ns - start_ns, INT64_C(3599900000000), INT64_C(3600100000000));
}

static void metronome_leads_at_the_speed_it_is_given(void **state)
{
    (void)state;
    struct metronome m = a_metronome(8.0);
    const int64_t start_ns = run_free(&m, 0, 60);

    const int64_t end_ns = run_free(&m, start_ns, 8000);

    assert_in_range(end_ns - start_ns, INT64_C(9900000000), INT64_C(10100000000));
}

static void metronome_does_not_make_up_for_a_long_stall(void **state)
{
    (void)state;
    struct metronome m = a_metronome(1.0);
    int64_t now_ns = run_free(&m, 0, 100) + INT64_C(5000000000);

    const int64_t end_ns = run_free(&m, now_ns, 100);

    assert_in_range(end_ns - now_ns, INT64_C(980000000), INT64_C(1010000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metronome_never_holds_up_hardware_that_is_half_a_thousandth_fast),
        cmocka_unit_test(metronome_never_holds_up_a_burst_after_a_stall),
        cmocka_unit_test(metronome_makes_a_host_without_clock_keep_real_time),
        cmocka_unit_test(metronome_leads_at_the_speed_it_is_given),
        cmocka_unit_test(metronome_does_not_make_up_for_a_long_stall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
