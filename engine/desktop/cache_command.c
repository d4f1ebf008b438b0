// SPDX-License-Identifier: MIT
#include "engine/desktop/cache_stats.h"
#include "engine/desktop/commands.h"
#include "engine/escape.h"
#include "engine/library/library_columns.h"
#include "engine/library/library_path.h"
#include "engine/library/library_transfer.h"
#include "engine/library/track_record.h"
#include "io/store/store.h"
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t lock_wait_ns = 10000000000;

struct cache_job {
    const struct options *options;
    struct log *log;
    char *database; // its path
    struct store *store;
    int lock;                // of a writer; -1: none
    bool failed, is_damaged; // something was found wrong; the file itself was
};

static enum exit_status fail(struct cache_job *job, int error)
{
    log_write(job->log, LOG_LEVEL_ERROR, job->database ? job->database : "library.db", "%s",
              store_error_text(error));
    return EXIT_SOMETHING_FAILED;
}

// --- connections. @return 0; -ENOENT: there is no database; else why it cannot be used

static int open_for_reading(struct cache_job *job)
{
    const int error = store_schema_inspect(job->database);
    return error ? error : store_open_reader(&job->store, job->database);
}

// @return also -EBADMSG, then with the lock: it can be mended or replaced.
static int open_for_writing(struct cache_job *job)
{
    int error = store_schema_inspect(job->database);
    if (error && error != -EBADMSG)
        return error;
    job->lock = store_lock_wait(job->database, lock_wait_ns);
    if (job->lock < 0)
        return job->lock;
    return store_open_writer(&job->store, job->database);
}

// All that still reads goes into a new one.
static int mend(struct cache_job *job)
{
    uint64_t kept;
    store_close(&job->store);
    int error = store_mend(job->database, &job->lock, &kept);
    if (!error)
        error = store_open_writer(&job->store, job->database);
    if (!error)
        log_write(job->log, LOG_LEVEL_WARN, job->database,
                  "the database was corrupt: %" PRIu64 " entries still read, and are in a new one",
                  kept);
    return error;
}

// An empty one.
static int replace(struct cache_job *job)
{
    store_close(&job->store);
    const int error = store_put_aside(job->database);
    return error ? error : store_open_writer(&job->store, job->database);
}

static void close_store(struct cache_job *job)
{
    store_close(&job->store);
    if (job->lock >= 0)
        store_lock_release(job->lock);
    job->lock = -1;
}

// --- stats

static enum exit_status run_stats(struct cache_job *job)
{
    struct store_stats stats = {0};
    int error = open_for_reading(job);
    if (!error)
        error = store_stats(job->store, &stats);
    if (error && error != -ENOENT)
        return fail(job, error);
    if (options_has(job->options, OPTION_JSON))
        cache_stats_print_json(stdout, &stats);
    else
        cache_stats_print_text(stdout, &stats);
    return EXIT_DONE;
}

// --- clear

static int clear_paths(struct cache_job *job, int64_t *cleared)
{
    const struct options *o = job->options;
    int64_t count;
    if (o->path_count == 0)
        return store_clear(job->store, NULL, cleared);
    int error = 0;
    for (size_t i = 0; i < o->path_count && !error; ++i) {
        char *path = library_path_absolute(o->paths[i]);
        error = path ? store_clear(job->store, path, &count) : -ENOMEM;
        if (!error)
            *cleared += count;
        free(path);
    }
    return error;
}

static int clear(struct cache_job *job, int64_t *cleared)
{
    *cleared = 0;
    int error = store_begin(job->store, STORE_DURABLE);
    if (error)
        return error;
    error = clear_paths(job, cleared);
    if (error)
        store_rollback(job->store);
    else
        error = store_commit(job->store);
    store_checkpoint(job->store, STORE_CHECKPOINT_NOW);
    return error;
}

static enum exit_status run_clear(struct cache_job *job)
{
    const bool clears_all = job->options->path_count == 0;
    int64_t cleared = 0;
    int error = open_for_writing(job);
    if (!error)
        error = clear(job, &cleared);
    if (!error && clears_all)
        error = store_check(job->store); // what is empty is soon looked through
    if (error == -EBADMSG && clears_all)
        error = replace(job);
    else if (error == -EBADMSG && !(error = mend(job)))
        error = clear(job, &cleared);
    if (error && error != -ENOENT)
        return fail(job, error);
    printf("%" PRId64 " entries cleared\n", cleared);
    return EXIT_DONE;
}

// --- verify

static void complain(struct cache_job *job, const char *subject, const char *cause)
{
    log_write(job->log, LOG_LEVEL_ERROR, subject, "%s", cause);
    job->failed = true;
}

static void name_complaint(void *context, const char *complaint)
{
    struct cache_job *job = context;
    job->is_damaged = true;
    complain(job, job->database, complaint);
}

static int verify_targets(void *context, const struct store_track *track,
                          const struct store_targets *targets, int error)
{
    struct mastering_settings settings;
    if (error || library_columns_settings_read(&settings, &targets->settings))
        complain(context, track->path, "its targets are damaged");
    return 0;
}

static void verify_file(struct cache_job *job, const struct store_track *track)
{
    struct library_file file;
    struct track_checksum checksum;
    int error = library_path_identify(track->path, &file);
    if (!error)
        error = track_checksum_of_file(&checksum, track->path, &file.identity);
    if (error)
        complain(job, track->path, strerror(-error));
    else if (memcmp(&checksum, &track->checksum, sizeof(checksum)) != 0)
        complain(job, track->path, "the file is not the one that was analysed");
}

static int verify_track(void *context, const struct store_track *track, int error)
{
    struct cache_job *job = context;
    struct record *record = NULL;
    if (!error)
        error = library_columns_to_record(&record, track, NULL);
    record_unref(&record);
    if (error) {
        complain(job, track->path ? track->path : job->database, "a record is damaged");
        return error == -ENOMEM ? error : 0;
    }
    if (options_has(job->options, OPTION_FILES))
        verify_file(job, track);
    return store_for_each_targets(job->store, track, verify_targets, job);
}

static int verify(struct cache_job *job)
{
    int64_t orphans = 0;
    int error = store_check_integrity(job->store, name_complaint, job);
    if (!error)
        error = store_for_each_track(job->store, verify_track, job);
    if (!error)
        error = store_count_orphans(job->store, &orphans);
    if (orphans)
        complain(job, job->database, "there are targets of no track");
    return error;
}

static enum exit_status run_verify(struct cache_job *job)
{
    int error = open_for_reading(job);
    if (!error)
        error = verify(job);
    job->is_damaged |= error == -EBADMSG;
    if (error && error != -ENOENT)
        (void)fail(job, error);
    job->failed |= error && error != -ENOENT;
    if (job->is_damaged)
        log_write(job->log, LOG_LEVEL_ERROR, job->database,
                  "segue cache vacuum makes a new one of what still reads");
    return job->failed ? EXIT_SOMETHING_FAILED : EXIT_DONE;
}

// --- the rest

static enum exit_status run_vacuum(struct cache_job *job)
{
    int error = open_for_writing(job);
    if (!error)
        error = store_check(job->store);
    if (error == -EBADMSG)
        error = mend(job);
    if (!error)
        error = store_vacuum(job->store);
    return error && error != -ENOENT ? fail(job, error) : EXIT_DONE;
}

static enum exit_status fail_file(struct cache_job *job, const char *path, int error)
{
    log_write(job->log, LOG_LEVEL_ERROR, path, "%s", strerror(-error));
    return EXIT_SOMETHING_FAILED;
}

static enum exit_status run_export(struct cache_job *job)
{
    const char *path = job->options->paths[0];
    struct library_transfer transfer = {0};
    int error = open_for_reading(job);
    if (error && error != -ENOENT)
        return fail(job, error);
    const bool is_stdout = strcmp(path, "-") == 0;
    FILE *out = is_stdout ? stdout : fopen(path, "we");
    if (!out)
        return fail_file(job, path, -errno);
    if (!error)
        error = library_transfer_export(job->store, out, job->log, &transfer);
    else
        error = 0; // no database, no lines
    const bool is_output = ferror(out);
    const int closed = (is_stdout ? fflush(out) : fclose(out)) == EOF ? -errno : 0;
    if (is_output || (closed && !error))
        return fail_file(job, path, error ? error : closed);
    if (error)
        return fail(job, error);
    return transfer.bad ? EXIT_SOMETHING_FAILED : EXIT_DONE;
}

static enum exit_status run_import(struct cache_job *job)
{
    const char *path = job->options->paths[0];
    struct library_transfer transfer = {0};
    const bool is_stdin = strcmp(path, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(path, "re");
    if (!in)
        return fail_file(job, path, -errno);
    int error = store_schema_inspect(job->database);
    if (error == -ENOENT || error == -EBADMSG) // it is made, or mended
        error = 0;
    if (!error)
        error = library_transfer_import(job->database, in, path, job->log, &transfer);
    const bool is_input = ferror(in);
    if (!is_stdin)
        fclose(in);
    if (error)
        return is_input ? fail_file(job, path, error) : fail(job, error);
    printf("%" PRIu64 " lines taken\n", transfer.taken);
    if (transfer.known)
        printf("%" PRIu64 " lines left: what is known of their paths is as good\n", transfer.known);
    return transfer.bad ? EXIT_SOMETHING_FAILED : EXIT_DONE;
}

enum exit_status command_cache(const struct options *options, struct log *log)
{
    static enum exit_status (*const actions[CACHE_ACTIONS])(struct cache_job *) = {
        [CACHE_STATS] = run_stats,   [CACHE_CLEAR] = run_clear,   [CACHE_VERIFY] = run_verify,
        [CACHE_VACUUM] = run_vacuum, [CACHE_EXPORT] = run_export, [CACHE_IMPORT] = run_import,
    };
    struct cache_job job = {.options = options, .log = log, .lock = -1};
    const int error = library_path_database(&job.database);
    if (error) {
        log_write(log, LOG_LEVEL_ERROR, "library.db",
                  "neither HOME nor XDG_DATA_HOME says where it is");
        return EXIT_SOMETHING_FAILED;
    }
    const enum exit_status status = actions[options->action](&job);
    close_store(&job);
    free(job.database);
    return status;
}
