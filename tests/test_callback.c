// SPDX-License-Identifier: MIT
// What is heard of a ring, and when: blocks in order, epochs, sinks with patience; and what can be read of it.
#include "support/callback_fixture.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static bool allocation_fails;
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return allocation_fails ? NULL : __real_aligned_alloc(alignment, bytes);
}

// --- plain playing

static void callback_creation_survives_a_failing_allocation(void **state)
{
    (void)state;
    struct ring *ring;
    assert_int_equal(ring_create(&ring, 2, RING_ONE_SIDE), 0);
    struct callback *callback = (struct callback *)1;
    allocation_fails = true;
    int error = callback_create(&callback, ring, RATE_HZ, SINK_PACED);
    allocation_fails = false;
    assert_int_equal(error, -ENOMEM);
    assert_null(callback);
    callback_destroy(&callback);
    ring_destroy(&ring);
}

static void callback_is_silent_and_leaves_the_ring_alone_until_told_to_play(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    callback_set_mode(rig->callback, CALLBACK_PAUSED);
    feed(rig, 1, 1, 0, 512, 0);
    assert_int_equal(run(rig, 256), 256);
    assert_silent(rig, 0, 256);
    assert_int_equal(ring_fill(rig->ring), 1);
    assert_int_equal(counters(rig).underruns, 0);
    free_rig(rig);
}

static void callback_joins_blocks_and_tracks_bit_for_bit_at_any_period(void **state)
{
    (void)state;
    static const uint32_t periods[] = {1, 7, 64, 255, 256, 511, 512, 513, 1777};
    for (size_t p = 0; p < sizeof periods / sizeof *periods; p++) {
        struct rig *rig = new_rig(SINK_PACED);
        feed(rig, 1, 1, 0, 512, 0);
        feed(rig, 1, 1, 512, 301, RING_TRACK_END);
        feed(rig, 1, 2, 0, 0, 0); // a block may be empty
        feed(rig, 1, 2, 0, 512, 0);
        feed(rig, 1, 2, 512, 452, RING_TRACK_END | RING_QUEUE_END);
        while (rig->filled < 1777)
            run(rig, periods[p] < 1777 - rig->filled ? periods[p] : 1777 - rig->filled);

        assert_frames(rig, 0, 1, 0, 813);
        assert_frames(rig, 813, 2, 0, 964);
        assert_int_equal(counters(rig).frames_played, 1777);
        assert_int_equal(counters(rig).underruns, 0);
        free_rig(rig);
    }
}

static void callback_ends_a_queue_without_fade_or_underrun(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    feed(rig, 1, 1, 0, 500, RING_TRACK_END | RING_QUEUE_END);
    run(rig, 256);
    assert_int_equal(callback_ended_epoch(rig->callback), 0);
    run(rig, 256);
    run(rig, 256);

    assert_frames(rig, 0, 1, 0, 500);
    assert_silent(rig, 500, 268);
    assert_int_equal(callback_ended_epoch(rig->callback), 1);
    assert_int_equal(counters(rig).underruns, 0);
    free_rig(rig);
}

static void callback_tells_the_frame_to_be_played_next(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    feed(rig, 1, 7, 1000, 512, 0);
    run(rig, 100);
    assert_int_equal(position(rig).epoch, 1);
    assert_int_equal(position(rig).track, 7);
    assert_int_equal(position(rig).frame, 1100);
    free_rig(rig);
}

static void callback_counts_every_frame_as_played_or_silent(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    feed(rig, 1, 1, 0, 300, 0);
    for (int i = 0; i < 5; i++)
        run(rig, 256);
    assert_int_equal(counters(rig).callbacks, 5);
    assert_int_equal(counters(rig).frames_played, 300);
    assert_int_equal(counters(rig).silent_frames, 5 * 256 - 300);
    free_rig(rig);
}

// --- epochs

static void callback_drops_stale_blocks_within_one_call(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    for (uint32_t i = 0; i < 8; i++)
        feed(rig, 1, 1, 512 * i, 512, 0);
    run(rig, 256);
    feed(rig, 2, 2, 5000, 512, RING_AFTER_GAP);
    feed(rig, 2, 2, 5512, 512, 0);
    callback_set_epoch(rig->callback, 2);
    run(rig, 1024);

    // 5 ms of the old one, fading, then 5 ms of the new one, fading in, then plainly the new one.
    uint32_t heard = 256 + FADE_FRAMES;
    assert_frames(rig, heard + FADE_FRAMES, 2, 5000 + FADE_FRAMES, 1024 - 2 * FADE_FRAMES);
    assert_int_equal(counters(rig).stale_blocks,
                     8); // the one that faded counts: it was not finished
    assert_int_equal(counters(rig).underruns, 0);
    assert_int_equal(position(rig).epoch, 2);
    assert_int_equal(position(rig).frame, 5000 + 1024 - FADE_FRAMES);
    free_rig(rig);
}

static void callback_fades_with_the_audio_it_leaves(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    feed(rig, 1, 1, 0, 512, 0);
    feed(rig, 1, 1, 512, 512, 0);
    run(rig, 400);
    callback_set_epoch(rig->callback, 2);
    run(rig, 600);

    for (uint32_t i = 0; i < FADE_FRAMES; i++) {
        float weight = (float)(FADE_FRAMES - i) / FADE_FRAMES;
        assert_float_equal(rig->out[2 * (400 + i)], sample(1, 400 + i) * weight, 1e-9f);
    }
    assert_silent(rig, 400 + FADE_FRAMES, 600 - FADE_FRAMES);
    free_rig(rig);
}

static void callback_waits_for_a_new_epoch_without_counting_an_underrun(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    feed(rig, 1, 1, 0, 512, 0);
    run(rig, 256);
    callback_set_epoch(rig->callback, 2);
    for (int i = 0; i < 4; i++)
        run(rig, 256);
    assert_int_equal(counters(rig).underruns, 0);
    assert_null(ring_peek(rig->ring));
    free_rig(rig);
}

static void callback_keeps_blocks_of_an_epoch_it_was_not_told_of_yet(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    feed(rig, 1, 1, 0, 256, 0);
    feed(rig, 2, 2, 0, 512, RING_AFTER_GAP);
    run(rig, 512);
    assert_int_equal(ring_fill(rig->ring), 1);
    assert_int_equal(counters(rig).underruns, 0);
    callback_set_epoch(rig->callback, 2);
    run(rig, 512);
    assert_frames(rig, 512 + FADE_FRAMES, 2, FADE_FRAMES, 512 - FADE_FRAMES);
    assert_int_equal(counters(rig).stale_blocks, 0);
    free_rig(rig);
}

static void callback_compares_epochs_through_their_wrap(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    callback_set_epoch(rig->callback, 0x7fffffff);
    callback_set_epoch(rig->callback, 0xfffffffe);
    feed(rig, 0xfffffffe, 1, 0, 512, 0);
    feed(rig, 1, 2, 0, 512, RING_AFTER_GAP);
    callback_set_epoch(rig->callback, 1);
    run(rig, 512);
    assert_frames(rig, 0, 2, 0, 512); // the first frame of all: no fade
    assert_int_equal(counters(rig).stale_blocks, 1);
    free_rig(rig);
}

static void callback_drops_stale_blocks_while_paused(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    callback_set_mode(rig->callback, CALLBACK_PAUSED);
    for (uint32_t i = 0; i < RING_BLOCKS - 1; i++)
        feed(rig, 1, 1, 512 * i, 512, 0);
    feed(rig, 2, 3, 4000, 512, RING_AFTER_GAP);
    callback_set_epoch(rig->callback, 2);
    run(rig, 64);
    assert_int_equal(ring_fill(rig->ring), 1); // so the writer can go on
    assert_int_equal(position(rig).track, 3);
    assert_int_equal(position(rig).frame, 4000);
    free_rig(rig);
}

// --- patient sinks

static void callback_gives_a_patient_sink_the_ring_as_it_is(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PATIENT);
    assert_int_equal(run(rig, 512), 0);
    feed(rig, 1, 1, 0, 300, 0);
    assert_int_equal(run(rig, 512), 300);
    assert_int_equal(run(rig, 512), 0);
    feed(rig, 1, 1, 300, 512, RING_AFTER_GAP);
    feed(rig, 1, 1, 812, 100, RING_TRACK_END | RING_QUEUE_END);
    assert_int_equal(run(rig, 1024), 612);
    assert_int_equal(run(rig, 1024), 0);

    assert_frames(rig, 0, 1, 0, 912);
    assert_int_equal(counters(rig).underruns, 0);
    assert_int_equal(counters(rig).silent_frames, 0);
    assert_int_equal(callback_ended_epoch(rig->callback), 1);
    free_rig(rig);
}

static void callback_switches_epochs_for_a_patient_sink_without_fade(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PATIENT);
    feed(rig, 1, 1, 0, 512, 0);
    feed(rig, 1, 1, 512, 512, 0);
    feed(rig, 2, 2, 77, 512, RING_AFTER_GAP);
    assert_int_equal(run(rig, 100), 100);
    callback_set_epoch(rig->callback, 2);
    assert_int_equal(run(rig, 600), 512);
    assert_frames(rig, 0, 1, 0, 100);
    assert_frames(rig, 100, 2, 77, 512);
    free_rig(rig);
}

static void callback_gives_a_patient_sink_nothing_while_paused(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PATIENT);
    feed(rig, 1, 1, 0, 512, 0);
    assert_int_equal(run(rig, 100), 100);
    callback_set_mode(rig->callback, CALLBACK_PAUSED);
    assert_int_equal(run(rig, 100), 0);
    callback_set_mode(rig->callback, CALLBACK_PLAYING);
    assert_int_equal(run(rig, 600), 412);
    assert_frames(rig, 0, 1, 0, 512);
    free_rig(rig);
}

// --- readings

struct watch {
    const struct callback *callback;
    atomic_bool is_over;
    uint64_t readings, torn;
};

static void *watch_run(void *context)
{
    struct watch *w = context;
    do {
        struct callback_counters c;
        callback_counters(w->callback, &c);
        // Each run is of 64 frames, played or silent: nothing else may ever be seen.
        w->torn += c.frames_played + c.silent_frames != 64 * c.callbacks;
        w->readings++;
    } while (!atomic_load(&w->is_over));
    return NULL;
}

static void callback_readings_are_never_torn(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED);
    struct watch watch = {.callback = rig->callback};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, watch_run, &watch), 0);
    for (uint32_t i = 0; i < 100000; i++) {
        if (i % 9 < 4 && ring_reserve(rig->ring))
            feed(rig, 1, 1, 0, 100, 0);
        rig->filled = 0;
        run(rig, 64);
    }
    atomic_store(&watch.is_over, true);
    pthread_join(thread, NULL);
    assert_true(watch.readings > 0);
    assert_int_equal(watch.torn, 0);
    assert_true(counters(rig).underruns > 0);
    free_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callback_creation_survives_a_failing_allocation),
        cmocka_unit_test(callback_is_silent_and_leaves_the_ring_alone_until_told_to_play),
        cmocka_unit_test(callback_joins_blocks_and_tracks_bit_for_bit_at_any_period),
        cmocka_unit_test(callback_ends_a_queue_without_fade_or_underrun),
        cmocka_unit_test(callback_tells_the_frame_to_be_played_next),
        cmocka_unit_test(callback_counts_every_frame_as_played_or_silent),
        cmocka_unit_test(callback_drops_stale_blocks_within_one_call),
        cmocka_unit_test(callback_fades_with_the_audio_it_leaves),
        cmocka_unit_test(callback_waits_for_a_new_epoch_without_counting_an_underrun),
        cmocka_unit_test(callback_keeps_blocks_of_an_epoch_it_was_not_told_of_yet),
        cmocka_unit_test(callback_compares_epochs_through_their_wrap),
        cmocka_unit_test(callback_drops_stale_blocks_while_paused),
        cmocka_unit_test(callback_gives_a_patient_sink_the_ring_as_it_is),
        cmocka_unit_test(callback_switches_epochs_for_a_patient_sink_without_fade),
        cmocka_unit_test(callback_gives_a_patient_sink_nothing_while_paused),
        cmocka_unit_test(callback_readings_are_never_torn),
    };
    return cmocka_run_group_tests_name("callback", tests, NULL, NULL);
}
