// SPDX-License-Identifier: MIT
#include "io/sink/virtual_device.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// cmocka.h wants those above it
#include <cmocka.h>

static uint32_t pull(void *context, float *stereo, uint32_t frames)
{
    uint64_t *given = context;
    for (uint32_t i = 0; i < frames; i++) {
        stereo[2 * i] = (float)(*given + i);
        stereo[2 * i + 1] = -(float)(*given + i);
    }
    *given += frames;
    return frames;
}

static struct virtual_device *new_device(struct virtual_device_config config, uint64_t *given)
{
    struct virtual_device *device;
    *given = 0;
    config.pull = pull;
    config.context = given;
    assert_int_equal(virtual_device_create(&device, &config), 0);
    return device;
}

static void device_calls_on_its_schedule_and_shows_what_it_got(void **state)
{
    (void)state;
    uint64_t given;
    struct virtual_device *device =
        new_device((struct virtual_device_config){.rate_hz = 44100, .period_frames = 441}, &given);
    for (int64_t i = 0; i < 1000; i++) {
        struct virtual_step step;
        assert_int_equal(virtual_device_step(device, &step), 0);
        assert_int_equal(step.due_ns, i * 10000000);
        assert_int_equal(step.called_ns, step.due_ns);
        assert_int_equal(step.got_frames, 441);
        assert_true(step.stereo[2 * 440] == (float)(441 * i + 440));
    }
    assert_int_equal(given, 441000);
    assert_int_equal(virtual_device_xruns(device), 0);
    virtual_device_destroy(&device);
    assert_null(device);
}

static void device_clock_does_not_drift(void **state)
{
    (void)state;
    uint64_t given;
    struct virtual_device *device =
        new_device((struct virtual_device_config){.rate_hz = 44100, .period_frames = 256}, &given);
    for (int i = 0; i < 44100; i++)
        assert_int_equal(virtual_device_step(device, NULL), 0);
    assert_int_equal(virtual_device_now_ns(device), 256LL * 1000000000);
    virtual_device_destroy(&device);
}

static void device_jitter_is_bounded_and_the_same_for_a_seed(void **state)
{
    (void)state;
    const struct virtual_device_config config = {
        .rate_hz = 48000, .period_frames = 64, .seed = 7, .jitter_ns = 500000};
    uint64_t given[2];
    struct virtual_device *a = new_device(config, &given[0]);
    struct virtual_device *b = new_device(config, &given[1]);
    int64_t least = INT64_MAX;
    int64_t most = 0;
    for (int i = 0; i < 1000; i++) {
        struct virtual_step x, y;
        assert_int_equal(virtual_device_step(a, &x), 0);
        assert_int_equal(virtual_device_step(b, &y), 0);
        assert_int_equal(x.called_ns, y.called_ns);
        int64_t late = x.called_ns - x.due_ns;
        least = late < least ? late : least;
        most = late > most ? late : most;
    }
    assert_in_range(most, 450000, 500000);
    assert_in_range(least, 0, 50000);
    virtual_device_destroy(&a);
    virtual_device_destroy(&b);
}

static void device_follows_its_script(void **state)
{
    (void)state;
    static const struct virtual_event script[] = {
        {.step = 1, .kind = VIRTUAL_LATE, .value = 3000000},
        {.step = 2, .kind = VIRTUAL_STALL, .value = 50000000},
        {.step = 3, .kind = VIRTUAL_PERIOD, .value = 24},
        {.step = 4, .kind = VIRTUAL_RATE, .value = 96000},
        {.step = 6, .kind = VIRTUAL_DISCONNECT},
    };
    uint64_t given;
    struct virtual_device *device = new_device(
        (struct virtual_device_config){
            .rate_hz = 48000, .period_frames = 48, .events = script, .n_events = 5},
        &given);
    static const int64_t due_us[] = {0, 1000, 52000, 53000, 53500, 53750};
    static const int64_t late_us[] = {0, 3000, 0, 0, 0, 0};
    static const uint32_t frames[] = {48, 48, 48, 24, 24, 24};
    for (int i = 0; i < 6; i++) {
        struct virtual_step step;
        assert_int_equal(virtual_device_step(device, &step), 0);
        assert_int_equal(step.due_ns, due_us[i] * 1000);
        assert_int_equal(step.called_ns - step.due_ns, late_us[i] * 1000);
        assert_int_equal(step.frames, frames[i]);
        assert_int_equal(step.rate_hz, i < 4 ? 48000 : 96000);
    }
    assert_int_equal(virtual_device_step(device, NULL), -ENODEV);
    assert_int_equal(virtual_device_step(device, NULL), -ENODEV);
    assert_int_equal(virtual_device_xruns(device), 1); // 3 ms late on a buffer of two 1 ms periods
    assert_int_equal(given, 3 * 48 + 3 * 24);
    virtual_device_destroy(&device);
}

static void device_refuses_a_script_out_of_order(void **state)
{
    (void)state;
    static const struct virtual_event script[] = {{.step = 2}, {.step = 1}};
    struct virtual_device *device = (struct virtual_device *)1;
    const struct virtual_device_config config = {
        .rate_hz = 48000, .period_frames = 48, .events = script, .n_events = 2, .pull = pull};
    assert_int_equal(virtual_device_create(&device, &config), -EINVAL);
    assert_null(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_calls_on_its_schedule_and_shows_what_it_got),
        cmocka_unit_test(device_clock_does_not_drift),
        cmocka_unit_test(device_jitter_is_bounded_and_the_same_for_a_seed),
        cmocka_unit_test(device_follows_its_script),
        cmocka_unit_test(device_refuses_a_script_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
