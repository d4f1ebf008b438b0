// SPDX-License-Identifier: MIT
// Every constructor of the sinks, with each of its allocations failing in turn.
#include "io/sink/sink.h"
#include "io/sink/virtual_device.h"
#include "support/failing_alloc.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
// cmocka.h wants those above it
#include <cmocka.h>

static uint32_t pull(void *context, float *stereo, uint32_t frames)
{
    (void)context;
    (void)stereo;
    (void)frames;
    return 0;
}

/// Open and close. @return what opening returned.
static int open_sink(const char *device)
{
    struct sink *sink = (struct sink *)1;
    const struct sink_config config = {
        .device = device, .rate_hz = 44100, .speed = INFINITY, .pull = pull};
    int error = sink_open(&sink, &config);
    assert_true((error == 0) == (sink != NULL));
    assert_int_equal(sink_close(&sink), 0);
    return error;
}

/// Fail one allocation after the other until all succeed. @return how many there were.
static size_t replay(const char *device, int expected)
{
    for (size_t successes = 0;; successes++) {
        size_t live = failing_alloc_live();
        failing_alloc_arm(successes);
        int error = open_sink(device);
        bool has_failed = failing_alloc_has_failed();
        failing_alloc_arm(SIZE_MAX);
        assert_int_equal(failing_alloc_live(), live);
        assert_int_equal(error, has_failed ? -ENOMEM : expected);
        if (!has_failed)
            return successes;
    }
}

static void null_sink_survives_each_failing_allocation(void **state)
{
    (void)state;
    assert_true(replay("null", 0) >= 3);
}

static void wav_sink_survives_each_failing_allocation(void **state)
{
    (void)state;
    assert_true(replay("wav:/dev/null", 0) >= 3);
    assert_true(replay("wav:/nonexistent/out.wav", -ENOENT) >= 3);
}

static void portaudio_sink_survives_each_failing_allocation(void **state)
{
    (void)state;
    assert_true(replay("no such device", -ENODEV) >= 2);
}

static void virtual_device_survives_each_failing_allocation(void **state)
{
    (void)state;
    const struct virtual_device_config config = {
        .rate_hz = 44100, .period_frames = 64, .pull = pull};
    for (size_t successes = 0; successes < 2; successes++) {
        struct virtual_device *device = (struct virtual_device *)1;
        size_t live = failing_alloc_live();
        failing_alloc_arm(successes);
        assert_int_equal(virtual_device_create(&device, &config), -ENOMEM);
        failing_alloc_arm(SIZE_MAX);
        assert_null(device);
        assert_int_equal(failing_alloc_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_sink_survives_each_failing_allocation),
        cmocka_unit_test(wav_sink_survives_each_failing_allocation),
        cmocka_unit_test(portaudio_sink_survives_each_failing_allocation),
        cmocka_unit_test(virtual_device_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
