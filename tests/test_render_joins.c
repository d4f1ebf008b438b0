// SPDX-License-Identifier: MIT
// Two tracks one after the other: by targets of their album when both are known as its in time, else each alone.
#include "engine/render/provisional.h"
#include "support/measure.h"
#include "support/render_rig.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

// A moment for something to happen while a track's first targets are made.
static struct render_rig *to_be_told;
static const struct track_album *album_told;

int __real_provisional_conclude(struct provisional *provisional);
int __wrap_provisional_conclude(struct provisional *provisional);

int __wrap_provisional_conclude(struct provisional *provisional)
{
    if (to_be_told && track_decoder(to_be_told->tracks[1]))
        track_set_album(to_be_told->tracks[1], album_told);
    return __real_provisional_conclude(provisional);
}

static int set_up(void **state)
{
    to_be_told = NULL;
    return render_rig_set_up(state);
}

// --- alone

/// By how much the oldest block's mastered side is louder, as the block says.
static double stated_lift_db(struct render_rig *rig)
{
    const struct ring_block *block = render_rig_look(rig);
    return measure_db((double)(block->plain_gain / block->mastered_gain));
}

// Its own targets are not those of the album until it is heard; so it begins alone, and goes over to them then.
static void track_told_of_its_album_in_the_last_moment_begins_alone(void **state)
{
    struct render_rig *rig = *state;
    static const double LEVEL_DB = -10, LENGTH_S = 5;
    struct track_album album = {.targets = render_rig_raised(3, LEVEL_DB), .next_id = 2};
    render_rig_add_tone(rig, 0, LENGTH_S, LEVEL_DB);
    render_rig_add_tone(rig, 1, 15, LEVEL_DB);
    track_set_album(rig->tracks[0], &album);
    album_told = &album;
    to_be_told = rig;
    render_rig_start(rig, 1);
    render_rig_hear_to(rig, LENGTH_S);
    assert_true(render_rig_look(rig)->track == 1); // its last frames
    render_rig_hear_block(rig);
    assert_true(render_rig_look(rig)->track == 2);
    const double begun_db = stated_lift_db(rig);
    render_rig_hear_to(rig, LENGTH_S + 8);
    assert_false(render_rig_look(rig)->is_on_the_way);
    const double end_db = stated_lift_db(rig);
    print_message("by %.2f dB, then %.2f dB; sides off by %.3f dB\n", begun_db, end_db,
                  rig->off_db);
    assert_true(fabs(begun_db + 4) < RIG_SAME_DB && fabs(end_db - 3) < RIG_SAME_DB);
    assert_true(rig->off_db < RIG_SAME_DB);
}

/// Two tones that begin alone or not; the second one's lift is the test's choice.
static void hear_two(struct render_rig *rig, const struct track_album albums[RIG_TRACKS],
                     double until_s)
{
    static const double LEVEL_DB = -10, LENGTH_S = 5;
    render_rig_add_tone(rig, 0, LENGTH_S, LEVEL_DB);
    render_rig_add_tone(rig, 1, 15, LEVEL_DB);
    for (int i = 0; i < RIG_TRACKS && albums; ++i)
        track_set_album(rig->tracks[i], &albums[i]);
    render_rig_start(rig, 1);
    render_rig_hear_to(rig, until_s);
}

// Nothing is joined while one of them is still heard by other targets than the album's.
static void track_whose_album_is_known_as_it_ends_ends_alone(void **state)
{
    struct render_rig *rig = *state;
    const struct track_album albums[RIG_TRACKS] = {
        {.targets = render_rig_raised(3, -10), .next_id = 2},
        {.targets = render_rig_raised(3, -10)}};
    rig->albums_told = albums;
    hear_two(rig, NULL, 8);
    assert_true(fabs(render_rig_lift_db(render_rig_look(rig)) - 3) < RIG_SAME_DB);
    print_message("sides off by %.3f dB\n", rig->off_db);
    assert_true(rig->off_db < RIG_SAME_DB);
}

// Of one album, but its sound runs on into another track.
static void track_that_does_not_run_on_into_the_next_ends_alone(void **state)
{
    struct render_rig *rig = *state;
    const struct track_album albums[RIG_TRACKS] = {
        {.targets = render_rig_raised(5, -10), .next_id = 3},
        {.targets = render_rig_raised(-5, -10)}};
    hear_two(rig, albums, 8);
    assert_true(fabs(render_rig_lift_db(render_rig_look(rig)) + 5) < RIG_SAME_DB);
    print_message("sides off by %.3f dB\n", rig->off_db);
    assert_true(rig->off_db < RIG_SAME_DB);
}

// --- as one

static void chain_runs_on_into_a_track_of_the_same_album(void **state)
{
    struct render_rig *rig = *state;
    static const double LEVEL_DB = -10, LENGTH_S = 5;
    const struct track_album albums[RIG_TRACKS] = {
        {.targets = render_rig_raised(3, LEVEL_DB), .next_id = 2},
        {.targets = render_rig_raised(3, LEVEL_DB)}};
    float *whole = render_rig_tone(15, LEVEL_DB, 0, LEVEL_DB);
    const size_t split = (size_t)(LENGTH_S * RIG_RATE) + 100;
    render_rig_add(rig, 0, whole, split, RIG_MASTERED_MUSIC);
    render_rig_add(rig, 1, whole + 2 * split, (size_t)15 * RIG_RATE - split, RIG_MASTERED_MUSIC);
    free(whole);
    for (int i = 0; i < RIG_TRACKS; ++i)
        track_set_album(rig->tracks[i], &albums[i]);
    render_rig_start(rig, 1);
    render_rig_hear_to(rig, LENGTH_S + 5);
    const uint32_t from = RIG_RATE / 2;
    const double beside_db = measure_outside_db(rig->heard + 2 * (size_t)from, 2,
                                                rig->heard_frames - from, RIG_TONE_HZ, RIG_RATE);
    print_message("%.1f dBFS beside the tone\n", beside_db);
    assert_true(beside_db < -100);
    assert_true(rig->off_db < RIG_SAME_DB);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, render_rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(track_told_of_its_album_in_the_last_moment_begins_alone),
        TEST(track_whose_album_is_known_as_it_ends_ends_alone),
        TEST(track_that_does_not_run_on_into_the_next_ends_alone),
        TEST(chain_runs_on_into_a_track_of_the_same_album),
    };
    return cmocka_run_group_tests_name("render_joins", tests, NULL, NULL);
}
