// SPDX-License-Identifier: MIT
// Any bytes as a file to import: each line is taken or named, and all rows that come of it are sound.
#include "engine/library/library_columns.h"
#include "engine/library/library_transfer.h"
#include "io/store/store.h"
#include "sealed.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[32], database[64];
static struct store *store; // open while rows are checked
static struct log silent;

static void demand(int holds)
{
    if (!holds)
        abort(); // which libFuzzer reports with the input
}

// One of the lines, chosen by the seed.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned seed)
{
    uint8_t *from = data, *const end = data + bytes, *newline;
    for (unsigned skip = seed / 16 % 4;
         skip && (newline = memchr(from, '\n', (size_t)(end - from))); --skip)
        if (newline + 1 < end)
            from = newline + 1;
    newline = memchr(from, '\n', (size_t)(end - from));
    const size_t line = newline ? (size_t)(newline + 1 - from) : (size_t)(end - from);
    const size_t behind = (size_t)(end - from) - line;
    uint8_t *rest = malloc(behind + 1);
    demand(rest != NULL);
    memcpy(rest, from + line, behind);
    const size_t room = most - (size_t)(from - data) - behind;
    const size_t mutated = sealed_mutate(from, line, room, seed);
    memcpy(from + mutated, rest, behind);
    free(rest);
    return (size_t)(from - data) + mutated + behind;
}

static void remove_all(void)
{
    static const char *const names[] = {"library.db", "library.db-wal", "library.db-shm",
                                        "library.db.lock", ""};
    char path[64];
    for (unsigned i = 0; i < 5; ++i) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)remove(path); // not all need be there
    }
}

static void make_folder(void)
{
    log_init(&silent, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR);
    snprintf(folder, sizeof(folder), "%s/segue-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    demand(mkdtemp(folder) != NULL);
    snprintf(database, sizeof(database), "%s/library.db", folder);
    demand(atexit(remove_all) == 0);
}

static int count_targets(void *context, const struct store_track *track,
                         const struct store_targets *targets, int error)
{
    struct record *record = NULL;
    struct mastering_settings settings;
    demand(error == 0);
    demand(library_columns_to_record(&record, track, targets) == 0);
    demand(library_columns_settings_read(&settings, &targets->settings) == 0);
    record_unref(&record);
    ++*(unsigned *)context;
    return 0;
}

static int check_track(void *context, const struct store_track *track, int error)
{
    struct record *record = NULL;
    demand(error == 0);
    demand(library_columns_to_record(&record, track, NULL) == 0);
    record_unref(&record);
    return store_for_each_targets(store, track, count_targets, context);
}

static uint64_t lines_of(const uint8_t *data, size_t bytes)
{
    uint64_t lines = bytes && data[bytes - 1] != '\n';
    for (size_t i = 0; i < bytes; ++i)
        lines += data[i] == '\n';
    return lines;
}

// All rows that came of an import, which are then cleared.
static void check_rows(const struct library_transfer *transfer)
{
    struct store_stats stats;
    unsigned targets = 0;
    int64_t cleared;
    demand(store_open_writer(&store, database) == 0);
    demand(store_for_each_track(store, check_track, &targets) == 0);
    demand(store_stats(store, &stats) == 0);
    demand((uint64_t)stats.entries <= transfer->taken && targets <= transfer->taken);
    demand(store_begin(store, STORE_CONSISTENT) == 0);
    demand(store_clear(store, NULL, &cleared) == 0 && cleared == stats.entries);
    demand(store_commit(store) == 0);
    store_checkpoint(store, STORE_CHECKPOINT_NOW);
    store_close(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct library_transfer transfer;
    if (!folder[0])
        make_folder();
    FILE *in = bytes ? fmemopen((void *)data, bytes, "r") : NULL;
    if (!in)
        return 0;
    demand(library_transfer_import(database, in, "fuzz", &silent, &transfer) == 0);
    fclose(in);
    demand(transfer.taken + transfer.known + transfer.bad == lines_of(data, bytes));
    if (transfer.taken)
        check_rows(&transfer);
    return 0;
}
