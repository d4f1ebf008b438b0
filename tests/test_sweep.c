// SPDX-License-Identifier: MIT
// A library of an older version, and what a player makes of it while it has nothing else to do. What happened is read
// from the log, a pipe, so that nothing has to be waited for by the clock; what is kept, from SQLite itself.
#include "dsp/analysis.h"
#include "engine/player/player.h"
#include "engine/prepare/scan.h"
#include "engine/prepare/track.h"
#include "support/scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 8000 };

static _Atomic int idle_threads;

// The worker's own call. At idle priority it would get no turn for as long as anything else runs on this machine.
int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
    (void)pid;
    (void)param;
    idle_threads += policy == SCHED_IDLE;
    return 0;
}

struct fixture {
    char folder[SCRATCH_PATH_BYTES], database[SCRATCH_PATH_BYTES];
    struct log log;
    FILE *lines;
    struct scheduler *scheduler;
    char line[4096];
};

static int set_up(void **state)
{
    static struct fixture f;
    int ends[2];
    memset(&f, 0, sizeof(f));
    idle_threads = 0;
    scratch_create(f.folder);
    scratch_path(f.database, f.folder, "library.db");
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    log_init(&f.log, ends[1], LOG_LEVEL_DEBUG);
    f.lines = fdopen(ends[0], "r");
    assert_non_null(f.lines);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scheduler_destroy(&f->scheduler);
    close(f->log.fd);
    (void)fclose(f->lines);
    scratch_remove(f->folder);
    return 0;
}

// What the sweep says at the end of a track: it comes instead of a line that never would, and ends the wait for it.
static const char its_end[] = "done with what is analysed again";

// Read on in the log up to a line with `text`; none with `never` may come before.
static void expect_line(struct fixture *f, const char *text, const char *never)
{
    do {
        assert_non_null(fgets(f->line, sizeof(f->line), f->lines));
        if (never && strstr(f->line, never))
            fail_msg("before \"%s\" came \"%s\"", text, f->line);
    } while (!strstr(f->line, text));
}

static void write_track(struct fixture *f, const char *name, uint64_t seed, size_t seconds)
{
    char path[SCRATCH_PATH_BYTES];
    int16_t *music = scratch_music(seed, seconds * RATE, RATE);
    scratch_path(path, f->folder, name);
    scratch_write_s16(path, music, seconds * RATE, RATE, 2);
    free(music);
}

static void start(struct fixture *f, int renews)
{
    const struct library_config library = {
        .database = f->database, .settings = mastering_settings_default(), .log = &f->log};
    const struct scheduler_config config = {.backend = {.workers = 1},
                                            .cache = analysis_cache_config_default(),
                                            .settings = mastering_settings_default(),
                                            .library = &library,
                                            .renews = renews,
                                            .log = &f->log};
    assert_int_equal(scheduler_create(&f->scheduler, &config), 0);
}

static void scan_tracks(struct fixture *f, const char *const *names, unsigned count)
{
    struct scan *scan;
    start(f, 0);
    assert_int_equal(scan_create(&scan, f->scheduler, count, SCAN_AS_DONE), 0);
    for (unsigned i = 0; i < count; ++i) {
        char path[SCRATCH_PATH_BYTES];
        scratch_path(path, f->folder, names[i]);
        assert_int_equal(scan_submit(scan, path), 0);
    }
    scan_destroy(&scan); // takes all results
    scheduler_destroy(&f->scheduler);
}

// The first number that `sql` gives.
static int64_t ask(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    const int code = sqlite3_step(statement);
    assert_true(code == SQLITE_ROW || code == SQLITE_DONE);
    const int64_t number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return number;
}

static int64_t count_current(struct fixture *f)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM analysis WHERE algorithm_version=%d",
             (int)ANALYSIS_ALGORITHM_VERSION);
    return ask(f, sql);
}

static void make_older(struct fixture *f)
{
    (void)ask(f, "UPDATE analysis SET algorithm_version=algorithm_version-1");
    assert_int_equal(count_current(f), 0);
}

// A track that an older version knows, and that takes far longer to analyse than anything else here.
static void make_long_and_older(struct fixture *f, const char *name)
{
    write_track(f, name, 1, 1);
    scan_tracks(f, &name, 1);
    make_older(f);
    write_track(f, name, 1, 480);
}

static void library_of_an_older_version_is_analysed_again_while_one_track_plays(void **state)
{
    struct fixture *f = *state;
    const char *const names[] = {"plays.wav", "b.wav", "gone.wav", "bad.wav", "e.wav"};
    char path[SCRATCH_PATH_BYTES];
    for (unsigned i = 0; i < 5; ++i)
        write_track(f, names[i], i + 1, 2);
    scan_tracks(f, names, 5);
    make_older(f);
    scratch_path(path, f->folder, "gone.wav");
    assert_int_equal(unlink(path), 0);
    scratch_path(path, f->folder, "bad.wav");
    assert_int_equal(truncate(path, 10), 0);

    start(f, 1);
    struct player *player;
    uint64_t id;
    const struct player_config config = {
        .scheduler = f->scheduler, .device = "null", .speed = 1.0, .log = &f->log};
    assert_int_equal(player_create(&player, &config), 0);
    scratch_path(path, f->folder, "plays.wav");
    assert_int_equal(player_add(player, path, &id), 0);
    player_set_repeat(player, QUEUE_REPEAT_ONE); // for as long as it takes
    assert_int_equal(player_play(player, 0, 0.0), 0);
    expect_line(f, "tracks of an older version analysed again", NULL);
    assert_non_null(strstr(f->line, "2 of 3 tracks"));
    assert_int_equal(player_destroy(&player), 0);
    scheduler_destroy(&f->scheduler);
    assert_int_equal(idle_threads, 1);
    assert_int_equal(count_current(f), 3); // plays, b, e
    assert_int_equal(ask(f, "SELECT count(*) FROM analysis"), 5);
}

static void plan(struct fixture *f, const char *name)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, f->folder, name);
    struct track *track = track_create(1, path);
    assert_non_null(track);
    assert_int_equal(scheduler_set_plan(f->scheduler, &track, 1), 0);
    track_unref(&track);
}

static void what_plays_next_goes_before_what_is_analysed_again(void **state)
{
    struct fixture *f = *state;
    make_long_and_older(f, "long.wav");
    write_track(f, "first.wav", 2, 1);
    write_track(f, "next.wav", 3, 1);
    start(f, 1);
    plan(f, "first.wav");
    expect_line(f, "long.wav: analysis of an older version begins again", NULL);
    plan(f, "next.wav");
    expect_line(f, "what is analysed again gives way", its_end);
    expect_line(f, "next.wav: analysed in", "begins again");
    expect_line(f, "long.wav: analysis of an older version begins again", its_end);
    assert_int_equal(scheduler_set_plan(f->scheduler, NULL, 0), 0);
    expect_line(f, "what is analysed again gives way", its_end);
    scheduler_destroy(&f->scheduler);
    assert_int_equal(count_current(f), 2); // first, next
    assert_int_equal(ask(f, "SELECT count(*) FROM analysis"), 3);
}

static void nothing_is_analysed_again_where_it_is_not_asked_for(void **state)
{
    struct fixture *f = *state;
    const char *const names[] = {"a.wav", "b.wav"};
    write_track(f, "a.wav", 1, 1);
    write_track(f, "b.wav", 2, 1);
    scan_tracks(f, names, 2);
    make_older(f);
    start(f, 0);
    plan(f, "a.wav");
    expect_line(f, "a.wav: analysed in", "begins again");
    scheduler_destroy(&f->scheduler);
    assert_int_equal(count_current(f), 1);
}

static void what_is_scanned_goes_before_what_is_analysed_again(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES];
    struct scan *scan;
    make_long_and_older(f, "long.wav");
    write_track(f, "first.wav", 2, 1);
    write_track(f, "next.wav", 3, 1);
    start(f, 1);
    plan(f, "first.wav");
    expect_line(f, "long.wav: analysis of an older version begins again", NULL);
    assert_int_equal(scan_create(&scan, f->scheduler, 1, SCAN_AS_DONE), 0);
    scratch_path(path, f->folder, "next.wav");
    assert_int_equal(scan_submit(scan, path), 0);
    expect_line(f, "what is analysed again gives way", its_end);
    scan_destroy(&scan);
    assert_int_equal(scheduler_set_plan(f->scheduler, NULL, 0), 0);
    scheduler_destroy(&f->scheduler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            library_of_an_older_version_is_analysed_again_while_one_track_plays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_plays_next_goes_before_what_is_analysed_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_analysed_again_where_it_is_not_asked_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_scanned_goes_before_what_is_analysed_again, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
