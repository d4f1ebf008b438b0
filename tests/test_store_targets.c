// SPDX-License-Identifier: MIT
// Mastering targets beside the rows they were made for: found by their settings, gone with what was replaced.
#include "io/store/store.h"
#include "io/store/store_impl.h"
#include "support/store_fixture.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static int64_t ask(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

static void targets_belong_to_their_settings(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track track = track_of("/m/a", 1);
    struct store_targets half = targets_of(0.5), full = targets_of(1.0), found = {0};
    save(writer, &track, &half, NULL);
    save(writer, &track, &full, NULL);

    found.settings = half.settings;
    assert_int_equal(store_find_targets(writer, &track, &found), 0);
    assert_true(found.values[0].real == half.values[0].real);
    found.settings.intensity = 0.25;
    assert_int_equal(store_find_targets(writer, &track, &found), -ENOENT);
    found.settings = full.settings;
    found.settings.target = "preset";
    assert_int_equal(store_find_targets(writer, &track, &found), -ENOENT);
}

static void new_contents_take_old_targets_away(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track track = track_of("/m/a", 1), other = track_of("/m/a", 2);
    struct store_targets targets = targets_of(1.0);
    save(writer, &track, &targets, NULL);
    save(writer, &other, NULL, NULL);

    struct store_targets found = {.settings = targets.settings};
    assert_int_equal(store_find_targets(writer, &other, &found), -ENOENT);
    int64_t orphans;
    assert_int_equal(store_count_orphans(writer, &orphans), 0);
    assert_int_equal(orphans, 0);
    assert_int_equal(entries(writer), 1);
}

static void moved_row_keeps_all_its_targets(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track track = track_of("/m/a", 1), stale = track_of("/m/b", 2), found;
    struct store_targets half = targets_of(0.5), full = targets_of(1.0);
    save(writer, &track, &half, NULL);
    save(writer, &stale, NULL, NULL);
    struct store_track moved = track_of("/m/b", 1);
    save(writer, &moved, &full, "/m/a");

    assert_int_equal(entries(writer), 1);
    assert_int_equal(store_find_by_path(writer, "/m/a", &found), -ENOENT);
    assert_int_equal(store_find_by_path(writer, "/m/b", &found), 0);
    struct store_targets back = {.settings = half.settings};
    assert_int_equal(store_find_targets(writer, &found, &back), 0);
    back.settings = full.settings;
    assert_int_equal(store_find_targets(writer, &found, &back), 0);
    store_track_deinit(&found);
}

static void targets_of_what_was_replaced_are_gone(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    const struct store_targets targets = targets_of(1.0);
    struct store_track first = track_of("/m/a", 1), second = track_of("/m/a", 2),
                       moved = track_of("/m/b", 3), onto = track_of("/m/a", 3);
    save(writer, &first, &targets, NULL);
    save(writer, &second, NULL, NULL);
    assert_int_equal(ask(f, "SELECT count(*) FROM targets"), 0);
    save(writer, &second, &targets, NULL);
    save(writer, &moved, NULL, NULL);
    save(writer, &onto, NULL, "/m/b");
    assert_int_equal(ask(f, "SELECT count(*) FROM targets"), 0);
    assert_int_equal(entries(writer), 1);
}

static void change_of_any_targets_column_makes_a_miss(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    for (unsigned i = 0; i < STORE_TARGETS_COLUMNS; ++i) {
        struct store_track track = track_of("/m/a", 1);
        struct store_targets targets = targets_of(1.0);
        save(writer, &track, &targets, NULL);
        assert_int_equal(store_find_targets(writer, &track, &targets), 0);
        char sql[128];
        const char *name = store_targets_columns[i].name;
        snprintf(sql, sizeof(sql), "UPDATE targets SET %s=%s+1", name, name);
        tamper(f->path, sql);
        assert_int_equal(store_find_targets(writer, &track, &targets), -ENOENT);
    }
}

static void targets_of_another_track_are_none(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track track = track_of("/m/a", 1), other = track_of("/m/b", 2);
    struct store_targets targets = targets_of(1.0);
    save(writer, &track, &targets, NULL);
    save(writer, &other, NULL, NULL);
    char sql[64];
    snprintf(sql, sizeof(sql), "UPDATE targets SET track=%lld", (long long)other.id);
    tamper(f->path, sql);

    assert_int_equal(store_find_targets(writer, &other, &targets), -ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(targets_belong_to_their_settings),
        TEST(new_contents_take_old_targets_away),
        TEST(moved_row_keeps_all_its_targets),
        TEST(targets_of_what_was_replaced_are_gone),
        TEST(change_of_any_targets_column_makes_a_miss),
        TEST(targets_of_another_track_are_none),
    };
    return cmocka_run_group_tests_name("store_targets", tests, NULL, NULL);
}
