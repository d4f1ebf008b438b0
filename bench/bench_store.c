// SPDX-License-Identifier: MIT
// Look-ups in the library's database beside a bare loop over the same prepared statement, and batches beside
// single-row commits.
#include "bench.h"
#include "io/store.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROWS = 1000000,
    MOST_ROWS = 10000000,
    LOOKUPS = 20000,
    REPETITIONS = 7,
    BATCH_ROWS = 64,
    COMMITS = 512,
    BLOB_BYTES = 400,
    PATH_BYTES = 64,
};

struct library {
    char folder[64], path[96];
    int lock;
    struct store *store;
    sqlite3 *bare; // the peer's own connection
    sqlite3_stmt *statement;
    unsigned long rows;
    char (*wanted)[PATH_BYTES];
};

static void print_path(char path[PATH_BYTES], uint64_t number)
{
    snprintf(path, PATH_BYTES, "/music/%06u/track %u.flac", (unsigned)(number / 16),
             (unsigned)number); // under 2^32 rows
}

static int save_row(struct store *store, uint64_t number)
{
    static unsigned char blob[BLOB_BYTES];
    char path[PATH_BYTES];
    print_path(path, number);
    struct store_track track = {.path = path,
                                .identity = {1, number, 30000000, 1, 1},
                                .algorithm_version = 1,
                                .created_s = 1,
                                .cost_ns = 1};
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i) {
        struct store_value *value = &track.values[i];
        if (store_analysis_columns[i].type == STORE_REAL) {
            value->real = (double)i / 7.0 + (double)number;
        } else if (store_analysis_columns[i].type == STORE_INTEGER) {
            value->integer = (int64_t)i;
        } else {
            value->bytes.data = blob;
            value->bytes.count = store_analysis_columns[i].type == STORE_TEXT ? 4 : BLOB_BYTES / 3;
        }
    }
    return store_save(store, &track, NULL, NULL, STORE_SAVED_ALL);
}

// @return 0 or -errno, with `count` rows from `from` on committed `batch` at a time.
static int save_rows(struct library *l, uint64_t from, uint64_t count, uint64_t batch,
                     enum store_durability durability)
{
    int error = 0;
    for (uint64_t i = 0; i < count && !error; i += batch) {
        error = store_begin(l->store, durability);
        for (uint64_t j = i; j < i + batch && j < count && !error; ++j)
            error = save_row(l->store, from + j);
        if (!error)
            error = store_commit(l->store);
        store_checkpoint(l->store, STORE_CHECKPOINT_IF_LONG);
    }
    return error;
}

static int open_bare(struct library *l)
{
    char *sql = store_track_select_sql("WHERE path=?1");
    int code = sqlite3_open_v2(l->path, &l->bare, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(l->bare, "PRAGMA cache_size=-16384", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(l->bare, sql, -1, &l->statement, NULL);
    sqlite3_free(sql);
    return store_error(l->bare, code);
}

// One row, all its columns, as a loop that knows nothing better would read them.
static uint64_t look_up_bare(struct library *l, const char *path)
{
    uint64_t sum = 0;
    sqlite3_bind_blob(l->statement, 1, path, (int)strlen(path), SQLITE_STATIC);
    if (sqlite3_step(l->statement) == SQLITE_ROW) {
        const int columns = sqlite3_column_count(l->statement);
        for (int i = 0; i < columns; ++i) {
            switch (sqlite3_column_type(l->statement, i)) {
            case SQLITE_FLOAT:
                sum += (uint64_t)sqlite3_column_double(l->statement, i);
                break;
            case SQLITE_INTEGER:
                sum += (uint64_t)sqlite3_column_int64(l->statement, i);
                break;
            default:
                sum += ((const unsigned char *)sqlite3_column_blob(l->statement, i))[0];
                break;
            }
        }
    }
    sqlite3_reset(l->statement);
    return sum;
}

static uint64_t look_up_segue(struct library *l, const char *path)
{
    struct store_track track;
    if (store_find_by_path(l->store, path, &track))
        return 0;
    const uint64_t sum = track.identity.inode;
    store_track_deinit(&track);
    return sum;
}

static double lookups_per_s(struct library *l, uint64_t (*look_up)(struct library *, const char *))
{
    static volatile uint64_t sink;
    const int64_t begun_ns = bench_cpu_ns();
    for (unsigned i = 0; i < LOOKUPS; ++i)
        sink = sink + look_up(l, l->wanted[i]);
    return LOOKUPS * 1e9 / (double)(bench_cpu_ns() - begun_ns);
}

static int choose_wanted(struct library *l)
{
    uint64_t seed = 1;
    l->wanted = calloc(LOOKUPS, sizeof(*l->wanted));
    if (!l->wanted)
        return -ENOMEM;
    for (unsigned i = 0; i < LOOKUPS; ++i)
        print_path(l->wanted[i], bench_random(&seed) % l->rows);
    return 0;
}

static int measure_open(struct library *l)
{
    store_close(&l->store);
    const int64_t begun_ns = bench_wall_ns();
    const int error = store_open_reader(&l->store, l->path);
    if (error)
        return error;
    const uint64_t found = look_up_segue(l, l->wanted[0]);
    printf("store-open rows=%lu open_and_first_ms=%.3f found=%d\n", l->rows,
           (double)(bench_wall_ns() - begun_ns) / 1e6, found != 0 || l->rows == 1);
    return 0;
}

static int measure_lookups(struct library *l)
{
    double bare[REPETITIONS], segue[REPETITIONS];
    int error = open_bare(l);
    if (error)
        return error;
    (void)lookups_per_s(l, look_up_bare); // warm-up
    (void)lookups_per_s(l, look_up_segue);
    for (unsigned i = 0; i < REPETITIONS; ++i) {
        bare[i] = lookups_per_s(l, look_up_bare);
        segue[i] = lookups_per_s(l, look_up_segue);
    }
    const double b = bench_median(bare, REPETITIONS), s = bench_median(segue, REPETITIONS);
    printf("store-lookup rows=%lu bare_per_s=%.0f segue_per_s=%.0f spread=%.0f..%.0f "
           "segue/bare=%.3f\n",
           l->rows, b, s, segue[0], segue[REPETITIONS - 1], s / b);
    return 0;
}

static int measure_commits(struct library *l)
{
    int64_t begun_ns = bench_wall_ns();
    int error = save_rows(l, l->rows, COMMITS, 1, STORE_DURABLE);
    const double single = COMMITS * 1e9 / (double)(bench_wall_ns() - begun_ns);
    begun_ns = bench_wall_ns();
    if (!error)
        error = save_rows(l, l->rows + COMMITS, (uint64_t)COMMITS * BATCH_ROWS, BATCH_ROWS,
                          STORE_CONSISTENT);
    const double batched =
        (double)COMMITS * BATCH_ROWS * 1e9 / (double)(bench_wall_ns() - begun_ns);
    printf("store-write single_durable_per_s=%.0f batches_of_%d_per_s=%.0f batched/single=%.1f\n",
           single, BATCH_ROWS, batched, batched / single);
    return error;
}

static int fill(struct library *l)
{
    enum { FILL_BATCH = 10000 };
    const char *base = getenv("TMPDIR");
    snprintf(l->folder, sizeof(l->folder), "%s/segue-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(l->folder))
        return -errno;
    snprintf(l->path, sizeof(l->path), "%s/library.db", l->folder);
    l->lock = store_lock_try(l->path);
    if (l->lock < 0)
        return l->lock;
    const int64_t begun_ns = bench_wall_ns();
    int error = store_open_writer(&l->store, l->path);
    if (!error)
        error = save_rows(l, 0, l->rows, FILL_BATCH, STORE_CONSISTENT);
    if (!error)
        printf("store-fill rows=%lu rows_per_s=%.0f\n", l->rows,
               (double)l->rows * 1e9 / (double)(bench_wall_ns() - begun_ns));
    return error;
}

static void close_library(struct library *l)
{
    static const char *const names[] = {"library.db", "library.db-wal", "library.db-shm",
                                        "library.db.lock"};
    char path[128];
    sqlite3_finalize(l->statement);
    sqlite3_close(l->bare);
    store_close(&l->store);
    if (l->lock >= 0)
        store_lock_release(l->lock);
    for (unsigned i = 0; i < 4; ++i) {
        snprintf(path, sizeof(path), "%s/%s", l->folder, names[i]);
        (void)unlink(path); // not all need be there
    }
    (void)rmdir(l->folder);
    free(l->wanted);
}

int bench_store(int argc, char **argv)
{
    struct library l = {.rows = argc == 2 ? bench_number(argv[1], MOST_ROWS) : ROWS, .lock = -1};
    if (argc > 2 || !l.rows) {
        fprintf(stderr, "usage: segue-bench store [ROWS]\n");
        return 2;
    }
    int error = fill(&l);
    if (!error)
        error = measure_commits(&l);
    if (!error)
        error = choose_wanted(&l);
    if (!error)
        error = measure_open(&l);
    if (!error)
        error = measure_lookups(&l);
    close_library(&l);
    if (error)
        fprintf(stderr, "segue-bench: %s\n", store_error_text(error));
    return error != 0;
}
