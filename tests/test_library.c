// SPDX-License-Identifier: MIT
// The ladder without the scheduler: real files, a real database, records that nobody computed.
#include "engine/library/library.h"
#include "engine/library/library_columns.h"
#include "engine/library/track_record.h"
#include "io/store/sidecar.h"
#include "io/store/store.h"
#include "support/library_fixture.h"
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void columns_stand_in_the_order_of_their_names(void **state)
{
    (void)state;
    struct record *record = sample_record(3);
    const struct analysis *a = track_record_analysis(track_record_of(record));
    struct store_track track = {0};
    library_columns_from_record(&track, track_record_of(record));
    unsigned found = 0;
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i) {
        const char *name = store_analysis_columns[i].name;
        for (unsigned d = 0; d < FINGERPRINT_DIMENSIONS; ++d)
            if (strcmp(name, fingerprint_name((enum fingerprint_dimension)d)) == 0) {
                assert_memory_equal(&track.values[i].real, &a->fingerprint[d], sizeof(double));
                ++found;
            }
        for (int g = 0; g < GENRE_COUNT; ++g)
            if (strncmp(name, "genre_", 6) == 0 && strcmp(name + 6, genre_name(g)) == 0) {
                assert_memory_equal(&track.values[i].real, &a->genre.scores[g], sizeof(double));
                ++found;
            }
        if (strcmp(name, "first_beat_s") == 0 || strcmp(name, "true_peak_dbtp") == 0) {
            assert_true(track.values[i].is_null);
            ++found;
        }
    }
    assert_int_equal(found, FINGERPRINT_DIMENSIONS + GENRE_COUNT + 2);
    record_unref(&record);
}

static void record_is_found_in_a_later_run(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    start(f);
    compute(f, f->track, record);
    start(f);
    assert_found(f, f->track, LIBRARY_SQLITE, record);
    start(f);
    const struct store_stats stats = stats_of(f);
    assert_int_equal(stats.entries, 1);
    assert_int_equal(stats.totals.sqlite_hits, 1);
    assert_int_equal(stats.totals.misses, 1);
    assert_int_equal(stats.totals.saved_ns, track_record_of(record)->cost_ns);
    assert_int_equal(warnings(f), 0);
    record_unref(&record);
}

static void nothing_is_made_before_there_is_something_to_save(void **state)
{
    struct fixture *f = *state;
    start(f);
    library_destroy(&f->library);
    struct stat st;
    assert_int_equal(stat(f->database, &st), -1);
}

static void other_settings_find_the_analysis(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1), *other = sample_record(1);
    start(f);
    compute(f, f->track, record);
    f->config.settings.intensity = 0.5;
    start(f);
    struct library_lookup lookup = look_up(f, f->track);
    assert_int_equal(lookup.outcome, LIBRARY_ANALYSIS);
    assert_int_equal(lookup.tier, LIBRARY_SQLITE);
    library_save(f->library, &lookup, other);
    library_lookup_deinit(&lookup);
    start(f);
    assert_found(f, f->track, LIBRARY_SQLITE, other);
    f->config.settings.intensity = 1.0;
    start(f);
    assert_found(f, f->track, LIBRARY_SQLITE, record);
    record_unref(&record);
    record_unref(&other);
}

static void sidecar_is_written_read_and_promoted(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    f->config.sidecars = LIBRARY_SIDECARS_WRITE;
    start(f);
    compute(f, f->track, record);
    library_destroy(&f->library);
    assert_int_equal(unlink(f->database), 0);
    f->config.sidecars = LIBRARY_SIDECARS_READ;
    start(f);
    assert_found(f, f->track, LIBRARY_SIDECAR, record);
    start(f);
    assert_found(f, f->track, LIBRARY_SQLITE, record);
    assert_int_equal(warnings(f), 0);
    record_unref(&record);
}

static void sidecar_of_another_track_is_rejected(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    char other[SCRATCH_PATH_BYTES], from[2 * SCRATCH_PATH_BYTES], to[2 * SCRATCH_PATH_BYTES];
    scratch_path(other, f->folder, "other.wav");
    write_file(other, "the bytes of 2 track");
    age(other, 1600000000);
    f->config.sidecars = LIBRARY_SIDECARS_WRITE;
    start(f);
    compute(f, f->track, record);
    library_flush(f->library);
    snprintf(from, sizeof(from), "%s.25d", f->track);
    snprintf(to, sizeof(to), "%s.25d", other);
    assert_int_equal(rename(from, to), 0);
    assert_missed(f, other);
    record_unref(&record);
}

// Who looks the track up meets it, and who would write it.
static void useless_sidecar_is_warned_of_once(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    char sidecar[2 * SCRATCH_PATH_BYTES];
    snprintf(sidecar, sizeof(sidecar), "%s.25d", f->track);
    assert_int_equal(symlink("elsewhere", sidecar), 0);
    f->config.sidecars = LIBRARY_SIDECARS_WRITE;
    start(f);
    compute(f, f->track, record);
    library_flush(f->library);
    assert_int_equal(warnings(f), 1);
    record_unref(&record);
}

static void memory_hit_has_its_sidecar_written(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    struct library_file file;
    struct stat st;
    char sidecar[2 * SCRATCH_PATH_BYTES];
    snprintf(sidecar, sizeof(sidecar), "%s.25d", f->track);
    assert_int_equal(library_path_identify(f->track, &file), 0);
    f->config.sidecars = LIBRARY_SIDECARS_WRITE;
    start(f);
    library_note_memory_hit(f->library, f->track, &file.identity, record);
    library_flush(f->library);
    assert_int_equal(stat(sidecar, &st), 0);
    assert_int_equal(stats_of(f).totals.memory_hits, 1);
    record_unref(&record);
}

static void corrupt_database_is_replaced_within_the_run(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    write_file(f->database, "this is no database, however long one looks at it");
    start(f);
    compute(f, f->track, record);
    library_flush(f->library);
    assert_found(f, f->track, LIBRARY_SQLITE, record);
    assert_int_equal(warnings(f), 1);
    record_unref(&record);
}

static void without_a_database_sidecars_still_work(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    f->config.database = NULL;
    f->config.sidecars = LIBRARY_SIDECARS_WRITE;
    start(f);
    compute(f, f->track, record);
    library_flush(f->library);
    assert_found(f, f->track, LIBRARY_SIDECAR, record);
    assert_int_equal(warnings(f), 1);
    record_unref(&record);
}

static void batch_waits_for_the_lock_and_loses_nothing(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    const int lock = store_lock_try(f->database);
    assert_true(lock >= 0);
    start(f);
    compute(f, f->track, record);
    assert_missed(f, f->track);
    store_lock_release(lock);
    library_flush(f->library);
    assert_found(f, f->track, LIBRARY_SQLITE, record);
    assert_int_equal(warnings(f), 0);
    record_unref(&record);
}

static void many_look_ups_are_all_answered(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 500 };
    static struct library_lookup lookups[COUNT];
    struct record *record = sample_record(1);
    struct library_file file;
    start(f);
    compute(f, f->track, record);
    library_flush(f->library);
    assert_int_equal(library_path_identify(f->track, &file), 0);
    for (int i = 0; i < COUNT; ++i) {
        lookups[i] = (struct library_lookup){
            .path = f->track, .identity = file.identity, .priority = COUNT - i};
        library_look_up(f->library, &lookups[i]);
    }
    int answered = 0;
    while (answered < COUNT) {
        struct library_lookup *answer = library_reap(f->library);
        struct pollfd event = {.fd = library_event_fd(f->library), .events = POLLIN};
        if (!answer) {
            assert_int_equal(poll(&event, 1, 60000), 1);
            continue;
        }
        assert_int_equal(answer->outcome, LIBRARY_RECORD);
        library_lookup_deinit(answer);
        ++answered;
    }
    start(f);
    assert_int_equal(stats_of(f).totals.sqlite_hits, COUNT);
    record_unref(&record);
}

// As an older program would have left it: the same row, of the version before.
static void make_older(struct fixture *f)
{
    struct store *store;
    struct store_track track;
    char *path = library_path_absolute(f->track);
    const int lock = store_lock_try(f->database);
    assert_true(lock >= 0);
    assert_int_equal(store_open_writer(&store, f->database), 0);
    assert_int_equal(store_find_by_path(store, path, &track), 0);
    int64_t cleared;
    struct store_track older = track;
    older.id = 0;
    older.algorithm_version = ANALYSIS_ALGORITHM_VERSION - 1;
    assert_int_equal(store_begin(store, STORE_CONSISTENT), 0);
    assert_int_equal(store_clear(store, path, &cleared), 0);
    assert_int_equal(store_save(store, &older, NULL, NULL, STORE_SAVED_ALL), 0);
    assert_int_equal(store_commit(store), 0);
    store_track_deinit(&track);
    store_close(&store);
    store_lock_release(lock);
    free(path);
}

static void row_of_an_older_algorithm_is_a_miss_and_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1), *newer = sample_record(2);
    start(f);
    compute(f, f->track, record);
    library_destroy(&f->library);
    make_older(f);

    start(f);
    compute(f, f->track, newer); // which asserts the miss
    start(f);
    assert_found(f, f->track, LIBRARY_SQLITE, newer);
    assert_int_equal(stats_of(f).entries, 1);
    assert_int_equal(warnings(f), 0);
    record_unref(&newer);
    record_unref(&record);
}

static struct record *record_with_a_beat_that_is_no_number(void)
{
    struct record *good = sample_record(3);
    const struct track_record *head = track_record_of(good);
    const size_t bytes = record_bytes(good) - sizeof(*head);
    struct analysis *analysis = malloc(bytes);
    assert_non_null(analysis);
    memcpy(analysis, track_record_analysis(head), bytes);
    assert_true(analysis->beat_count > 1);
    analysis->beats_s[1] = NAN;
    struct record *bad = track_record_create(head, analysis);
    assert_non_null(bad);
    free(analysis);
    record_unref(&good);
    return bad;
}

static void beat_that_is_no_number_keeps_only_its_own_record_from_being_saved(void **state)
{
    struct fixture *f = *state;
    char paths[3][SCRATCH_PATH_BYTES], sidecar[SCRATCH_PATH_BYTES], text[1024] = "";
    struct record *records[3] = {sample_record(1), record_with_a_beat_that_is_no_number(),
                                 sample_record(2)};
    f->config.sidecars = LIBRARY_SIDECARS_WRITE;
    start(f);
    for (unsigned i = 0; i < 3; ++i) {
        char name[8] = {'a', (char)('0' + i), '.', 'w', 'a', 'v'};
        scratch_path(paths[i], f->folder, name);
        write_file(paths[i], name);
        age(paths[i], 1600000000);
        compute(f, paths[i], records[i]);
    }
    library_flush(f->library);

    assert_found(f, paths[0], LIBRARY_SQLITE, records[0]);
    assert_missed(f, paths[1]);
    assert_found(f, paths[2], LIBRARY_SQLITE, records[2]);
    assert_int_equal(stats_of(f).entries, 2);
    scratch_path(sidecar, f->folder, "a1.wav.25d");
    assert_int_equal(access(sidecar, F_OK), -1);
    assert_int_equal(warnings(f), 1);
    assert_true(pread(f->log.fd, text, sizeof(text) - 1, 0) > 0);
    assert_non_null(strstr(text, paths[1]));
    for (unsigned i = 0; i < 3; ++i)
        record_unref(&records[i]);
}

static void absolute_paths_are_tidy(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/a/b", "/a/b"},       {"//a//b/", "/a/b"},    {"/a/./b/.", "/a/b"},
        {"/a/../b", "/b"},      {"/../..", "/"},        {"/", "/"},
        {"/a/..", "/"},         {"/a/b/../../c", "/c"}, {"/a/...", "/a/..."},
        {"/.a/..b", "/.a/..b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        char *path = library_path_absolute(cases[i][0]);
        assert_string_equal(path, cases[i][1]);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_stand_in_the_order_of_their_names),
        cmocka_unit_test(absolute_paths_are_tidy),
        cmocka_unit_test_setup_teardown(record_is_found_in_a_later_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_made_before_there_is_something_to_save, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(other_settings_find_the_analysis, set_up, tear_down),
        cmocka_unit_test_setup_teardown(row_of_an_older_algorithm_is_a_miss_and_is_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sidecar_is_written_read_and_promoted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sidecar_of_another_track_is_rejected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(useless_sidecar_is_warned_of_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_hit_has_its_sidecar_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(corrupt_database_is_replaced_within_the_run, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_database_sidecars_still_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(batch_waits_for_the_lock_and_loses_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            beat_that_is_no_number_keeps_only_its_own_record_from_being_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_look_ups_are_all_answered, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
