// SPDX-License-Identifier: MIT
// Which tracks of a plan the album planner answers for. The files are not there: each stands alone, at once.
#include "dsp/mastering/mastering.h"
#include "engine/prepare/album_planner.h"
#include "engine/prepare/scheduler.h"
#include "engine/prepare/track.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SHORT_TRACKS = 3 * ALBUM_PLANNER_TRACKS };

struct fixture {
    struct log log;
    struct scheduler *scheduler;
    struct album_planner *planner;
    struct track *tracks[SHORT_TRACKS];
};

static uint64_t no_neighbour(void *context, uint64_t id, enum album_side side, char **path)
{
    (void)context, (void)id, (void)side;
    *path = NULL;
    return 0;
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    log_init(&f.log, STDERR_FILENO, LOG_LEVEL_ERROR);
    const struct scheduler_config scheduler = {.backend = {.workers = 1},
                                               .cache = analysis_cache_config_default(),
                                               .settings = mastering_settings_default(),
                                               .log = &f.log};
    assert_int_equal(scheduler_create(&f.scheduler, &scheduler), 0);
    const struct album_planner_config planner = {.scheduler = f.scheduler,
                                                 .settings = mastering_settings_default(),
                                                 .log = &f.log,
                                                 .neighbour = no_neighbour};
    assert_int_equal(album_planner_create(&f.planner, &planner), 0);
    for (unsigned i = 0; i < SHORT_TRACKS; ++i) {
        char path[64];
        (void)snprintf(path, sizeof(path), "/nowhere/%u.wav", i);
        f.tracks[i] = track_create(i + 1, path);
        assert_non_null(f.tracks[i]);
    }
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    album_planner_destroy(&f->planner);
    for (unsigned i = 0; i < SHORT_TRACKS; ++i)
        track_unref(&f->tracks[i]);
    scheduler_destroy(&f->scheduler);
    return 0;
}

static void expect_answer(struct track *track)
{
    struct track_album album;
    assert_int_equal(track_wait_album(track, &album), -ENOENT); // a lost answer waits for ever
}

static void first_of_a_plan_are_answered(void **state)
{
    struct fixture *f = *state;
    album_planner_plan(f->planner, f->tracks, SHORT_TRACKS);
    for (unsigned i = 0; i < ALBUM_PLANNER_TRACKS; ++i)
        expect_answer(f->tracks[i]);
}

// A ring that holds many short tracks makes a plan longer than the planner takes at once.
static void track_behind_many_that_are_answered_is_answered(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < SHORT_TRACKS; ++i) {
        album_planner_plan(f->planner, f->tracks, i + 1);
        expect_answer(f->tracks[i]);
    }
}

static void answer_stays_when_a_plan_comes_again(void **state)
{
    struct fixture *f = *state;
    const struct track_album album = {.next_id = 7};
    track_set_album(f->tracks[0], &album);
    album_planner_plan(f->planner, f->tracks, 2);
    expect_answer(f->tracks[1]);
    struct track_album kept;
    assert_int_equal(track_album(f->tracks[0], &kept), 0);
    assert_int_equal(kept.next_id, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_of_a_plan_are_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(track_behind_many_that_are_answered_is_answered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answer_stays_when_a_plan_comes_again, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("album_planner", tests, NULL, NULL);
}
