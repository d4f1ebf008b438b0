// SPDX-License-Identifier: MIT
// Of a ring with two sides: which is heard, from when on, and how it goes over.
#include "engine/audio/callback_setup.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// cmocka.h wants those above it
#include <cmocka.h>

enum {
    RATE_HZ = 48000,
    CROSS_FRAMES = RATE_HZ * CALLBACK_CROSS_MS / 1000,
    LEVEL_FRAMES = RATE_HZ * CALLBACK_LEVEL_MS / 1000,
    FADE_FRAMES = 240, // 5 ms
    RING_BLOCKS = 16,
    MAX_FRAMES = 300000,
};

/// What the writer puts into every block from now on.
struct source {
    uint32_t epoch, track;
    float mastered, plain; // values, where `is_music` is 0
    int is_music;          // values of their own for each frame and side
    float mastered_gain, plain_gain;
    float plain_step; // in a block: on the way
};

struct rig {
    struct ring *ring;
    struct callback *callback;
    struct source source;
    uint64_t frame;
    float *out;
    uint32_t filled; // of out
};

static float music(uint64_t frame, int side)
{
    return (float)sin(0.001 * (double)frame + side);
}

static void feed(struct rig *rig, uint32_t flags)
{
    struct ring_block *block = ring_reserve(rig->ring);
    if (!block)
        return;
    block->epoch = rig->source.epoch;
    block->track = rig->source.track;
    block->first_frame = rig->frame;
    block->frames = RING_BLOCK_FRAMES;
    block->flags = flags;
    block->mastered_gain = rig->source.mastered_gain;
    block->plain_gain = rig->source.plain_gain;
    rig->source.plain_gain += rig->source.plain_step;
    block->mastered_to = rig->source.mastered_gain;
    block->plain_to = rig->source.plain_gain;
    block->is_on_the_way = rig->source.plain_step != 0.0f;
    const int has_plain = ring_sides(rig->ring) == RING_TWO_SIDES;
    for (uint32_t i = 0; i < 2 * RING_BLOCK_FRAMES; i++) {
        const uint64_t frame = rig->frame + i / 2;
        block->samples[i] = rig->source.is_music ? music(frame, 0) : rig->source.mastered;
        if (has_plain)
            ring_plain(block)[i] = rig->source.is_music ? music(frame, 1) : rig->source.plain;
    }
    rig->frame += RING_BLOCK_FRAMES;
    ring_commit(rig->ring);
}

/// Play `frames` in periods of `period`; the ring holds two blocks more than is needed.
static void run(struct rig *rig, uint32_t frames, uint32_t period)
{
    assert_true(rig->filled + frames <= MAX_FRAMES);
    for (uint32_t n; frames > 0; frames -= n) {
        while (ring_fill(rig->ring) < 2 + period / RING_BLOCK_FRAMES)
            feed(rig, 0);
        n = callback_run(rig->callback, rig->out + 2 * (size_t)rig->filled,
                         frames < period ? frames : period);
        assert_true(n > 0);
        rig->filled += n;
    }
}

static struct rig *new_rig(enum sink_pace pace, enum ring_sides sides)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig->out = malloc((size_t)MAX_FRAMES * 2 * sizeof *rig->out);
    assert_non_null(rig->out);
    rig->source = (struct source){.epoch = 1, .track = 1, .mastered = 0.8f, .plain = -0.6f};
    rig->source.mastered_gain = rig->source.plain_gain = 1.0f;
    assert_int_equal(ring_create(&rig->ring, RING_BLOCKS, sides), 0);
    assert_int_equal(callback_create(&rig->callback, rig->ring, RATE_HZ, pace), 0);
    callback_set_mode(rig->callback, CALLBACK_PLAYING);
    return rig;
}

static void free_rig(struct rig *rig)
{
    callback_destroy(&rig->callback);
    ring_destroy(&rig->ring);
    free(rig->out);
    free(rig);
}

static float at(const struct rig *rig, uint32_t frame)
{
    assert_true(rig->out[2 * (size_t)frame] == rig->out[2 * (size_t)frame + 1]);
    return rig->out[2 * (size_t)frame];
}

static void assert_all(const struct rig *rig, uint32_t from, uint32_t to, float value)
{
    assert_true(from < to);
    for (uint32_t i = from; i < to; i++)
        assert_true(at(rig, i) == value);
}

static double largest_step(const struct rig *rig, uint32_t from, uint32_t to)
{
    double largest = 0;
    for (uint32_t i = from + 1; i < to; i++)
        largest = fmax(largest, fabs((double)at(rig, i) - (double)at(rig, i - 1)));
    return largest;
}

/// The steepest that a way from one value to another may be: the curve's middle, 15/8 of a straight line.
static double steepest(double from, double to, uint32_t frames)
{
    return fabs(to - from) * 1.875 / frames + 1e-6;
}

static float sound_gain(const struct rig *rig)
{
    struct callback_counters counters;
    callback_counters(rig->callback, &counters);
    return counters.sound_gain;
}

// --- going over

static void a_sound_is_heard_from_the_next_callback_on_whatever_the_ring_holds(void **state)
{
    (void)state;
    static const uint32_t periods[] = {1, 64, 255, 512, 1777};
    for (size_t p = 0; p < sizeof periods / sizeof *periods; p++) {
        struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
        for (int i = 0; i < RING_BLOCKS; i++)
            feed(rig, 0);
        run(rig, 1000, periods[p]);
        callback_set_sound(rig->callback, CALLBACK_PLAIN);
        run(rig, 4000, periods[p]);

        assert_all(rig, 0, 1000, 0.8f);
        assert_true(at(rig, 1010) < 0.8f);
        // Half way it is half of each; the curve is its own mirror image.
        assert_float_equal(at(rig, 999 + CROSS_FRAMES / 2), 0.1f, 1e-6f);
        for (uint32_t i = 0; i <= CROSS_FRAMES / 2; i += 50)
            assert_float_equal(at(rig, 999 + i) + at(rig, 999 + CROSS_FRAMES - i), 0.2f, 1e-6f);
        assert_true(largest_step(rig, 0, 5000) <= steepest(0.8, -0.6, CROSS_FRAMES));
        assert_all(rig, 999 + CROSS_FRAMES, 5000, -0.6f);
        free_rig(rig);
    }
}

static void each_side_at_rest_is_the_rings_bits_in_its_place(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
    rig->source.is_music = 1;
    run(rig, 5000, 333);
    callback_set_sound(rig->callback, CALLBACK_PLAIN);
    run(rig, 5000, 333);
    callback_set_sound(rig->callback, CALLBACK_MASTERED);
    run(rig, 5000, 333);
    for (uint32_t i = 0; i < 5000; i++)
        assert_true(at(rig, i) == music(i, 0));
    for (uint32_t i = 5000 + CROSS_FRAMES; i < 10000; i++)
        assert_true(at(rig, i) == music(i, 1));
    for (uint32_t i = 10000 + CROSS_FRAMES; i < 15000; i++)
        assert_true(at(rig, i) == music(i, 0));
    free_rig(rig);
}

static void compared_sides_have_the_blocks_gains(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
    rig->source.mastered_gain = 0.5f;
    rig->source.plain_gain = 0.7f;
    run(rig, 100, 100);
    assert_true(sound_gain(rig) == 1.0f);
    callback_set_sound(rig->callback, CALLBACK_PLAIN);
    run(rig, 4900, 100);
    assert_true(sound_gain(rig) == 0.7f);
    callback_set_sound(rig->callback, CALLBACK_MATCHED);
    run(rig, 5000, 100);
    assert_true(sound_gain(rig) == 0.5f);

    assert_all(rig, 0, 100, 0.8f);
    assert_all(rig, 100 + CROSS_FRAMES, 5000, 0.7f * -0.6f);
    assert_all(rig, 5000 + CROSS_FRAMES, 10000, 0.5f * 0.8f);
    free_rig(rig);
}

static void a_change_of_mind_within_the_crossing_makes_no_step(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
    run(rig, 100, 100);
    for (int i = 0; i < 20; i++) {
        callback_set_sound(rig->callback, i % 2 ? CALLBACK_MATCHED : CALLBACK_PLAIN);
        run(rig, 700 + 97 * (uint32_t)i, 64);
    }
    run(rig, 3000, 64);
    assert_true(largest_step(rig, 0, rig->filled) <= steepest(0.8, -0.6, CROSS_FRAMES));
    assert_all(rig, rig->filled - 100, rig->filled, 0.8f);
    free_rig(rig);
}

// --- levels

static void better_gains_of_the_same_track_are_too_slow_to_be_heard(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
    callback_set_sound(rig->callback, CALLBACK_PLAIN);
    run(rig, 1000, 512);
    rig->source.plain_gain = 0.5f;
    run(rig, LEVEL_FRAMES + 20000, 512);
    assert_true(largest_step(rig, 0, rig->filled) <= steepest(-0.6, -0.3, LEVEL_FRAMES));
    assert_true(at(rig, 0) == -0.6f);
    assert_all(rig, rig->filled - 1000, rig->filled, 0.5f * -0.6f);
    free_rig(rig);
}

static float plain_at_end_of(const struct rig *rig, uint32_t block)
{
    return at(rig, (block + 1) * RING_BLOCK_FRAMES - 1);
}

static void levels_on_their_way_are_kept_up_with(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
    rig->source.plain_step = 0.001f;
    callback_set_sound(rig->callback, CALLBACK_PLAIN);
    run(rig, 40 * RING_BLOCK_FRAMES, RING_BLOCK_FRAMES);
    callback_set_sound(rig->callback, CALLBACK_MATCHED);
    run(rig, 10 * RING_BLOCK_FRAMES, RING_BLOCK_FRAMES);
    callback_set_sound(rig->callback, CALLBACK_PLAIN);
    run(rig, 10 * RING_BLOCK_FRAMES, RING_BLOCK_FRAMES);

    for (uint32_t k = 1; k < 40; k++)
        assert_float_equal(plain_at_end_of(rig, k), -0.6f * (1.0f + 0.001f * (float)(k + 1)),
                           1e-5f);
    // Who comes back to it finds it where it is by then.
    for (uint32_t k = 51 + CROSS_FRAMES / RING_BLOCK_FRAMES; k < 60; k++)
        assert_float_equal(plain_at_end_of(rig, k), -0.6f * (1.0f + 0.001f * (float)(k + 1)),
                           1e-5f);
    assert_true(largest_step(rig, 0, rig->filled) <= steepest(0.8, -0.64, CROSS_FRAMES));
    free_rig(rig);
}

static void another_tracks_gains_come_with_it(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
    callback_set_sound(rig->callback, CALLBACK_PLAIN);
    run(rig, 1000, 512);
    rig->source.plain_gain = 0.5f;
    rig->source.track = 2;
    const uint32_t join = (uint32_t)rig->frame; // what is fed from now on
    run(rig, 8000, 512);
    assert_all(rig, 0, join, -0.6f);
    assert_true(largest_step(rig, 0, rig->filled) <= steepest(-0.6, -0.3, CROSS_FRAMES));
    assert_all(rig, join + CROSS_FRAMES - 1, rig->filled, 0.5f * -0.6f);
    free_rig(rig);
}

static void mastered_sound_comes_back_to_its_level_slowly(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
    rig->source.mastered_gain = 0.5f;
    callback_set_sound(rig->callback, CALLBACK_MATCHED);
    run(rig, 1000, 512);
    callback_set_sound(rig->callback, CALLBACK_MASTERED);
    run(rig, LEVEL_FRAMES + 1000, 512);
    assert_all(rig, 0, 1000, 0.4f);
    assert_true(largest_step(rig, 0, rig->filled) <= steepest(0.4, 0.8, LEVEL_FRAMES));
    assert_all(rig, 999 + LEVEL_FRAMES, rig->filled, 0.8f);
    free_rig(rig);
}

static void better_gains_within_a_crossing_do_not_slow_it_down(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
    run(rig, 512, 512);
    callback_set_sound(rig->callback, CALLBACK_PLAIN);
    run(rig, 512, 512);
    rig->source.plain_gain = 0.5f;
    const uint32_t better = (uint32_t)rig->frame;
    run(rig, 10000, 512);
    assert_true(better < 512 + CROSS_FRAMES);
    assert_all(rig, better + CROSS_FRAMES - 1, rig->filled, 0.5f * -0.6f);
    assert_true(largest_step(rig, 0, rig->filled) <= steepest(0.8, -0.6, CROSS_FRAMES));
    free_rig(rig);
}

// --- with what else goes on

static void a_sound_chosen_in_a_pause_is_all_that_is_heard_after_it(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
    run(rig, 1000, 100);
    callback_set_mode(rig->callback, CALLBACK_PAUSED);
    run(rig, 1000, 100);
    callback_set_sound(rig->callback, CALLBACK_PLAIN);
    run(rig, 100, 100);
    callback_set_mode(rig->callback, CALLBACK_PLAYING);
    run(rig, 1000, 100);
    assert_all(rig, 1000 + FADE_FRAMES, 2100, 0.0f);
    for (uint32_t i = 0; i < FADE_FRAMES; i++)
        assert_float_equal(at(rig, 2100 + i), -0.6f * (float)i / FADE_FRAMES, 1e-6f);
    assert_all(rig, 2100 + FADE_FRAMES, 3100, -0.6f);
    free_rig(rig);
}

/// Fades and crossings at once: neither may add more than its own slope.
static void sounds_change_within_fades_pauses_seeks_and_underruns_without_a_step(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_TWO_SIDES);
    run(rig, 300, 100);
    for (uint32_t i = 1; i <= 40; i++) {
        callback_set_sound(rig->callback, i % 3 == 0 ? CALLBACK_PLAIN : CALLBACK_MATCHED);
        if (i % 4 == 0)
            callback_set_mode(rig->callback, CALLBACK_PAUSED);
        run(rig, 37 * (i % 5), 37);
        callback_set_mode(rig->callback, CALLBACK_PLAYING);
        callback_set_sound(rig->callback, i % 2 ? CALLBACK_PLAIN : CALLBACK_MASTERED);
        if (i % 5 == 0) {
            callback_set_epoch(rig->callback, ++rig->source.epoch);
            rig->source.track++;
            feed(rig, RING_AFTER_GAP);
        }
        run(rig, 100 + 37 * (i % 7), 50);
        for (int k = 0; i % 7 == 0 && k < 64; k++) { // runs dry
            callback_run(rig->callback, rig->out + 2 * (size_t)rig->filled, 64);
            rig->filled += 64;
        }
    }
    struct callback_counters counters;
    callback_counters(rig->callback, &counters);
    assert_int_equal(counters.underruns, 5);
    const double most = steepest(0.8, -0.6, CROSS_FRAMES) + 0.8 / FADE_FRAMES;
    assert_true(largest_step(rig, 0, rig->filled) <= most);
    free_rig(rig);
}

static void a_patient_sink_gets_the_mastered_bits_if_nobody_compares(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PATIENT, RING_TWO_SIDES);
    rig->source.is_music = 1;
    rig->source.mastered_gain = 0.5f;
    run(rig, 20000, 512);
    for (uint32_t i = 0; i < 20000; i++)
        assert_true(at(rig, i) == music(i, 0));
    free_rig(rig);
}

static void a_patient_sink_hears_a_comparison_too(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PATIENT, RING_TWO_SIDES);
    callback_set_sound(rig->callback, CALLBACK_PLAIN);
    run(rig, 1000, 512);
    callback_set_sound(rig->callback, CALLBACK_MATCHED);
    run(rig, 5000, 512);
    assert_all(rig, 0, 1000, -0.6f); // from the first frame on
    assert_all(rig, 999 + CROSS_FRAMES, 6000, 0.8f);
    assert_true(largest_step(rig, 0, 6000) <= steepest(0.8, -0.6, CROSS_FRAMES));
    free_rig(rig);
}

static void a_ring_of_one_side_has_no_sound_to_choose(void **state)
{
    (void)state;
    struct rig *rig = new_rig(SINK_PACED, RING_ONE_SIDE);
    rig->source.is_music = 1;
    rig->source.mastered_gain = rig->source.plain_gain = 0.0f;
    run(rig, 1000, 512);
    callback_set_sound(rig->callback, CALLBACK_PLAIN);
    run(rig, 9000, 512);
    for (uint32_t i = 0; i < 10000; i++)
        assert_true(at(rig, i) == music(i, 0));
    assert_true(sound_gain(rig) == 1.0f);
    free_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_is_heard_from_the_next_callback_on_whatever_the_ring_holds),
        cmocka_unit_test(each_side_at_rest_is_the_rings_bits_in_its_place),
        cmocka_unit_test(compared_sides_have_the_blocks_gains),
        cmocka_unit_test(a_change_of_mind_within_the_crossing_makes_no_step),
        cmocka_unit_test(better_gains_of_the_same_track_are_too_slow_to_be_heard),
        cmocka_unit_test(levels_on_their_way_are_kept_up_with),
        cmocka_unit_test(another_tracks_gains_come_with_it),
        cmocka_unit_test(mastered_sound_comes_back_to_its_level_slowly),
        cmocka_unit_test(better_gains_within_a_crossing_do_not_slow_it_down),
        cmocka_unit_test(a_sound_chosen_in_a_pause_is_all_that_is_heard_after_it),
        cmocka_unit_test(sounds_change_within_fades_pauses_seeks_and_underruns_without_a_step),
        cmocka_unit_test(a_patient_sink_gets_the_mastered_bits_if_nobody_compares),
        cmocka_unit_test(a_patient_sink_hears_a_comparison_too),
        cmocka_unit_test(a_ring_of_one_side_has_no_sound_to_choose),
    };
    return cmocka_run_group_tests_name("callback_sound", tests, NULL, NULL);
}
