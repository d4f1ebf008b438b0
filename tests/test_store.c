// SPDX-License-Identifier: MIT
#include "io/store/store.h"
#include "io/store/store_impl.h"
#include "support/store_fixture.h"
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void row_comes_back_bit_for_bit(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f), *reader;
    struct store_track track = track_of("/m/a", 1), found;
    track.values[2].real = -0.0;
    track.values[7].real = DBL_TRUE_MIN;
    track.values[8].real = 0.1;
    track.values[9] = (struct store_value){.is_null = true};
    save(writer, &track, NULL, NULL);

    reader = open_reader(f);
    assert_int_equal(store_find_by_path(reader, "/m/a", &found), 0);

    assert_values_equal(&found, &track);
    assert_true(signbit(found.values[2].real));
    assert_true(found.values[9].is_null);
    assert_string_equal(found.path, "/m/a");
    store_track_deinit(&found);
    store_close(&reader);
}

static void path_is_raw_bytes(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track track = track_of("/m/\xff\xfe'\"%\n", 1), found;
    save(writer, &track, NULL, NULL);

    assert_int_equal(store_find_by_path(writer, "/m/\xff\xfe'\"%\n", &found), 0);
    store_track_deinit(&found);
    assert_int_equal(store_find_by_path(writer, "/M/\xff\xfe'\"%\n", &found), -ENOENT);
}

static void value_that_is_not_finite_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (unsigned i = 0; i < 3; ++i) {
        struct store_track track = track_of("/m/a", 1);
        track.values[2].real = bad[i];
        assert_int_equal(store_begin(writer, STORE_CONSISTENT), 0);
        assert_int_equal(store_save(writer, &track, NULL, NULL, STORE_SAVED_ALL), -EINVAL);
        store_rollback(writer);
    }
    assert_int_equal(entries(writer), 0);
}

static void inode_finds_a_row_of_the_same_size(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track track = track_of("/m/a", 1), found;
    struct file_identity identity = track.identity;
    save(writer, &track, NULL, NULL);

    assert_int_equal(store_find_by_inode(writer, &identity, &found), 0);
    store_track_deinit(&found);
    ++identity.size_bytes;
    assert_int_equal(store_find_by_inode(writer, &identity, &found), -ENOENT);
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

static void newer_algorithms_row_is_not_overwritten(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track newer = track_of("/m/a", 1), older = track_of("/m/a", 2), found;
    newer.algorithm_version = 4;
    save(writer, &newer, NULL, NULL);
    save(writer, &older, NULL, NULL);

    assert_int_equal(store_find_by_path(writer, "/m/a", &found), 0);
    assert_int_equal(found.algorithm_version, 4);
    store_track_deinit(&found);
}

// Change one column of one row behind the store's back.
static void tamper(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_changes(db), 1);
    sqlite3_close(db);
}

static void change_of_any_column_makes_a_miss(void **state)
{
    struct fixture *f = *state;
    static const char *const keys[] = {"device",   "inode",    "size_bytes",        "mtime_ns",
                                       "ctime_ns", "is_fresh", "algorithm_version", "created_s",
                                       "cost_ns"};
    enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
    struct store *writer = open_writer(f);
    for (unsigned i = 0; i < KEYS + STORE_ANALYSIS_COLUMNS; ++i) {
        struct store_track track = track_of("/m/a", 1), found;
        save(writer, &track, NULL, NULL);
        assert_int_equal(store_find_by_path(writer, "/m/a", &found), 0);
        store_track_deinit(&found);
        const char *name = i < KEYS ? keys[i] : store_analysis_columns[i - KEYS].name;
        const enum store_type type =
            i < KEYS ? STORE_INTEGER : store_analysis_columns[i - KEYS].type;
        static const char *const changes[] = {[STORE_REAL] = "x+1e-9",
                                              [STORE_INTEGER] = "x+1",
                                              [STORE_TEXT] = "'test'",
                                              [STORE_BLOB] = "zeroblob(32)"};
        char sql[128], change[32];
        snprintf(change, sizeof(change), "%s", changes[type]);
        if (change[0] == 'x')
            snprintf(sql, sizeof(sql), "UPDATE analysis SET %s=%s%s", name, name, change + 1);
        else
            snprintf(sql, sizeof(sql), "UPDATE analysis SET %s=%s", name, change);
        tamper(f->path, sql);
        assert_int_equal(store_find_by_path(writer, "/m/a", &found), -ENOENT);
        assert_int_equal(store_begin(writer, STORE_CONSISTENT), 0);
        int64_t count;
        assert_int_equal(store_clear(writer, NULL, &count), 0);
        assert_int_equal(store_commit(writer), 0);
        assert_int_equal(count, 1);
    }
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

static void clear_takes_whole_components(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    static const char *const paths[] = {"/m/ab",  "/m/ab/1", "/m/ab/2/3", "/m/abc",
                                        "/m/ab0", "/m/ab.",  "/m/a"};
    for (unsigned i = 0; i < 7; ++i) {
        struct store_track track = track_of(paths[i], i);
        const struct store_targets targets = targets_of(1.0);
        save(writer, &track, &targets, NULL);
    }
    int64_t count, orphans;
    assert_int_equal(store_begin(writer, STORE_DURABLE), 0);
    assert_int_equal(store_clear(writer, "/m/ab", &count), 0);
    assert_int_equal(count, 3);
    assert_int_equal(store_clear(writer, "/m/zz", &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(store_clear(writer, "/", &count), 0);
    assert_int_equal(count, 4);
    assert_int_equal(store_commit(writer), 0);
    assert_int_equal(store_count_orphans(writer, &orphans), 0);
    assert_int_equal(orphans, 0);
}

static void totals_add_up_until_cleared(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    const struct store_totals totals = {1, 2, 3, 4, 5};
    struct store_stats stats;
    for (int i = 0; i < 2; ++i) {
        assert_int_equal(store_begin(writer, STORE_CONSISTENT), 0);
        assert_int_equal(store_add_totals(writer, &totals), 0);
        assert_int_equal(store_commit(writer), 0);
    }
    assert_int_equal(store_stats(writer, &stats), 0);
    const struct store_totals twice = {2, 4, 6, 8, 10};
    assert_memory_equal(&stats.totals, &twice, sizeof(twice));

    int64_t count;
    assert_int_equal(store_begin(writer, STORE_CONSISTENT), 0);
    assert_int_equal(store_clear(writer, NULL, &count), 0);
    assert_int_equal(store_commit(writer), 0);
    assert_int_equal(store_stats(writer, &stats), 0);
    assert_int_equal(stats.totals.misses, 0);
}

static void rolled_back_batch_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track track = track_of("/m/a", 1);
    assert_int_equal(store_begin(writer, STORE_CONSISTENT), 0);
    assert_int_equal(store_save(writer, &track, NULL, NULL, STORE_SAVED_ALL), 0);
    store_rollback(writer);
    assert_int_equal(entries(writer), 0);
}

// Without a write-ahead log, as on some file systems, a reader can hold a commit back; SQLite leaves that batch open.
static void batch_that_cannot_be_committed_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    open_writer(f);
    store_close(&f->writer);
    run_sql(f->path, "PRAGMA journal_mode=DELETE");
    assert_int_equal(store_open_writer(&f->writer, f->path), 0);
    sqlite3 *reader;
    assert_int_equal(sqlite3_open(f->path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN;SELECT * FROM analysis", NULL, NULL, NULL),
                     SQLITE_OK);
    struct store_track lost = track_of("/m/a", 1), kept = track_of("/m/b", 2), found;

    assert_int_equal(store_begin(f->writer, STORE_CONSISTENT), 0);
    assert_int_equal(store_save(f->writer, &lost, NULL, NULL, STORE_SAVED_ALL), 0);
    assert_int_equal(store_commit(f->writer), -EBUSY);
    sqlite3_close(reader);
    save(f->writer, &kept, NULL, NULL);

    assert_int_equal(entries(f->writer), 1);
    assert_int_equal(store_find_by_path(f->writer, "/m/a", &found), -ENOENT);
}

// The database may not grow, as on a full disk.
static void full_database_refuses_a_row_and_keeps_what_it_had(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track first = track_of("/m/first", 1), last = track_of("/m/last", 2);
    save(writer, &first, NULL, NULL);
    assert_int_equal(store_run(writer, "PRAGMA max_page_count=1"), 0); // as many as there are
    assert_int_equal(store_begin(writer, STORE_CONSISTENT), 0);
    int error = 0;
    for (unsigned i = 0; i < 1000 && !error; ++i) {
        char path[16];
        snprintf(path, sizeof(path), "/m/%u", i);
        struct store_track track = track_of(path, 3 + i);
        error = store_save(writer, &track, NULL, NULL, STORE_SAVED_ALL);
    }
    assert_int_equal(error, -ENOSPC);
    store_rollback(writer);
    assert_int_equal(entries(writer), 1);

    assert_int_equal(store_run(writer, "PRAGMA max_page_count=1073741823"), 0);
    save(writer, &last, NULL, NULL);
    assert_int_equal(entries(writer), 2);
}

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

static void row_from_elsewhere_replaces_only_what_is_older(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track here = track_of("/m/a", 1), there = track_of("/m/a", 2), found;
    save(writer, &here, NULL, NULL);
    for (uint32_t version = 2; version <= 4; ++version) {
        there.algorithm_version = version; // the row's is 3
        assert_int_equal(store_begin(writer, STORE_CONSISTENT), 0);
        assert_int_equal(store_save(writer, &there, NULL, NULL, STORE_SAVED_MISSING),
                         version > 3 ? 0 : -EEXIST);
        assert_int_equal(store_commit(writer), 0);
        assert_int_equal(store_find_by_path(writer, "/m/a", &found), 0);
        assert_int_equal(found.algorithm_version, version > 3 ? 4 : 3);
        store_track_deinit(&found);
    }
}

static void key_that_no_row_has_makes_a_miss(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track track = track_of("/m/a", 1), found;
    save(writer, &track, NULL, NULL);
    run_sql(f->path, "UPDATE analysis SET path=CAST(path||x'0062' AS BLOB)");
    assert_int_equal(store_find_by_inode(writer, &track.identity, &found), -ENOENT);
    run_sql(f->path, "UPDATE analysis SET path=CAST('/m/a' AS BLOB)");
    assert_int_equal(store_find_by_path(writer, "/m/a", &found), 0);
    store_track_deinit(&found);
    run_sql(f->path, "UPDATE analysis SET algorithm_version=algorithm_version+4294967296");
    assert_int_equal(store_find_by_path(writer, "/m/a", &found), -ENOENT);

    struct store_track bad = track_of("/m/b", 1);
    bad.cost_ns = -1;
    save(writer, &bad, NULL, NULL);
    assert_int_equal(store_find_by_path(writer, "/m/b", &found), -ENOENT);
}

static void totals_stay_at_the_end_of_the_integers(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_stats stats;
    const struct store_totals most = {.misses = 3, .saved_ns = INT64_MAX}, more = {.saved_ns = 9};
    for (unsigned i = 0; i < 3; ++i) {
        assert_int_equal(store_begin(writer, STORE_CONSISTENT), 0);
        assert_int_equal(store_add_totals(writer, i ? &more : &most), 0);
        assert_int_equal(store_commit(writer), 0);
    }
    assert_int_equal(store_stats(writer, &stats), 0);
    assert_int_equal(stats.totals.saved_ns, INT64_MAX);
    assert_int_equal(stats.totals.misses, 3);
    assert_int_equal(store_total_sum(INT64_MAX - 1, 1), INT64_MAX);
    assert_int_equal(store_total_sum(INT64_MAX, INT64_MAX), INT64_MAX);
    assert_int_equal(store_total_sum(40, 2), 42);
}

static void statistics_count_every_version_and_print_no_damage(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_stats stats;
    int64_t counted = 0;
    enum { VERSIONS = 40 };
    for (uint32_t i = 0; i < VERSIONS; ++i) {
        char path[32];
        snprintf(path, sizeof(path), "/m/%u", i);
        struct store_track track = track_of(path, i);
        track.algorithm_version = 1 + i;
        save(writer, &track, NULL, NULL);
    }
    run_sql(f->path, "UPDATE analysis SET backend='c\"p}u' WHERE algorithm_version=1");
    assert_int_equal(store_stats(writer, &stats), 0);
    for (unsigned i = 0; i < stats.version_count; ++i)
        counted += stats.versions[i].count;
    assert_int_equal(counted, VERSIONS);
    assert_string_equal(stats.versions[0].name, "1");
    assert_string_equal(stats.versions[stats.version_count - 1].name, "other");
    assert_int_equal(stats.backend_count, 2);
    assert_string_equal(stats.backends[0].name, "other");
    assert_int_equal(stats.backends[1].count, VERSIONS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(row_comes_back_bit_for_bit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(path_is_raw_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(value_that_is_not_finite_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(inode_finds_a_row_of_the_same_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(targets_belong_to_their_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(new_contents_take_old_targets_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(moved_row_keeps_all_its_targets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(newer_algorithms_row_is_not_overwritten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(change_of_any_column_makes_a_miss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(change_of_any_targets_column_makes_a_miss, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(targets_of_another_track_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clear_takes_whole_components, set_up, tear_down),
        cmocka_unit_test_setup_teardown(totals_add_up_until_cleared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rolled_back_batch_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(batch_that_cannot_be_committed_leaves_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(full_database_refuses_a_row_and_keeps_what_it_had, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(targets_of_what_was_replaced_are_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(row_from_elsewhere_replaces_only_what_is_older, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(key_that_no_row_has_makes_a_miss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(totals_stay_at_the_end_of_the_integers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(statistics_count_every_version_and_print_no_damage, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
