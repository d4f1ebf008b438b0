// SPDX-License-Identifier: MIT
// Rows of analyses: what is saved comes back bit by bit, or not at all.
#include "io/store/store.h"
#include "io/store/store_impl.h"
#include "support/store_fixture.h"
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(row_comes_back_bit_for_bit),
        TEST(path_is_raw_bytes),
        TEST(value_that_is_not_finite_is_refused),
        TEST(inode_finds_a_row_of_the_same_size),
        TEST(newer_algorithms_row_is_not_overwritten),
        TEST(change_of_any_column_makes_a_miss),
        TEST(clear_takes_whole_components),
        TEST(row_from_elsewhere_replaces_only_what_is_older),
        TEST(key_that_no_row_has_makes_a_miss),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
