// SPDX-License-Identifier: MIT
// A library whose database is damaged, locked or hostile.
#include "engine/library/library_columns.h"
#include "engine/library/library_document.h"
#include "engine/library/library_notes.h"
#include "engine/library/library_transfer.h"
#include "io/store/sidecar.h"
#include "support/library_fixture.h"
#include "support/rng.h"
#include <errno.h>
#include <glob.h>
#include <semaphore.h>
#include <stdlib.h>

enum { TRACKS = 8, PAGE_BYTES = 4096, HEADER_BYTES = 100 };

// SQLite's: nothing here is about power cuts, and a disk takes its time.
int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

static void name_track(const struct fixture *f, char path[SCRATCH_PATH_BYTES], unsigned number)
{
    char name[32];
    snprintf(name, sizeof(name), "%u.wav", number);
    scratch_path(path, f->folder, name);
}

static void make_tracks(struct fixture *f)
{
    for (unsigned i = 0; i < TRACKS; ++i) {
        char path[SCRATCH_PATH_BYTES], text[32];
        name_track(f, path, i);
        snprintf(text, sizeof(text), "the bytes of track %u", i);
        write_file(path, text);
        age(path, 1600000000);
    }
}

// Look all up; compute what is missed. @return how many were found, each with its own record.
static unsigned scan(struct fixture *f)
{
    unsigned found = 0;
    start(f);
    for (unsigned i = 0; i < TRACKS; ++i) {
        char path[SCRATCH_PATH_BYTES];
        struct record *record = sample_record(i);
        name_track(f, path, i);
        struct library_lookup lookup = look_up(f, path);
        if (lookup.outcome == LIBRARY_RECORD)
            sample_record_assert_equal(lookup.record, record);
        if (lookup.outcome != LIBRARY_RECORD)
            library_save(f->library, &lookup, record);
        found += lookup.outcome == LIBRARY_RECORD;
        library_lookup_deinit(&lookup);
        record_unref(&record);
    }
    library_destroy(&f->library);
    return found;
}

static void copy_file(const char *from, const char *to)
{
    char bytes[PAGE_BYTES];
    size_t got;
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    assert_true(in && out);
    while ((got = fread(bytes, 1, sizeof(bytes), in)) > 0)
        assert_int_equal(fwrite(bytes, 1, got, out), got);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

// No log beside it. @return its bytes.
static long put_database(const struct fixture *f, const char *sound)
{
    char beside[SCRATCH_PATH_BYTES + 8];
    struct stat st;
    assert_int_equal(stat(sound, &st), 0);
    snprintf(beside, sizeof(beside), "%s-wal", f->database);
    (void)unlink(beside); // there may be none
    snprintf(beside, sizeof(beside), "%s-shm", f->database);
    (void)unlink(beside);
    copy_file(sound, f->database);
    return st.st_size;
}

static FILE *open_database(const struct fixture *f)
{
    FILE *file = fopen(f->database, "r+");
    assert_non_null(file);
    return file;
}

// One page of it filled with zeros. @return whether there is such a page.
static bool damage(const struct fixture *f, const char *sound, long page)
{
    static const char zeros[PAGE_BYTES];
    if (page * PAGE_BYTES >= put_database(f, sound))
        return false;
    FILE *file = open_database(f);
    assert_int_equal(fseek(file, page * PAGE_BYTES, SEEK_SET), 0);
    assert_int_equal(fwrite(zeros, PAGE_BYTES, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    return true;
}

static void whichever_page_is_bad_the_next_run_hits_all(void **state)
{
    struct fixture *f = *state;
    char sound[SCRATCH_PATH_BYTES];
    unsigned with_hits = 0, pages = 0;
    scratch_path(sound, f->folder, "sound.db");
    make_tracks(f);
    assert_int_equal(scan(f), 0);
    copy_file(f->database, sound);
    for (long page = 0; damage(f, sound, page); ++page, ++pages) {
        with_hits += scan(f) > 0;
        assert_int_equal(scan(f), TRACKS);
    }
    // The schema's page and the roots of what every look-up goes through cost all; any other but a few.
    assert_true(pages > 8 && with_hits + 4 >= pages);
}

// Bits anywhere behind the header, which says whose a file is.
static void flip_bits(const struct fixture *f, long bytes, uint64_t *random)
{
    FILE *file = open_database(f);
    for (unsigned i = 0; i < 20; ++i) {
        const long at = HEADER_BYTES + (long)(rng_next(random) % (uint64_t)(bytes - HEADER_BYTES));
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        const int was = fgetc(file);
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        assert_true(fputc(was ^ 1 << rng_next(random) % 8, file) != EOF);
    }
    assert_int_equal(fclose(file), 0);
}

// Found out by who looks up or by who saves, or by neither: rows behind an index that is wrong are just not there.
static void whichever_bits_are_flipped_the_next_run_hits_all(void **state)
{
    struct fixture *f = *state;
    enum { TRIALS = 120 };
    char sound[SCRATCH_PATH_BYTES];
    uint64_t random = 1;
    unsigned with_misses = 0;
    scratch_path(sound, f->folder, "sound.db");
    make_tracks(f);
    assert_int_equal(scan(f), 0);
    copy_file(f->database, sound);
    for (unsigned trial = 0; trial < TRIALS; ++trial) {
        flip_bits(f, put_database(f, sound), &random);
        with_misses += scan(f) < TRACKS;
        if (scan(f) < TRACKS)
            fail_msg("trial %u", trial);
    }
    assert_true(with_misses > TRIALS / 2);
}

static bool log_has(struct fixture *f, const char *text)
{
    char log[8192];
    const ssize_t bytes = pread(f->log.fd, log, sizeof(log) - 1, 0);
    assert_true(bytes >= 0);
    log[bytes] = '\0';
    return strstr(log, text) != NULL;
}

// A reader met the lock first, and no less is known of what its run cannot save.
static void warning_of_a_lock_names_what_is_lost_whoever_meets_it_first(void **state)
{
    struct fixture *f = *state;
    struct library_notes notes;
    assert_int_equal(library_notes_init(&notes, &f->log, f->database), 0);
    library_notes_database(&notes, -EBUSY, 0);
    library_notes_database(&notes, -EBUSY, 5);
    library_notes_end(&notes);
    library_notes_deinit(&notes);
    assert_int_equal(warnings(f), 1);
    assert_true(log_has(f, "locked by another process; 5 results are not saved"));
}

static void lock_that_cost_nothing_is_warned_of_once_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct library_notes notes;
    assert_int_equal(library_notes_init(&notes, &f->log, f->database), 0);
    library_notes_database(&notes, -EBUSY, 0);
    library_notes_database(&notes, -EAGAIN, 0);
    assert_int_equal(warnings(f), 0);
    library_notes_end(&notes);
    library_notes_deinit(&notes);
    assert_int_equal(warnings(f), 1);
    assert_true(log_has(f, "locked by another process\n"));
}

// More than wait for a lock: what does not fit is counted, and everything else saved.
// @return how many corrupt databases were put away; the one that is in use is sound.
static unsigned count_put_aside(const struct fixture *f)
{
    char pattern[SCRATCH_PATH_BYTES + 16];
    struct store *store;
    glob_t found;
    assert_int_equal(store_open_reader(&store, f->database), 0);
    assert_int_equal(store_check(store), 0);
    store_close(&store);
    snprintf(pattern, sizeof(pattern), "%s.corrupt-*Z", f->database);
    const unsigned count = glob(pattern, 0, NULL, &found) == 0 ? (unsigned)found.gl_pathc : 0;
    globfree(&found);
    return count;
}

// Pages of a new database: the schema's, the tracks' root, that of their paths, of inodes, of kinds, of targets.
enum { PATHS_PAGE = 2, TARGETS_PAGE = 5 };

static void what_a_look_up_finds_corrupt_is_mended_though_nothing_is_saved(void **state)
{
    struct fixture *f = *state;
    char sound[SCRATCH_PATH_BYTES];
    scratch_path(sound, f->folder, "sound.db");
    make_tracks(f);
    assert_int_equal(scan(f), 0);
    copy_file(f->database, sound);
    assert_true(damage(f, sound, TARGETS_PAGE));
    start(f);
    for (unsigned i = 0; i < TRACKS; ++i) {
        char path[SCRATCH_PATH_BYTES];
        name_track(f, path, i);
        struct library_lookup lookup = look_up(f, path);
        assert_int_equal(lookup.outcome, LIBRARY_ANALYSIS);
        library_lookup_deinit(&lookup);
    }
    library_destroy(&f->library);
    assert_int_equal(count_put_aside(f), 1);
    assert_int_equal(stats_of(f).entries, TRACKS);
}

// To all who ask for it the row is not there, and one saved in its place is hidden as well.
static void index_that_hides_a_row_is_noticed_by_who_saves(void **state)
{
    struct fixture *f = *state;
    char sound[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES], page[PAGE_BYTES];
    scratch_path(sound, f->folder, "sound.db");
    name_track(f, path, 3);
    make_tracks(f);
    assert_int_equal(scan(f), 0);
    copy_file(f->database, sound);
    put_database(f, sound);
    FILE *file = open_database(f);
    assert_int_equal(fseek(file, PATHS_PAGE * PAGE_BYTES, SEEK_SET), 0);
    assert_int_equal(fread(page, sizeof(page), 1, file), 1);
    const char *key = memmem(page, sizeof(page), path, strlen(path));
    assert_non_null(key);
    assert_int_equal(fseek(file, PATHS_PAGE * PAGE_BYTES + (key - page), SEEK_SET), 0);
    assert_int_equal(fputc('Z', file), 'Z');
    assert_int_equal(fclose(file), 0);
    write_file(path, "the bytes of another track");
    age(path, 1600000000);

    assert_int_equal(scan(f), TRACKS - 1);

    assert_int_equal(count_put_aside(f), 1);
    assert_int_equal(stats_of(f).entries, TRACKS);
}

static void what_the_queue_cannot_hold_is_counted_as_lost(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 4400 };
    struct record *record = sample_record(1);
    const int lock = store_lock_try(f->database);
    assert_true(lock >= 0);
    start(f);
    struct library_lookup lookup = look_up(f, f->track);
    lookup.has_checksum = true;
    for (unsigned i = 0; i < COUNT; ++i) {
        char path[32];
        snprintf(path, sizeof(path), "/m/%u", i);
        free(lookup.absolute_path);
        lookup.absolute_path = strdup(path);
        library_save(f->library, &lookup, record);
    }
    library_lookup_deinit(&lookup);
    store_lock_release(lock);
    library_destroy(&f->library);
    const int64_t saved = stats_of(f).entries;
    char said[64];
    assert_true(saved >= 4096 && saved < COUNT);
    snprintf(said, sizeof(said), "; %lld results are not saved", (long long)(COUNT - saved));
    assert_int_equal(warnings(f), 1);
    assert_true(log_has(f, said));
    record_unref(&record);
}

static void result_whose_file_is_gone_is_warned_of(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    start(f);
    struct library_lookup lookup = look_up(f, f->track);
    assert_int_equal(unlink(f->track), 0);
    library_save(f->library, &lookup, record);
    library_lookup_deinit(&lookup);
    library_destroy(&f->library);
    assert_int_equal(warnings(f), 1);
    assert_true(log_has(f, "1 results are not saved: their files are gone"));
    record_unref(&record);
}

static void time_saved_adds_up_within_a_run_and_over_runs(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    const int64_t cost_ns = track_record_of(record)->cost_ns;
    start(f);
    compute(f, f->track, record);
    for (unsigned run = 0; run < 2; ++run) {
        start(f);
        for (unsigned i = 0; i < 3; ++i)
            assert_found(f, f->track, LIBRARY_SQLITE, record);
    }
    library_destroy(&f->library);
    assert_int_equal(stats_of(f).totals.sqlite_hits, 6);
    assert_int_equal(stats_of(f).totals.saved_ns, 6 * cost_ns);
    record_unref(&record);
}

// A row as an analysis of that version would have left it.
static void save_row(struct fixture *f, const char *path, uint32_t version)
{
    struct record *record = sample_record(1);
    struct store_track track = {.path = path, .identity = {1, 2, 3, 4, 5}};
    struct store *store;
    const int lock = store_lock_try(f->database);
    assert_true(lock >= 0);
    library_columns_from_record(&track, track_record_of(record));
    track.algorithm_version = version;
    assert_int_equal(store_open_writer(&store, f->database), 0);
    assert_int_equal(store_begin(store, STORE_CONSISTENT), 0);
    assert_int_equal(store_save(store, &track, NULL, NULL, STORE_SAVED_ALL), 0);
    assert_int_equal(store_commit(store), 0);
    store_close(&store);
    store_lock_release(lock);
    record_unref(&record);
}

static void post(void *context)
{
    assert_int_equal(sem_post(context), 0);
}

// They are found a page at a time.
static void outdated_track_is_found_behind_many_that_are_gone(void **state)
{
    struct fixture *f = *state;
    sem_t answered;
    assert_int_equal(sem_init(&answered, 0, 0), 0);
    for (unsigned i = 0; i < 70; ++i) {
        char path[32];
        snprintf(path, sizeof(path), "/gone/%u.wav", i);
        save_row(f, path, ANALYSIS_ALGORITHM_VERSION - 1);
    }
    save_row(f, f->track, ANALYSIS_ALGORITHM_VERSION - 1);
    start(f);
    struct library_outdated query = {.answered = post, .context = &answered};
    library_find_outdated(f->library, &query);
    assert_int_equal(sem_wait(&answered), 0);
    assert_non_null(query.path);
    assert_string_equal(query.path, f->track);
    free(query.path);
    query.path = NULL;
    library_find_outdated(f->library, &query);
    assert_int_equal(sem_wait(&answered), 0);
    assert_null(query.path);
    sem_destroy(&answered);
}

static char *document_of(const char *path, uint32_t version)
{
    struct record *good = sample_record(2);
    const size_t bytes = record_bytes(good) - sizeof(struct track_record);
    struct analysis *analysis = malloc(bytes);
    assert_non_null(analysis);
    memcpy(analysis, track_record_analysis(track_record_of(good)), bytes);
    analysis->algorithm_version = version;
    struct library_document document = {
        .path = (char *)path, .record = track_record_create(track_record_of(good), analysis)};
    char *text = library_document_print(&document);
    assert_non_null(text);
    record_unref(&document.record);
    record_unref(&good);
    free(analysis);
    return text;
}

static void import_leaves_rows_that_are_newer_or_as_new(void **state)
{
    struct fixture *f = *state;
    struct library_transfer transfer;
    const uint32_t version = ANALYSIS_ALGORITHM_VERSION;
    save_row(f, "/newer", version + 1);
    save_row(f, "/older", version - 1);
    char *over_newer = document_of("/newer", version), *over_older = document_of("/older", version),
         *text;
    assert_true(asprintf(&text, "%s%s", over_newer, over_older) > 0);
    FILE *in = fmemopen(text, strlen(text), "r");
    assert_non_null(in);
    assert_int_equal(library_transfer_import(f->database, in, "lines", &f->log, &transfer), 0);
    fclose(in);
    assert_int_equal(transfer.taken, 1);
    assert_int_equal(transfer.known, 1);
    assert_int_equal(transfer.bad, 0);

    struct store *store;
    struct store_track track;
    assert_int_equal(store_open_reader(&store, f->database), 0);
    assert_int_equal(store_find_by_path(store, "/newer", &track), 0);
    assert_int_equal(track.algorithm_version, version + 1);
    store_track_deinit(&track);
    assert_int_equal(store_find_by_path(store, "/older", &track), 0);
    assert_int_equal(track.algorithm_version, version);
    store_track_deinit(&track);
    store_close(&store);
    free(text);
    free(over_newer);
    free(over_older);
}

static void sidecar_of_a_newer_version_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct record *record = sample_record(1);
    char *text = document_of(f->track, ANALYSIS_ALGORITHM_VERSION + 1), *found;
    char *path = sidecar_path(f->track);
    size_t bytes;
    assert_int_equal(sidecar_write(path, text, strlen(text)), 0);
    f->config.sidecars = LIBRARY_SIDECARS_WRITE;
    start(f);
    compute(f, f->track, record);
    library_destroy(&f->library);
    assert_int_equal(sidecar_read(path, &found, &bytes), 0);
    assert_string_equal(found, text);
    free(found);
    free(path);
    free(text);
    record_unref(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whichever_page_is_bad_the_next_run_hits_all, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(whichever_bits_are_flipped_the_next_run_hits_all, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_a_look_up_finds_corrupt_is_mended_though_nothing_is_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(index_that_hides_a_row_is_noticed_by_who_saves, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(warning_of_a_lock_names_what_is_lost_whoever_meets_it_first,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(lock_that_cost_nothing_is_warned_of_once_at_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_the_queue_cannot_hold_is_counted_as_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(result_whose_file_is_gone_is_warned_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(time_saved_adds_up_within_a_run_and_over_runs, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(outdated_track_is_found_behind_many_that_are_gone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(import_leaves_rows_that_are_newer_or_as_new, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sidecar_of_a_newer_version_is_left_alone, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
