// SPDX-License-Identifier: MIT
// Files that are touched, moved, edited or written anew: what is kept of them is found for as long as it is theirs.
#include "engine/library/library.h"
#include "engine/library/library_columns.h"
#include "engine/library/track_record.h"
#include "io/store/store.h"
#include "support/library_fixture.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void touched_file_is_found_and_moved_file_too(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    char moved[SCRATCH_PATH_BYTES];
    scratch_path(moved, f->folder, "moved.wav");
    start(f);
    compute(f, f->track, record);
    start(f);
    age(f->track, 1600000001);
    assert_found(f, f->track, LIBRARY_SQLITE, record);
    start(f);
    assert_int_equal(rename(f->track, moved), 0);
    assert_found(f, moved, LIBRARY_SQLITE, record);
    start(f);
    assert_int_equal(stats_of(f).entries, 1);
    record_unref(&record);
}

static void edit_of_the_same_size_and_time_is_a_miss(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    start(f);
    compute(f, f->track, record);
    start(f);
    write_file(f->track, "the bytes of another");
    age(f->track, 1600000000);
    assert_missed(f, f->track);
    record_unref(&record);
}

// Put a row into the database whose identity is the file's, but whose checksum is not.
static void save_other_bytes(struct fixture *f, struct record *record, bool is_fresh)
{
    struct store_track track = {.path = f->track, .is_fresh = is_fresh};
    struct store_targets targets;
    char target[LIBRARY_TARGET_BYTES];
    struct library_file file;
    struct store *store;
    assert_int_equal(library_path_identify(f->track, &file), 0);
    track.identity = file.identity;
    library_columns_from_record(&track, track_record_of(record));
    library_columns_settings(&targets.settings, target, &f->config.settings);
    library_columns_from_targets(&targets, &track_record_of(record)->targets);
    const int lock = store_lock_try(f->database);
    assert_true(lock >= 0);
    assert_int_equal(store_open_writer(&store, f->database), 0);
    assert_int_equal(store_begin(store, STORE_CONSISTENT), 0);
    assert_int_equal(store_save(store, &track, &targets, NULL, STORE_SAVED_ALL), 0);
    assert_int_equal(store_commit(store), 0);
    store_close(&store);
    store_lock_release(lock);
}

static void stat_decides_unless_the_row_is_marked(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    start(f);
    save_other_bytes(f, record, false);
    assert_found(f, f->track, LIBRARY_SQLITE, record);
    save_other_bytes(f, record, true);
    assert_missed(f, f->track);
    record_unref(&record);
}

// Until the change of the file's state lies more than 20 ms back.
static void outlive_change(const char *path)
{
    struct timespec now;
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    do
        clock_gettime(CLOCK_REALTIME, &now);
    while ((now.tv_sec - st.st_ctim.tv_sec) * 1000000000LL + now.tv_nsec - st.st_ctim.tv_nsec <
           30000000);
}

static void file_written_just_now_is_marked_until_it_has_aged(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    const time_t later = time(NULL) + 3600; // cannot be said to lie 20 ms back
    const struct timespec times[2] = {{.tv_sec = later}, {.tv_sec = later}};
    struct store *store;
    struct store_track track;
    assert_int_equal(utimensat(AT_FDCWD, f->track, times, 0), 0);
    outlive_change(f->track);
    start(f);
    compute(f, f->track, record);
    start(f);
    assert_int_equal(store_open_reader(&store, f->database), 0);
    assert_int_equal(store_find_by_path(store, f->track, &track), 0);
    assert_true(track.is_fresh);
    store_track_deinit(&track);

    age(f->track, 1600000000);
    assert_found(f, f->track, LIBRARY_SQLITE, record);
    start(f);
    assert_int_equal(store_find_by_path(store, f->track, &track), 0);
    assert_false(track.is_fresh);
    store_track_deinit(&track);
    store_close(&store);
    record_unref(&record);
}

static void file_that_changed_meanwhile_is_not_saved(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    start(f);
    struct library_lookup lookup = look_up(f, f->track);
    write_file(f->track, "other bytes, other size");
    library_save(f->library, &lookup, record);
    library_lookup_deinit(&lookup);
    start(f);
    assert_missed(f, f->track);
    record_unref(&record);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(touched_file_is_found_and_moved_file_too),
        TEST(edit_of_the_same_size_and_time_is_a_miss),
        TEST(stat_decides_unless_the_row_is_marked),
        TEST(file_written_just_now_is_marked_until_it_has_aged),
        TEST(file_that_changed_meanwhile_is_not_saved),
    };
    return cmocka_run_group_tests_name("library_changes", tests, NULL, NULL);
}
