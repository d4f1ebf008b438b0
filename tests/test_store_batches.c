// SPDX-License-Identifier: MIT
// Batches that are kept or leave nothing, and the totals and statistics over all of them.
#include "io/store/store.h"
#include "io/store/store_impl.h"
#include "support/store_fixture.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

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
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rolled_back_batch_leaves_nothing),
        TEST(batch_that_cannot_be_committed_leaves_nothing),
        TEST(full_database_refuses_a_row_and_keeps_what_it_had),
        TEST(totals_add_up_until_cleared),
        TEST(totals_stay_at_the_end_of_the_integers),
        TEST(statistics_count_every_version_and_print_no_damage),
    };
    return cmocka_run_group_tests_name("store_batches", tests, NULL, NULL);
}
