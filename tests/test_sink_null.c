// SPDX-License-Identifier: MIT
#include "io/sink/sink.h"
#include <errno.h>
#include <math.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
// cmocka.h wants those above it
#include <cmocka.h>

struct source {
    sem_t asked;                // posted once a pull
    _Atomic uint32_t available; // frames that a patient sink may have
    _Atomic uint64_t pulls, frames;
    _Atomic uint32_t largest;
};

static uint32_t pull(void *context, float *stereo, uint32_t frames)
{
    struct source *s = context;
    uint32_t available = atomic_load(&s->available);
    uint32_t n = frames < available ? frames : available;
    for (uint32_t i = 0; i < 2 * n; i++)
        stereo[i] = 0.5f;
    atomic_fetch_sub(&s->available, n);
    atomic_fetch_add(&s->frames, n);
    atomic_fetch_add(&s->pulls, 1);
    if (frames > atomic_load(&s->largest))
        atomic_store(&s->largest, frames);
    sem_post(&s->asked);
    return n;
}

static void start_source(struct source *s, uint32_t available)
{
    *s = (struct source){0};
    assert_int_equal(sem_init(&s->asked, 0, 0), 0);
    atomic_store(&s->available, available);
}

static struct sink *open_null(struct source *s, uint32_t buffer_frames, double speed)
{
    struct sink *sink;
    const struct sink_config config = {
        .device = "null",
        .rate_hz = 48000,
        .buffer_frames = buffer_frames,
        .speed = speed,
        .pull = pull,
        .context = s,
    };
    assert_int_equal(sink_open(&sink, &config), 0);
    return sink;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void null_sink_states_its_pace_and_period(void **state)
{
    (void)state;
    struct source source;
    struct sink_info info;
    start_source(&source, 0);

    struct sink *sink = open_null(&source, 256, 1.0);
    sink_info(sink, &info);
    assert_int_equal(info.pace, SINK_PACED);
    assert_int_equal(info.period_frames, 256);
    assert_int_equal(info.rate_hz, 48000);
    assert_string_equal(info.name, "null");
    assert_int_equal(sink_close(&sink), 0);
    assert_null(sink);

    sink = open_null(&source, 0, INFINITY);
    sink_info(sink, &info);
    assert_int_equal(info.pace, SINK_PATIENT);
    assert_int_equal(sink_close(&sink), 0);
}

static void null_sink_is_never_ahead_of_its_clock(void **state)
{
    (void)state;
    struct source source;
    start_source(&source, UINT32_MAX);
    struct sink *sink = open_null(&source, 480, 20.0); // a period is 0.5 ms
    double start_s = now_s();
    assert_int_equal(sink_start(sink), 0);
    for (int i = 0; i < 101; i++)
        sem_wait(&source.asked);
    double elapsed_s = now_s() - start_s;
    assert_int_equal(sink_stop(sink), 0);

    assert_true(elapsed_s >= 100 * 0.0005);
    assert_int_equal(atomic_load(&source.largest), 480);
    assert_int_equal(sink_state(sink), SINK_STOPPED);
    assert_int_equal(sink_close(&sink), 0);
}

static void null_sink_pulls_no_more_once_stopped_and_can_start_again(void **state)
{
    (void)state;
    struct source source;
    start_source(&source, UINT32_MAX);
    struct sink *sink = open_null(&source, 64, 1.0);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(sink_start(sink), 0);
        assert_int_equal(sink_start(sink), -EALREADY);
        assert_int_equal(sink_state(sink), SINK_RUNNING);
        uint64_t before = atomic_load(&source.pulls);
        while (atomic_load(&source.pulls) < before + 3)
            sem_wait(&source.asked);
        assert_int_equal(sink_stop(sink), 0);
        uint64_t after = atomic_load(&source.pulls);
        assert_int_equal(sink_stop(sink), 0);
        assert_int_equal(atomic_load(&source.pulls), after);
    }
    assert_int_equal(sink_close(&sink), 0);
}

static void patient_null_sink_asks_again_after_each_wake(void **state)
{
    (void)state;
    struct source source;
    start_source(&source, 0);
    struct sink *sink = open_null(&source, 128, INFINITY);
    assert_int_equal(sink_start(sink), 0);
    for (uint64_t round = 1; round <= 2000; round++) {
        atomic_fetch_add(&source.available, 100);
        sink_wake(sink);
        // A lost wake-up would leave this waiting for ever.
        while (atomic_load(&source.frames) < 100 * round)
            sem_wait(&source.asked);
    }
    assert_int_equal(sink_close(&sink), 0); // while it waits for more
    assert_int_equal(atomic_load(&source.frames), 200000);
}

static void sink_refuses_rates_and_speeds_that_make_no_sense(void **state)
{
    (void)state;
    struct sink *sink = (struct sink *)1;
    struct sink_config config = {.device = "null", .rate_hz = 0, .speed = 1.0, .pull = pull};
    assert_int_equal(sink_open(&sink, &config), -EINVAL);
    assert_null(sink);
    assert_true(sink_error_text()[0] != '\0');
    config.rate_hz = 44100;
    config.speed = -1.0;
    assert_int_equal(sink_open(&sink, &config), -EINVAL);
    config.speed = NAN;
    assert_int_equal(sink_open(&sink, &config), -EINVAL);
    assert_int_equal(sink_close(&sink), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_sink_states_its_pace_and_period),
        cmocka_unit_test(null_sink_is_never_ahead_of_its_clock),
        cmocka_unit_test(null_sink_pulls_no_more_once_stopped_and_can_start_again),
        cmocka_unit_test(patient_null_sink_asks_again_after_each_wake),
        cmocka_unit_test(sink_refuses_rates_and_speeds_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
