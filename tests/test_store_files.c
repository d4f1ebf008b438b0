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

static void lock_is_for_one_at_a_time(void **state)
{
    struct fixture *f = *state;
    (void)open_writer(f);
    assert_int_equal(store_lock_try(f->path), -EAGAIN);
    store_lock_release(f->lock);
    f->lock = store_lock_try(f->path);
    assert_true(f->lock >= 0);
}

static void closing_leaves_the_log_to_the_next_writer(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    struct store_track track = track_of("/m/a", 1), found;
    save(writer, &track, NULL, NULL);
    store_close(&f->writer);
    char wal[SCRATCH_PATH_BYTES];
    struct stat st;
    scratch_path(wal, f->folder, "library.db-wal");
    assert_int_equal(stat(wal, &st), 0);
    assert_true(st.st_size > 0);

    struct store *reader = open_reader(f);
    assert_int_equal(store_find_by_path(reader, "/m/a", &found), 0);
    store_track_deinit(&found);
    store_close(&reader);
    assert_int_equal(stat(wal, &st), 0);
    assert_true(st.st_size > 0);
}

static void reader_sees_what_was_committed_before_it_asks(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f), *reader = open_reader(f);
    struct store_track track = track_of("/m/a", 1), found;
    assert_int_equal(store_begin(writer, STORE_CONSISTENT), 0);
    assert_int_equal(store_save(writer, &track, NULL, NULL, STORE_SAVED_ALL), 0);
    assert_int_equal(store_find_by_path(reader, "/m/a", &found), -ENOENT);
    assert_int_equal(store_commit(writer), 0);

    assert_int_equal(store_find_by_path(reader, "/m/a", &found), 0);
    store_track_deinit(&found);
    store_close(&reader);
}

static void what_is_no_database_is_told_by_its_first_bytes(void **state)
{
    struct fixture *f = *state;
    char bytes[200];
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(store_schema_inspect(f->path), -ENOENT);
    write_file(f->path, bytes, sizeof(bytes));
    assert_int_equal(store_schema_inspect(f->path), -EBADMSG);
    write_file(f->path, bytes, 5);
    assert_int_equal(store_schema_inspect(f->path), -EBADMSG);
    write_file(f->path, bytes, 0);
    assert_int_equal(store_schema_inspect(f->path), 0);
    assert_int_equal(store_schema_inspect(f->folder), -EISDIR);
}

static void first_page_torn_by_a_power_cut_comes_back_from_the_log(void **state)
{
    struct fixture *f = *state;
    struct store_track track = track_of("/m/a", 1), found;
    struct store *store = open_writer(f);
    save(store, &track, NULL, NULL);
    for (uint64_t i = 0; i < 20;
         ++i) { // until the file's length, which the first page has, changes
        char path[16];
        snprintf(path, sizeof(path), "/n/%d", (int)i);
        struct store_track other = track_of(path, i);
        save(store, &other, NULL, NULL);
    }
    store_close(&f->writer);
    FILE *file = fopen(f->path, "r+b");
    assert_non_null(file);
    for (int i = 0; i < 512; ++i)
        assert_int_equal(fputc(0xa5, file), 0xa5);
    assert_int_equal(fclose(file), 0);

    assert_int_equal(store_schema_inspect(f->path), 0);
    assert_int_equal(store_open_writer(&f->writer, f->path), 0);
    assert_int_equal(store_find_by_path(f->writer, "/m/a", &found), 0);
    store_track_deinit(&found);
}

static void other_databases_are_told_from_ours(void **state)
{
    struct fixture *f = *state;
    run_sql(f->path, "CREATE TABLE t(x)");
    assert_int_equal(store_schema_inspect(f->path), -EMEDIUMTYPE);
    run_sql(f->path, "PRAGMA application_id=7");
    assert_int_equal(store_schema_inspect(f->path), -EMEDIUMTYPE);
    struct store *store;
    assert_int_equal(store_open_writer(&store, f->path), -EMEDIUMTYPE);
    assert_null(store);
}

// Called as a statement begins: before the tables are counted, another process makes the database.
static int make_database_meanwhile(unsigned kind, void *context, void *statement, void *text)
{
    struct fixture *f = context;
    (void)kind;
    (void)statement;
    if (strstr(text, "sqlite_schema") && !f->writer)
        (void)open_writer(f);
    return 0;
}

static void database_made_between_two_looks_is_not_anothers(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db;
    run_sql(f->path, "PRAGMA journal_mode=WAL;CREATE TABLE t(x);DROP TABLE t");
    assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_trace_v2(db, SQLITE_TRACE_STMT, make_database_meanwhile, f);

    const int seen = store_schema_check(db);

    assert_non_null(f->writer);
    assert_int_equal(seen, -ENODATA);
    assert_int_equal(store_schema_check(db), 0);
    sqlite3_close(db);
}

static void newer_schema_is_neither_opened_nor_written(void **state)
{
    struct fixture *f = *state;
    (void)open_writer(f);
    store_close(&f->writer);
    run_sql(f->path, "PRAGMA user_version=2");
    assert_int_equal(store_schema_inspect(f->path), -EOVERFLOW);
    struct store *store;
    assert_int_equal(store_open_writer(&store, f->path), -EOVERFLOW);
    assert_int_equal(store_open_reader(&store, f->path), -EOVERFLOW);
}

static void schema_raised_meanwhile_ends_writing(void **state)
{
    struct fixture *f = *state;
    struct store *writer = open_writer(f);
    run_sql(f->path, "PRAGMA user_version=2");
    assert_int_equal(store_begin(writer, STORE_CONSISTENT), -EOVERFLOW);
    assert_int_equal(store_begin(writer, STORE_CONSISTENT), -EOVERFLOW); // nothing was left open
}

static void corrupt_database_is_put_aside_and_only_the_newest_kept(void **state)
{
    struct fixture *f = *state;
    char old[SCRATCH_PATH_BYTES], wal[SCRATCH_PATH_BYTES];
    struct stat st;
    scratch_path(old, f->folder, "library.db.corrupt-20010101T000000Z");
    scratch_path(wal, f->folder, "library.db-wal");
    write_file(old, "a", 1);
    write_file(f->path, "b", 1);
    write_file(wal, "c", 1);
    assert_int_equal(store_put_aside(f->path), 0);
    assert_int_equal(stat(f->path, &st), -1);
    assert_int_equal(stat(wal, &st), -1);
    assert_int_equal(stat(old, &st), -1);

    struct store *store = open_writer(f);
    assert_int_equal(entries(store), 0);
}

static void killed_writer_loses_no_committed_batch(void **state)
{
    struct fixture *f = *state;
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct store *writer;
        if (store_lock_try(f->path) < 0 || store_open_writer(&writer, f->path))
            _exit(1);
        for (uint64_t i = 0;; ++i) {
            char path[32];
            snprintf(path, sizeof(path), "/m/%llu", (unsigned long long)i);
            struct store_track track = track_of(path, i % 100);
            if (store_begin(writer, STORE_CONSISTENT) ||
                store_save(writer, &track, NULL, NULL, STORE_SAVED_ALL) || store_commit(writer) ||
                write(pipe_fds[1], &i, sizeof(i)) != sizeof(i))
                _exit(1);
        }
    }
    uint64_t reported = 0;
    while (reported < 40)
        assert_int_equal(read(pipe_fds[0], &reported, sizeof(reported)), sizeof(reported));
    kill(child, SIGKILL);
    close(pipe_fds[1]);
    while (read(pipe_fds[0], &reported, sizeof(reported)) == sizeof(reported))
        ;
    close(pipe_fds[0]);

    struct store *reader = open_reader(f);
    assert_true(entries(reader) >= (int64_t)reported + 1);
    store_close(&reader);
}

static void count_complaint(void *context, const char *complaint)
{
    (void)complaint;
    ++*(int *)context;
}

static int complaints_of(struct fixture *f)
{
    struct store *reader = open_reader(f);
    int complaints = 0;
    assert_int_equal(store_check_integrity(reader, count_complaint, &complaints), 0);
    store_close(&reader);
    return complaints;
}

// SQLite takes any name of a column for good.
static void damaged_schema_is_complained_of(void **state)
{
    struct fixture *f = *state;
    static const char was[] = "warmth ANY,", is[] = "warmtx ANY,";
    static char page[4096];
    open_writer(f);
    store_close(&f->writer);
    assert_int_equal(complaints_of(f), 0);

    FILE *file = fopen(f->path, "r+");
    assert_non_null(file);
    assert_int_equal(fread(page, 1, sizeof(page), file), sizeof(page));
    char *at = memmem(page, sizeof(page), was, sizeof(was) - 1);
    assert_non_null(at);
    assert_int_equal(fseek(file, at - page, SEEK_SET), 0);
    assert_int_equal(fwrite(is, 1, sizeof(is) - 1, file), sizeof(is) - 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(complaints_of(f), 1);
}

// The row of an index that SQLite made by itself has no SQL to be compared.
static void flipped_bit_of_an_index_without_sql_is_complained_of(void **state)
{
    struct fixture *f = *state;
    static const char row[] = "indexsqlite_autoindex_analysis_1analysis";
    enum { ROW_TYPES = 3 }; // before it, the types of these three
    static char page[4096];
    open_writer(f);
    store_close(&f->writer);
    FILE *file = fopen(f->path, "r+");
    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    assert_int_equal(fread(page, 1, sizeof(page), file), sizeof(page));
    const char *at = memmem(page, sizeof(page), row, sizeof(row) - 1);
    assert_non_null(at);

    for (long i = at - page - ROW_TYPES; i < at - page + (long)sizeof(row) - 1; ++i)
        for (unsigned bit = 0; bit < 8; ++bit) {
            assert_int_equal(fseek(file, i, SEEK_SET), 0);
            assert_int_not_equal(fputc((unsigned char)page[i] ^ 1 << bit, file), EOF);
            struct store *reader = NULL;
            int complaints = 0, error = store_open_reader(&reader, f->path);
            if (!error)
                error = store_check_integrity(reader, count_complaint, &complaints);
            store_close(&reader);
            assert_true(error == -EBADMSG || complaints > 0);
            assert_int_equal(fseek(file, i, SEEK_SET), 0);
            assert_int_equal(fputc((unsigned char)page[i], file), (unsigned char)page[i]);
        }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(complaints_of(f), 0);
}

// Playback's look-ups go on to the sidecar after a quarter of a second.
static void reader_waits_a_quarter_of_a_second(void **state)
{
    struct fixture *f = *state;
    sqlite3_stmt *statement;
    open_writer(f);
    struct store *reader = open_reader(f);
    assert_int_equal(sqlite3_prepare_v2(reader->db, "PRAGMA busy_timeout", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), 250);
    sqlite3_finalize(statement);
    store_close(&reader);
}

// A link where -shm should be made: not even root gets past that.
static void without_shm_the_main_file_serves_what_it_holds(void **state)
{
    struct fixture *f = *state;
    char shm[SCRATCH_PATH_BYTES];
    struct store *writer = open_writer(f), *reader;
    struct store_track in_main = track_of("/m/a", 1), replaced = track_of("/m/b", 2),
                       by = track_of("/m/b", 3), in_log = track_of("/m/c", 4), found;
    save(writer, &in_main, NULL, NULL);
    save(writer, &replaced, NULL, NULL);
    store_checkpoint(writer, STORE_CHECKPOINT_NOW);
    save(writer, &by, NULL, NULL);
    save(writer, &in_log, NULL, NULL);
    store_close(&f->writer);
    scratch_path(shm, f->folder, "library.db-shm");
    (void)unlink(shm); // SQLite may have
    assert_int_equal(symlink("/nowhere/at/all", shm), 0);

    assert_int_equal(store_open_reader(&reader, f->path), 0);
    assert_int_equal(store_find_by_path(reader, "/m/a", &found), 0);
    assert_values_equal(&found, &in_main);
    store_track_deinit(&found);
    assert_int_equal(store_find_by_path(reader, "/m/b", &found), 0);
    assert_values_equal(&found,
                        &replaced); // of another content than the file has now: no hit for it
    store_track_deinit(&found);
    assert_int_equal(store_find_by_path(reader, "/m/c", &found), -ENOENT);
    store_close(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lock_is_for_one_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_leaves_the_log_to_the_next_writer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reader_sees_what_was_committed_before_it_asks, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_told_by_its_first_bytes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(first_page_torn_by_a_power_cut_comes_back_from_the_log,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_databases_are_told_from_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(database_made_between_two_looks_is_not_anothers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(newer_schema_is_neither_opened_nor_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(schema_raised_meanwhile_ends_writing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(corrupt_database_is_put_aside_and_only_the_newest_kept,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_writer_loses_no_committed_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_schema_is_complained_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flipped_bit_of_an_index_without_sql_is_complained_of,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(reader_waits_a_quarter_of_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_shm_the_main_file_serves_what_it_holds, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
