// SPDX-License-Identifier: MIT
// The render thread, block by block: where it begins, and provisional targets that get better while a track is heard.
#include "engine/render/provisional.h"
#include "support/measure.h"
#include "support/render_rig.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/// What goes into provisional targets, beside what the track holds.
static struct {
    const float *stereo; // NULL: nobody looks
    size_t frames;
    bool differs, has_part_of_block;
} fed;

int __real_provisional_feed(struct provisional *provisional, const float *stereo, uint32_t frames);
int __wrap_provisional_feed(struct provisional *provisional, const float *stereo, uint32_t frames);

int __wrap_provisional_feed(struct provisional *provisional, const float *stereo, uint32_t frames)
{
    if (fed.stereo) {
        fed.differs |=
            memcmp(fed.stereo + 2 * fed.frames, stereo, (size_t)frames * 2 * sizeof *stereo) != 0;
        fed.has_part_of_block |=
            fed.frames == (size_t)PROVISIONAL_HEAD_S * RIG_RATE && frames < RIG_BLOCK;
        fed.frames += frames;
    }
    return __real_provisional_feed(provisional, stereo, frames);
}

static int set_up(void **state)
{
    memset(&fed, 0, sizeof fed);
    return render_rig_set_up(state);
}

// --- starts

static void epoch_begins_with_a_third_of_a_second_at_once(void **state)
{
    struct render_rig *rig = *state;
    render_rig_add_tone(rig, 0, 10, -10);
    render_rig_start(rig, 0);
    render_rig_wait(rig);
    mutex_lock(&rig->lock);
    assert_int_equal(rig->first_fill, 33); // of 512 frames at 44.1 kHz; the last was not held back
    mutex_unlock(&rig->lock);
}

// Sought before its length was known: it is over.
static void start_past_the_end_is_the_next_tracks_first_frame(void **state)
{
    struct render_rig *rig = *state;
    render_rig_add_tone(rig, 0, 5, -10);
    render_rig_add_tone(rig, 1, 5, -10);
    render_rig_start_at(rig, 0, (uint64_t)60 * RIG_RATE);
    const struct ring_block *block = render_rig_look(rig);
    assert_true(block->track == 1 && block->frames == 0 && block->first_frame == 5 * RIG_RATE);
    render_rig_hear_block(rig);
    block = render_rig_look(rig);
    assert_true(block->track == 2 && block->first_frame == RIG_BLOCK); // one was heard
}

// --- provisional targets

// Four seconds were looked at before they were heard, and ten more make news: no sooner, no later, and it is gone
// over to once.
static void targets_get_better_by_what_is_heard_and_are_reached(void **state)
{
    struct render_rig *rig = *state;
    enum { NEWS = (PROVISIONAL_HEAD_S + PROVISIONAL_CHUNK_S) * RIG_RATE, RAMP = 4 * RIG_RATE };
    float *stereo = render_rig_tone(30, -16, PROVISIONAL_HEAD_S, -10);
    render_rig_add(rig, 0, stereo, (size_t)30 * RIG_RATE, RIG_MASTERED_MUSIC);
    free(stereo);
    render_rig_start(rig, 0);
    uint32_t first = 0, last = 0; // frames at which the lift changes
    double lift_db = NAN;
    while (rig->heard_frames < NEWS + 2 * RAMP) {
        const double db = render_rig_lift_db(render_rig_look(rig));
        if (rig->heard_frames > RIG_RATE && fabs(db - lift_db) > 1e-5) {
            first = first ? first : rig->heard_frames;
            last = rig->heard_frames;
        }
        lift_db = db;
        render_rig_hear_block(rig);
    }
    assert_true(first > NEWS - 2 * RIG_BLOCK &&
                first < NEWS + RIG_RATE / 4); // a ramp sets out slowly
    assert_true(last > first + RAMP - RIG_RATE / 2 && last < first + RAMP);
    // Before them it goes by the first 4 s at -16 LUFS, behind them by 14 s.
    const double mean = (4 * pow(10, -1.6) + 10 * pow(10, -1.0)) / 14;
    const double early_db =
        measure_db(render_rig_rms(rig->heard + (size_t)2 * RIG_RATE, RIG_RATE) * M_SQRT2) + 16;
    const double late_db =
        measure_db(render_rig_rms(rig->heard + (size_t)2 * (NEWS + RAMP + RIG_RATE), RIG_RATE) *
                   M_SQRT2) +
        10;
    print_message("makeup %.2f, then %.2f dB; sides off by %.3f dB\n", early_db, late_db,
                  rig->off_db);
    assert_true(fabs(early_db - 2) < RIG_SAME_DB);
    assert_true(fabs(late_db - (-14 - 10 * log10(mean))) < RIG_SAME_DB);
    assert_true(rig->off_db < RIG_SAME_DB);
}

// What was looked at before it is heard ends within a block: of that block the rest is news, and no frame is left out.
static void every_frame_goes_into_provisional_targets_once(void **state)
{
    struct render_rig *rig = *state;
    enum { SECONDS = 12 };
    float *stereo = render_rig_tone(SECONDS, -16, PROVISIONAL_HEAD_S, -10);
    render_rig_add(rig, 0, stereo, (size_t)SECONDS * RIG_RATE, RIG_MASTERED_MUSIC);
    fed.stereo = stereo;
    render_rig_start_at(rig, 0, 100);
    render_rig_hear_to(rig, SECONDS - 4);
    render_rig_stop(rig);
    assert_false(fed.differs);
    assert_true(fed.has_part_of_block);
    assert_true(fed.frames > (size_t)(SECONDS - 4) * RIG_RATE);
    free(stereo);
}

// The tone is not what was mastered before: what is done to it beside its makeup is found within seconds, and goes
// on being known when the makeup is another.
static void what_is_done_beside_the_makeup_is_kept_up_with(void **state)
{
    struct render_rig *rig = *state;
    enum { NEWS = PROVISIONAL_HEAD_S + PROVISIONAL_CHUNK_S };
    float *stereo = render_rig_tone(30, -16, PROVISIONAL_HEAD_S + 1, -10);
    render_rig_add(rig, 0, stereo, (size_t)30 * RIG_RATE, RIG_MUSIC);
    free(stereo);
    render_rig_start(rig, 0);
    render_rig_hear_to(rig, NEWS - 1);
    const double beyond_db =
        render_rig_lift_db(render_rig_look(rig)) - 2; // the makeup by the first 4 s, at -16 LUFS
    rig->off_db = 0;
    render_rig_hear_to(rig, NEWS + 7);
    print_message("%.2f dB beyond the makeup; sides off by %.3f dB\n", beyond_db, rig->off_db);
    assert_true(fabs(beyond_db) > 0.5);
    assert_true(rig->off_db < RIG_SAME_DB);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, render_rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(epoch_begins_with_a_third_of_a_second_at_once),
        TEST(start_past_the_end_is_the_next_tracks_first_frame),
        TEST(targets_get_better_by_what_is_heard_and_are_reached),
        TEST(every_frame_goes_into_provisional_targets_once),
        TEST(what_is_done_beside_the_makeup_is_kept_up_with),
    };
    return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
