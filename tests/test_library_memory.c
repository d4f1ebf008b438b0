// SPDX-License-Identifier: MIT
// The persistent tier without memory: each allocation of its own, of SQLite and of the JSON library fails once, or
// fails from there on. Where that are thousands only every so manyth does; SEGUE_EVERY_FAILURE: each.
#include "engine/library/library.h"
#include "engine/library/library_columns.h"
#include "engine/library/library_document.h"
#include "engine/library/library_transfer.h"
#include "engine/library/track_record.h"
#include "engine/prepare/extractor.h"
#include "io/store/sidecar.h"
#include "io/store/store.h"
#include "support/failing_heap.h"
#include "support/sample_record.h"
#include "support/scratch.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LEAST_ALLOCATIONS = 50, SIDECAR_STRIDE = 7, STORE_STRIDE = 149, LIBRARY_STRIDE = 191 };

struct fixture {
    char folder[SCRATCH_PATH_BYTES], database[SCRATCH_PATH_BYTES], track[SCRATCH_PATH_BYTES],
        sidecar[SCRATCH_PATH_BYTES];
    struct log log;
    struct record *record;
};

static const char *const log_name = "log";

// --- a heap for all

static sqlite3_mem_methods usual;

static void *sqlite_malloc(int bytes)
{
    return failing_heap_take() ? NULL : usual.xMalloc(bytes);
}

static void *sqlite_realloc(void *block, int bytes)
{
    return failing_heap_take() ? NULL : usual.xRealloc(block, bytes);
}

// Where the buffer of a token cannot grow, Jansson 2.14 writes past the string it makes of it. These buffers are of
// powers of two, and always to be had here.
static void *jansson_malloc(size_t bytes)
{
    const int may_be_buffer = (bytes & (bytes - 1)) == 0;
    if (may_be_buffer)
        failing_heap_spare();
    return malloc(bytes); // this program's, which fails
}

static int set_up_heap(void **state)
{
    (void)state;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual) != SQLITE_OK)
        return -1;
    sqlite3_mem_methods failing = usual;
    failing.xMalloc = sqlite_malloc;
    failing.xRealloc = sqlite_realloc;
    json_set_alloc_funcs(jansson_malloc, free);
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) == SQLITE_OK ? 0 : -1;
}

// --- files. Nothing waits for a disk in /dev/shm

static void open_log(struct fixture *f)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, f->folder, log_name);
    log_init(&f->log, open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600), LOG_LEVEL_WARN);
}

static int set_up(void **state)
{
    static struct fixture f;
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    scratch_create(f.folder);
    scratch_path(f.database, f.folder, "library.db");
    scratch_path(f.track, f.folder, "track.wav");
    scratch_path(f.sidecar, f.folder, "track.wav.25d");
    open_log(&f);
    FILE *file = fopen(f.track, "w");
    if (!file || fputs("the bytes of a track", file) == EOF || fclose(file) == EOF)
        return -1;
    f.record = sample_record(1);
    *state = &f;
    return 0;
}

// Remove all but the track.
static void start_over(struct fixture *f)
{
    DIR *dir = opendir(f->folder);
    assert_non_null(dir);
    close(f->log.fd);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, "track.wav") != 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0); // "." and ".." are none
    closedir(dir);
    open_log(f);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    failing_heap_arm(SIZE_MAX);
    close(f->log.fd);
    record_unref(&f->record);
    scratch_remove(f->folder);
    return 0;
}

static int has_warned(const struct fixture *f)
{
    return lseek(f->log.fd, 0, SEEK_END) > 0;
}

static void assert_none_put_aside(const struct fixture *f)
{
    DIR *dir = opendir(f->folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        assert_null(strstr(entry->d_name, "corrupt"));
    closedir(dir);
}

// Run `scenario` once for each of its allocations, or for every `stride`th, which fails; with FAILS_FROM_THERE all
// after it do, too.
static void sweep(struct fixture *f, enum failing_heap_kind kind,
                  void (*scenario)(struct fixture *f), void (*check)(struct fixture *f),
                  unsigned stride)
{
    unsigned failures = 0;
    if (getenv("SEGUE_EVERY_FAILURE"))
        stride = 1;
    for (;; failures += stride) {
        start_over(f);
        failing_heap_arm_for(failures, kind);
        scenario(f);
        const int has_failed = failing_heap_has_failed();
        failing_heap_arm(SIZE_MAX);
        check(f);
        if (!has_failed)
            break;
    }
    print_message("%u allocations\n", failures);
    assert_true(failures >= LEAST_ALLOCATIONS);
}

// --- the store

static struct store_track row_of(const struct fixture *f)
{
    struct store_track track = {.path = "/music/a.flac", .identity = {1, 2, 3, 4, 5}};
    library_columns_from_record(&track, track_record_of(f->record));
    return track;
}

static struct store_targets targets_of(const struct fixture *f, char target[LIBRARY_TARGET_BYTES])
{
    const struct mastering_settings settings = mastering_settings_default();
    struct store_targets targets;
    library_columns_settings(&targets.settings, target, &settings);
    library_columns_from_targets(&targets, &track_record_of(f->record)->targets);
    return targets;
}

static int committed;

static int write_row(struct fixture *f, struct store *store)
{
    char target[LIBRARY_TARGET_BYTES];
    struct store_track track = row_of(f);
    const struct store_targets targets = targets_of(f, target);
    int error = store_begin(store, STORE_DURABLE);
    if (error)
        return error;
    error = store_save(store, &track, &targets, NULL, STORE_SAVED_ALL);
    if (error)
        store_rollback(store);
    else
        error = store_commit(store);
    store_checkpoint(store, STORE_CHECKPOINT_NOW);
    return error;
}

static int count_row(void *context, const struct store_track *track, int error)
{
    (void)track;
    *(int *)context += !error;
    return 0;
}

static int read_row(struct fixture *f)
{
    char target[LIBRARY_TARGET_BYTES];
    struct store *store = NULL;
    struct store_track track = {0};
    struct store_stats stats;
    struct record *record = NULL;
    int rows = 0, error = store_open_reader(&store, f->database);
    if (!error)
        error = store_find_by_path(store, "/music/a.flac", &track);
    if (!error) {
        struct store_targets targets = targets_of(f, target);
        error = store_find_targets(store, &track, &targets);
        if (!error)
            error = library_columns_to_record(&record, &track, &targets);
        failing_heap_pause();
        if (!error)
            sample_record_assert_equal(record, f->record);
        failing_heap_resume();
    }
    record_unref(&record);
    store_track_deinit(&track);
    if (!error)
        error = store_stats(store, &stats);
    if (!error)
        error = store_for_each_track(store, count_row, &rows);
    store_close(&store);
    return error;
}

static void write_and_read_store(struct fixture *f)
{
    struct store *store = NULL;
    const int lock = store_lock_try(f->database);
    assert_true(lock >= 0);
    int error = store_open_writer(&store, f->database);
    committed = 0;
    if (!error) {
        error = write_row(f, store);
        committed = !error;
    }
    store_close(&store);
    store_lock_release(lock);
    assert_true(error == 0 || error == -ENOMEM);
    error = committed ? read_row(f) : 0;
    assert_true(error == 0 || error == -ENOMEM);
}

static void no_complaint(void *context, const char *complaint)
{
    (void)context;
    fail_msg("%s", complaint);
}

static void check_store(struct fixture *f)
{
    struct store *store;
    const int inspected = store_schema_inspect(f->database);
    assert_true(inspected == 0 || (inspected == -ENOENT && !committed));
    assert_int_equal(store_open_writer(&store, f->database), 0);
    assert_int_equal(store_check_integrity(store, no_complaint, NULL), 0);
    store_close(&store);
    if (committed)
        assert_int_equal(read_row(f), 0);
}

static void store_survives_each_failure(void **state)
{
    sweep(*state, FAILS_ONCE, write_and_read_store, check_store, STORE_STRIDE);
}

static void store_survives_the_end_of_memory(void **state)
{
    sweep(*state, FAILS_FROM_THERE, write_and_read_store, check_store, STORE_STRIDE);
}

// --- documents and sidecars

static struct library_document document_of(struct fixture *f)
{
    struct library_document document = {.path = f->track,
                                        .identity = {1, 2, 3, 4, 5},
                                        .record = f->record,
                                        .has_targets = true,
                                        .settings = mastering_settings_default()};
    return document;
}

static void write_and_read_sidecar(struct fixture *f)
{
    struct library_document document = document_of(f), read;
    char *text = library_document_print(&document), *path = sidecar_path(f->track);
    size_t bytes = 0;
    int error = text && path ? 0 : -ENOMEM;
    if (!error)
        error = sidecar_write(path, text, strlen(text));
    free(text);
    text = NULL;
    if (!error)
        error = sidecar_read(path, &text, &bytes);
    if (!error)
        error = library_document_read(&read, text, bytes);
    if (!error) {
        failing_heap_pause();
        sample_record_assert_equal(read.record, f->record);
        failing_heap_resume();
        library_document_deinit(&read);
    }
    free(text);
    free(path);
    failing_heap_pause();
    // A string that Jansson has no memory for it calls a bad token: as good as damaged, then.
    assert_true(error == 0 || error == -ENOMEM || error == -EBADMSG);
}

static void check_sidecar(struct fixture *f)
{
    char *text;
    size_t bytes;
    struct library_document read;
    const int error = sidecar_read(f->sidecar, &text, &bytes);
    assert_true(error == 0 || error == -ENOENT);
    if (error)
        return;
    assert_int_equal(library_document_read(&read, text, bytes), 0);
    library_document_deinit(&read);
    free(text);
}

static void sidecar_survives_each_failure(void **state)
{
    sweep(*state, FAILS_ONCE, write_and_read_sidecar, check_sidecar, SIDECAR_STRIDE);
}

static void sidecar_survives_the_end_of_memory(void **state)
{
    sweep(*state, FAILS_FROM_THERE, write_and_read_sidecar, check_sidecar, SIDECAR_STRIDE);
}

// --- export and import

static void export_and_import(struct fixture *f)
{
    char path[SCRATCH_PATH_BYTES];
    struct store *store = NULL;
    struct library_transfer transfer;
    scratch_path(path, f->folder, "lines");
    failing_heap_pause();
    FILE *lines = fopen(path, "w+");
    assert_non_null(lines);
    failing_heap_resume();
    int error = store_open_writer(&store, f->database);
    if (!error)
        error = write_row(f, store);
    if (!error)
        error = library_transfer_export(store, lines, &f->log, &transfer);
    store_close(&store);
    if (!error) {
        rewind(lines);
        error = library_transfer_import(f->database, lines, "lines", &f->log, &transfer);
    }
    failing_heap_pause();
    if (!error)
        assert_int_equal(transfer.taken + transfer.bad, 1);
    fclose(lines);
    committed = 0;
    assert_true(error == 0 || error == -ENOMEM);
}

static void transfer_survives_each_failure(void **state)
{
    sweep(*state, FAILS_ONCE, export_and_import, check_store, STORE_STRIDE);
}

// --- the library and its threads

static int look_up(struct library *library, struct library_lookup *lookup)
{
    const int error = file_identity_read(&lookup->identity, lookup->path);
    if (error)
        return error;
    library_look_up(library, lookup);
    while (!library_reap(library)) {
        struct pollfd event = {.fd = library_event_fd(library), .events = POLLIN};
        assert_int_equal(poll(&event, 1, 60000), 1);
    }
    return 0;
}

static struct library_config config_of(struct fixture *f)
{
    return (struct library_config){.database = f->database,
                                   .settings = mastering_settings_default(),
                                   .sidecars = LIBRARY_SIDECARS_WRITE,
                                   .log = &f->log};
}

static void save_in_library(struct fixture *f)
{
    const struct library_config config = config_of(f);
    struct library *library;
    struct library_lookup lookup = {.path = f->track};
    const int error = library_create(&library, &config);
    committed = 0;
    if (error) {
        assert_true(error == -ENOMEM || error == -EAGAIN);
        return;
    }
    assert_int_equal(look_up(library, &lookup), 0);
    assert_int_equal(lookup.outcome, LIBRARY_MISS);
    library_save(library, &lookup, f->record);
    library_lookup_deinit(&lookup);
    library_flush(library);
    library_destroy(&library);
    committed = 1;
}

// What was said to be saved is there, and nothing else than what was saved.
static void check_library(struct fixture *f)
{
    const struct library_config config = config_of(f);
    const int is_saved = committed && !has_warned(f);
    struct library *library;
    struct library_lookup lookup = {.path = f->track};
    assert_none_put_aside(f);
    assert_int_equal(library_create(&library, &config), 0);
    assert_int_equal(look_up(library, &lookup), 0);
    if (is_saved)
        assert_int_equal(lookup.outcome, LIBRARY_RECORD);
    if (lookup.record)
        sample_record_assert_equal(lookup.record, f->record);
    library_lookup_deinit(&lookup);
    library_destroy(&library);
    assert_none_put_aside(f);
}

static void library_without_a_warning_has_saved_whatever_failed(void **state)
{
    sweep(*state, FAILS_ONCE, save_in_library, check_library, LIBRARY_STRIDE);
}

static void library_survives_the_end_of_memory(void **state)
{
    sweep(*state, FAILS_FROM_THERE, save_in_library, check_library, LIBRARY_STRIDE);
}

static void find_in_library(struct fixture *f)
{
    failing_heap_pause();
    save_in_library(f);
    failing_heap_resume();
    const struct library_config config = config_of(f);
    struct library *library;
    struct library_lookup lookup = {.path = f->track};
    if (library_create(&library, &config))
        return;
    assert_int_equal(look_up(library, &lookup), 0);
    if (lookup.record) {
        failing_heap_pause();
        sample_record_assert_equal(lookup.record, f->record);
        failing_heap_resume();
    }
    library_lookup_deinit(&lookup);
    library_destroy(&library);
}

static void check_found(struct fixture *f)
{
    const struct library_config config = config_of(f);
    struct library *library;
    struct library_lookup lookup = {.path = f->track};
    assert_none_put_aside(f);
    assert_int_equal(library_create(&library, &config), 0);
    assert_int_equal(look_up(library, &lookup), 0);
    assert_int_equal(lookup.outcome, LIBRARY_RECORD);
    sample_record_assert_equal(lookup.record, f->record);
    library_lookup_deinit(&lookup);
    library_destroy(&library);
}

static void look_up_survives_each_failure_and_harms_nothing(void **state)
{
    sweep(*state, FAILS_ONCE, find_in_library, check_found, LIBRARY_STRIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(store_survives_each_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(store_survives_the_end_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sidecar_survives_each_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sidecar_survives_the_end_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(transfer_survives_each_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(library_without_a_warning_has_saved_whatever_failed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(library_survives_the_end_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(look_up_survives_each_failure_and_harms_nothing, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, set_up_heap, NULL);
}
