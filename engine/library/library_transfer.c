// SPDX-License-Identifier: MIT
#include "engine/library/library_transfer.h"
#include "engine/library/library_columns.h"
#include "engine/library/library_document.h"
#include "io/store/sidecar.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH_LINES = 256, LINE_BYTES = SIDECAR_MAX_BYTES };
static const int64_t lock_wait_ns = 10000000000;

// Why a stream failed just now.
static int stream_error(void)
{
    return errno ? -errno : -EIO;
}

// --- export

struct exporter {
    struct store *store;
    FILE *out;
    struct log *log;
    struct library_transfer *transfer;
    bool has_targets; // of the track under way
};

static void name_bad_row(struct exporter *x, const char *path)
{
    log_write(x->log, LOG_LEVEL_ERROR, path ? path : "a row", "its record is damaged");
    ++x->transfer->bad;
}

static int print_track(struct exporter *x, const struct store_track *track,
                       const struct store_targets *targets)
{
    struct library_document document = {.path = (char *)track->path,
                                        .identity = track->identity,
                                        .is_fresh = track->is_fresh,
                                        .checksum = track->checksum,
                                        .has_targets = targets != NULL};
    int error = library_columns_to_record(&document.record, track, targets);
    if (!error && targets)
        error = library_columns_settings_read(&document.settings, &targets->settings);
    if (error == -EBADMSG) {
        record_unref(&document.record);
        name_bad_row(x, track->path);
        return 0;
    }
    char *line = error ? NULL : library_document_print(&document);
    record_unref(&document.record);
    if (!line)
        return -ENOMEM;
    error = fputs(line, x->out) == EOF ? stream_error() : 0;
    free(line);
    ++x->transfer->taken;
    return error;
}

static int export_targets(void *context, const struct store_track *track,
                          const struct store_targets *targets, int error)
{
    struct exporter *x = context;
    if (error) {
        name_bad_row(x, track->path);
        return 0;
    }
    x->has_targets = true;
    return print_track(x, track, targets);
}

static int export_track(void *context, const struct store_track *track, int error)
{
    struct exporter *x = context;
    if (error) {
        name_bad_row(x, NULL);
        return 0;
    }
    x->has_targets = false;
    const int result = store_for_each_targets(x->store, track, export_targets, x);
    return result || x->has_targets ? result : print_track(x, track, NULL);
}

int library_transfer_export(struct store *store, FILE *out, struct log *log,
                            struct library_transfer *transfer)
{
    struct exporter x = {.store = store, .out = out, .log = log, .transfer = transfer};
    *transfer = (struct library_transfer){0};
    const int error = store_for_each_track(store, export_track, &x);
    return !error && fflush(out) == EOF ? stream_error() : error;
}

// --- import

// A line on its way into the database.
struct import_item {
    struct library_document document;
    bool is_known; // what stands under its path is as good or better
};

struct importer {
    const char *database;
    FILE *in;
    const char *name; // of `in`, in the log
    struct log *log;
    struct library_transfer *transfer;
    char *line; // LINE_BYTES
    uint64_t lines;
    unsigned count;
    struct import_item items[BATCH_LINES];
};

static int save_document(struct store *store, struct import_item *item)
{
    const struct library_document *document = &item->document;
    const struct track_record *record = track_record_of(document->record);
    struct store_track track = {.path = document->path,
                                .identity = document->identity,
                                .is_fresh = document->is_fresh,
                                .checksum = document->checksum,
                                .created_s = time(NULL)};
    struct store_targets targets;
    char target[LIBRARY_TARGET_BYTES];
    library_columns_from_record(&track, record);
    library_columns_settings(&targets.settings, target, &document->settings);
    library_columns_from_targets(&targets, &record->targets);
    const int error = store_save(store, &track, document->has_targets ? &targets : NULL, NULL,
                                 STORE_SAVED_MISSING);
    item->is_known = error == -EEXIST;
    return item->is_known ? 0 : error;
}

// One line with its newline into x->line; what is longer is cut, and so bad. @return its bytes, 0 at the end.
static size_t read_line(struct importer *x)
{
    size_t bytes = 0;
    int c;
    while ((c = getc_unlocked(x->in)) != EOF) {
        if (bytes < LINE_BYTES)
            x->line[bytes++] = (char)c;
        if (c == '\n')
            break;
    }
    return bytes;
}

// Fill the batch. @return 0; -ENODATA: that was the last; -ENOMEM, or why nothing can be read.
static int read_batch(struct importer *x)
{
    size_t total = 0;
    while (x->count < BATCH_LINES && total < LINE_BYTES) {
        const size_t bytes = read_line(x);
        if (bytes == 0)
            return ferror(x->in) ? stream_error() : -ENODATA;
        total += bytes;
        ++x->lines;
        const int error = library_document_read(&x->items[x->count].document, x->line, bytes);
        if (error == -ENOMEM)
            return error;
        x->count += !error;
        x->transfer->bad += error != 0;
        if (error)
            log_write(x->log, LOG_LEVEL_ERROR, x->name, "line %llu is %s",
                      (unsigned long long)x->lines,
                      error == -EOVERFLOW ? "of a newer version" : "damaged");
    }
    return 0;
}

static int write_batch(struct importer *x, struct store *store)
{
    int error = store_begin(store, STORE_DURABLE);
    if (error)
        return error;
    for (unsigned i = 0; i < x->count && !error; ++i)
        error = save_document(store, &x->items[i]);
    if (error)
        store_rollback(store);
    else
        error = store_commit(store);
    if (!error)
        store_checkpoint(store, STORE_CHECKPOINT_NOW);
    return error;
}

static int write_locked(struct importer *x)
{
    struct store *store;
    int error = store_open_writer(&store, x->database);
    if (!error)
        error = write_batch(x, store);
    store_close(&store);
    return error;
}

// The lock is held for this alone, not while lines are read: they may be long in coming.
static int save_batch(struct importer *x)
{
    int lock = store_lock_wait(x->database, lock_wait_ns);
    if (lock < 0)
        return lock;
    int error = write_locked(x);
    if (error == -EBADMSG) {
        log_write(x->log, LOG_LEVEL_WARN, x->database, "%s", store_error_text(error));
        uint64_t kept;
        error = store_mend(x->database, &lock, &kept);
        if (!error)
            error = write_locked(x);
    }
    if (lock >= 0)
        store_lock_release(lock);
    return error;
}

static void end_batch(struct importer *x, int error)
{
    for (unsigned i = 0; i < x->count; ++i) {
        x->transfer->known += !error && x->items[i].is_known;
        x->transfer->taken += !error && !x->items[i].is_known;
        library_document_deinit(&x->items[i].document);
    }
    x->count = 0;
}

static int import_all(struct importer *x)
{
    int error = 0;
    while (!error) {
        const int end = read_batch(x);
        // What was read before the input failed is sound.
        error = x->count && end != -ENOMEM ? save_batch(x) : 0;
        end_batch(x, error);
        error = error ? error : end;
    }
    return error == -ENODATA ? 0 : error;
}

int library_transfer_import(const char *database, FILE *in, const char *name, struct log *log,
                            struct library_transfer *transfer)
{
    *transfer = (struct library_transfer){0};
    struct importer *x = calloc(1, sizeof(*x));
    if (!x)
        return -ENOMEM;
    *x = (struct importer){
        .database = database, .in = in, .name = name, .log = log, .transfer = transfer};
    x->line = malloc(LINE_BYTES);
    const int error = x->line ? import_all(x) : -ENOMEM;
    free(x->line);
    free(x);
    return error;
}
