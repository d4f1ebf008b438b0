// SPDX-License-Identifier: MIT
#include "engine/library_transfer.h"
#include "engine/library_columns.h"
#include "engine/library_document.h"
#include "io/sidecar.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH_LINES = 512, LINE_BYTES = SIDECAR_MAX_BYTES };

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
    error = fputs(line, x->out) == EOF ? -EIO : 0;
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
    return !error && fflush(out) == EOF ? -EIO : error;
}

// --- import

// Is there something of this path that stands? *what: how much of the line is to be saved.
static int weigh(struct store *store, const struct library_document *document,
                 const struct store_track *track, enum store_saved *what, bool *stands)
{
    struct store_track known;
    *what = STORE_SAVED_ALL;
    *stands = false;
    const int error = store_find_by_path(store, document->path, &known);
    if (error)
        return error == -ENOENT ? 0 : error;
    const bool is_same = known.algorithm_version == track->algorithm_version &&
                         memcmp(&known.checksum, &document->checksum, sizeof(known.checksum)) == 0;
    *stands = !is_same && known.algorithm_version >= track->algorithm_version;
    if (is_same)
        *what = STORE_SAVED_TARGETS;
    store_track_deinit(&known);
    return 0;
}

static int save_document(struct store *store, const struct library_document *document)
{
    const struct track_record *record = track_record_of(document->record);
    struct store_track track = {.path = document->path,
                                .identity = document->identity,
                                .is_fresh = document->is_fresh,
                                .checksum = document->checksum,
                                .created_s = time(NULL)};
    struct store_targets targets;
    char target[LIBRARY_TARGET_BYTES];
    enum store_saved what;
    bool stands;
    library_columns_from_record(&track, record);
    int error = weigh(store, document, &track, &what, &stands);
    if (error || stands)
        return error;
    library_columns_settings(&targets.settings, target, &document->settings);
    library_columns_from_targets(&targets, &record->targets);
    return store_save(store, &track, document->has_targets ? &targets : NULL, NULL, what);
}

// One line with its newline into `line`, of LINE_BYTES; what is longer is cut, and so bad. @return its bytes, 0 at
// the end.
static size_t read_line(FILE *in, char *line)
{
    size_t bytes = 0;
    int c;
    while ((c = getc_unlocked(in)) != EOF) {
        if (bytes < LINE_BYTES)
            line[bytes++] = (char)c;
        if (c == '\n')
            break;
    }
    return bytes;
}

static int import_batch(struct store *store, FILE *in, char *line, const char *name,
                        struct log *log, struct library_transfer *transfer)
{
    for (unsigned i = 0; i < BATCH_LINES; ++i) {
        const size_t bytes = read_line(in, line);
        if (bytes == 0)
            return ferror(in) ? -EIO : -ENODATA;
        struct library_document document;
        int error = library_document_read(&document, line, bytes);
        if (error == -ENOMEM)
            return error;
        if (error) {
            ++transfer->bad;
            log_write(log, LOG_LEVEL_ERROR, name, "line %llu is %s",
                      (unsigned long long)(transfer->taken + transfer->bad),
                      error == -EOVERFLOW ? "of a newer version" : "damaged");
            continue;
        }
        error = save_document(store, &document);
        library_document_deinit(&document);
        if (error)
            return error;
        ++transfer->taken;
    }
    return 0;
}

int library_transfer_import(struct store *store, FILE *in, const char *name, struct log *log,
                            struct library_transfer *transfer)
{
    *transfer = (struct library_transfer){0};
    char *line = malloc(LINE_BYTES);
    int error = line ? 0 : -ENOMEM;
    while (!error) {
        error = store_begin(store, STORE_DURABLE);
        if (error)
            break;
        error = import_batch(store, in, line, name, log, transfer);
        if (error && error != -ENODATA) {
            store_rollback(store);
            break;
        }
        const int committed = store_commit(store);
        store_checkpoint(store, STORE_CHECKPOINT_IF_LONG);
        error = committed ? committed : error;
    }
    free(line);
    return error == -ENODATA ? 0 : error;
}
