// SPDX-License-Identifier: MIT
// How the callback goes from one level to another: pauses, seeks, underruns, volume.
#include "support/callback_fixture.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

// --- fades

static void callback_never_steps_at_a_pause_a_seek_or_an_underrun(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    const float step = 1.0f / FADE_FRAMES + 1e-6f;
    feed_level(rig, 1, 1.0f, 512, 0);
    feed_level(rig, 1, 1.0f, 512, 0);
    run(rig, 300);
    callback_set_mode(rig->callback, CALLBACK_PAUSED);
    run(rig, 300);
    callback_set_mode(rig->callback, CALLBACK_PLAYING);
    run(rig, 300); // the ring still holds 484 frames
    feed_level(rig, 2, 1.0f, 512, RING_AFTER_GAP);
    callback_set_epoch(rig->callback, 2);
    run(rig, 600);
    run(rig, 900); // runs dry
    feed_level(rig, 2, 1.0f, 512, 0);
    run(rig, 300);
    feed_level(rig, 2, -1.0f, 512, RING_AFTER_GAP); // a gap within an epoch
    run(rig, 1200);

    assert_int_equal(counters(rig).underruns, 2); // the last run's end is dry, too
    assert_true(largest_step(rig, 0, rig->filled) <= step);
    assert_true(rig->out[2 * 299] == 1.0f);
    assert_silent(rig, 300 + FADE_FRAMES, 300 - FADE_FRAMES);
    free_rig(rig);
}

static void callback_turns_back_from_the_level_that_a_fade_in_reached(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    for (int i = 0; i < 4; i++)
        feed_level(rig, 1, 1.0f, 512, 0);
    run(rig, 10);
    callback_set_mode(rig->callback, CALLBACK_PAUSED);
    run(rig, 300);
    callback_set_mode(rig->callback, CALLBACK_PLAYING);
    run(rig, 60);
    callback_set_mode(rig->callback, CALLBACK_PAUSED);
    run(rig, 300);

    assert_float_equal(rig->out[2 * 370], 60.0f / FADE_FRAMES, 1e-6f);
    assert_silent(rig, 370 + 60, 300 - 60);
    assert_true(largest_step(rig, 0, rig->filled) <= 1.0f / FADE_FRAMES + 1e-6f);
    free_rig(rig);
}

static void callback_resumes_from_an_underrun_without_losing_a_frame(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    feed(rig, 1, 1, 0, 300, 0);
    run(rig, 256);
    run(rig, 256);
    run(rig, 256);
    assert_int_equal(counters(rig).underruns, 1); // once a gap, however long
    feed(rig, 1, 1, 300, 512, 0);
    run(rig, 512);

    // The gap fades the last frame; then the fade in starts with the very next frame.
    assert_float_equal(rig->out[2 * 300], sample(1, 299), 1e-9f);
    for (uint32_t i = 0; i < FADE_FRAMES; i++)
        assert_float_equal(rig->out[2 * (768 + i)], sample(1, 300 + i) * (float)i / FADE_FRAMES,
                           1e-9f);
    assert_frames(rig, 768 + FADE_FRAMES, 1, 300 + FADE_FRAMES, 512 - FADE_FRAMES);
    assert_int_equal(position(rig).frame, 812);
    free_rig(rig);
}

static void callback_resumes_from_a_pause_without_losing_a_frame(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    for (uint32_t i = 0; i < 3; i++)
        feed(rig, 1, 1, 512 * i, 512, 0);
    run(rig, 100);
    callback_set_mode(rig->callback, CALLBACK_PAUSED);
    run(rig, 512);
    assert_int_equal(position(rig).frame, 100 + FADE_FRAMES);
    callback_set_mode(rig->callback, CALLBACK_PLAYING);
    run(rig, 512);
    assert_frames(rig, 612 + FADE_FRAMES, 1, 100 + 2 * FADE_FRAMES, 512 - FADE_FRAMES);
    assert_int_equal(counters(rig).underruns, 0);
    free_rig(rig);
}

// --- volume

static void callback_leaves_samples_alone_at_unity(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    struct ring_block *block = ring_reserve(rig->ring);
    assert_non_null(block);
    *block = (struct ring_block){.epoch = 1, .frames = 4};
    const float odd[8] = {1e-42f, -0.0f, NAN, INFINITY, 3.5f, -1e-45f, 1e30f, -1.0f};
    memcpy(block->samples, odd, sizeof odd);
    ring_commit(rig->ring);
    run(rig, 4);
    assert_memory_equal(rig->out, odd, sizeof odd);
    free_rig(rig);
}

static void callback_ramps_the_gain_over_10_ms(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    for (int i = 0; i < 6; i++)
        feed_level(rig, 1, 1.0f, 512, 0);
    run(rig, 100);
    callback_set_gain(rig->callback, 0.25f);
    run(rig, 100);
    run(rig, 1000);
    callback_set_gain(rig->callback, 1.0f);
    run(rig, 1000);

    for (uint32_t i = 0; i < RAMP_FRAMES; i++)
        assert_float_equal(rig->out[2 * (100 + i)], 1.0f - 0.75f * (float)(i + 1) / RAMP_FRAMES,
                           1e-4f);
    assert_true(rig->out[2 * (100 + RAMP_FRAMES)] == 0.25f);
    assert_true(rig->out[2 * 1199] == 0.25f);
    assert_true(rig->out[2 * (1200 + RAMP_FRAMES)] == 1.0f);
    assert_true(largest_step(rig, 0, rig->filled) <= 0.75f / RAMP_FRAMES + 1e-4f);
    free_rig(rig);
}

static void callback_takes_a_gain_set_before_the_start_at_once(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    callback_set_gain(rig->callback, 0.5f);
    feed_level(rig, 1, 1.0f, 512, 0);
    run(rig, 256);
    for (uint32_t i = 0; i < 512; i++)
        assert_true(rig->out[i] == 0.5f);
    free_rig(rig);
}

static void callback_reads_the_peak_after_volume_and_lets_it_fall(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    callback_set_gain(rig->callback, 0.5f);
    feed_level(rig, 1, -0.8f, 100, RING_QUEUE_END);
    run(rig, 100);
    assert_float_equal(counters(rig).peak, 0.4f, 1e-6f);
    for (int i = 0; i < 200; i++) { // 1.07 s
        rig->filled = 0;
        run(rig, 256);
    }
    assert_true(counters(rig).peak < 0.04f);
    free_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callback_never_steps_at_a_pause_a_seek_or_an_underrun),
        cmocka_unit_test(callback_turns_back_from_the_level_that_a_fade_in_reached),
        cmocka_unit_test(callback_resumes_from_an_underrun_without_losing_a_frame),
        cmocka_unit_test(callback_resumes_from_a_pause_without_losing_a_frame),
        cmocka_unit_test(callback_leaves_samples_alone_at_unity),
        cmocka_unit_test(callback_ramps_the_gain_over_10_ms),
        cmocka_unit_test(callback_takes_a_gain_set_before_the_start_at_once),
        cmocka_unit_test(callback_reads_the_peak_after_volume_and_lets_it_fall),
    };
    return cmocka_run_group_tests_name("callback_fades", tests, NULL, NULL);
}
