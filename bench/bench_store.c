// SPDX-License-Identifier: MIT
// Look-ups in the library's database beside a bare loop over the same prepared statement and beside LMDB, in a
// small library and a large one; batches beside single-row commits; the warm start of a track.
#include "bench.h"
#include "bench_warm.h"
#include "engine/library/library_columns.h"
#include "peer_lmdb.h"
#include "resources.h"
#include "sample_library.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SMALL_ROWS = 10000,
    ROWS = 1000000,
    MOST_ROWS = 10000000,
    LOOKUPS = 20000,
    REPETITIONS = 7,
    BATCH_ROWS = 64,
    FILL_BATCH = 10000,
    COMMITS = 512,
    LMDB_ROW_BYTES = 1024, // about what a row takes in the database
    LMDB_ROOM = 4,         // times that
};

struct bed {
    char folder[64], path[96], lmdb_path[96];
    int lock;
    struct sample_library sample;
    struct store *store;
    sqlite3 *bare; // the peer's own connection
    sqlite3_stmt *statement;
    struct peer_lmdb *lmdb; // NULL: absent
    unsigned long rows;
    char (*wanted)[SAMPLE_LIBRARY_PATH_BYTES];
};

// --- contenders

static int open_bare(struct bed *b)
{
    char *sql = store_track_select_sql("WHERE path=?1");
    int code = sqlite3_open_v2(b->path, &b->bare, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(b->bare, "PRAGMA cache_size=-16384", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(b->bare, sql, -1, &b->statement, NULL);
    sqlite3_free(sql);
    return store_error(b->bare, code);
}

// One row, all its columns, as a loop that knows nothing better would read them.
static uint64_t look_up_bare(struct bed *b, const char *path)
{
    uint64_t sum = 0;
    sqlite3_bind_blob(b->statement, 1, path, (int)strlen(path), SQLITE_STATIC);
    if (sqlite3_step(b->statement) == SQLITE_ROW) {
        const int columns = sqlite3_column_count(b->statement);
        for (int i = 0; i < columns; ++i) {
            switch (sqlite3_column_type(b->statement, i)) {
            case SQLITE_FLOAT:
                sum += (uint64_t)sqlite3_column_double(b->statement, i);
                break;
            case SQLITE_INTEGER:
                sum += (uint64_t)sqlite3_column_int64(b->statement, i);
                break;
            default:
                sum += ((const unsigned char *)sqlite3_column_blob(b->statement, i))[0];
                break;
            }
        }
    }
    sqlite3_reset(b->statement);
    return sum;
}

static uint64_t look_up_segue(struct bed *b, const char *path)
{
    struct store_track track;
    if (store_find_by_path(b->store, path, &track))
        return 0;
    const uint64_t sum = track.identity.inode + 1;
    store_track_deinit(&track);
    return sum;
}

static uint64_t look_up_lmdb(struct bed *b, const char *path)
{
    return peer_lmdb_read(b->lmdb, path);
}

typedef uint64_t (*look_up_fn)(struct bed *b, const char *path);

// --- look-ups

static int choose_wanted(struct bed *b)
{
    uint64_t seed = 1;
    b->wanted = calloc(LOOKUPS, sizeof(*b->wanted));
    if (!b->wanted)
        return -ENOMEM;
    for (unsigned i = 0; i < LOOKUPS; ++i)
        sample_library_path(b->wanted[i], bench_random(&seed) % b->rows);
    return 0;
}

static double lookups_per_s(struct bed *b, look_up_fn look_up)
{
    static volatile uint64_t sink;
    const int64_t begun_ns = bench_cpu_ns();
    for (unsigned i = 0; i < LOOKUPS; ++i)
        sink = sink + look_up(b, b->wanted[i]);
    return LOOKUPS * 1e9 / (double)(bench_cpu_ns() - begun_ns);
}

struct latency {
    double p50_us, p99_us;
};

// By CPU time, which knows nothing of what else the machine does; all that is read is in memory.
static struct latency latency_of(struct bed *b, look_up_fn look_up, double times_us[LOOKUPS])
{
    for (unsigned i = 0; i < LOOKUPS; ++i) {
        const int64_t begun_ns = bench_cpu_ns();
        (void)look_up(b, b->wanted[i]);
        times_us[i] = (double)(bench_cpu_ns() - begun_ns) / 1e3;
    }
    const double p50_us = bench_median(times_us, LOOKUPS); // which sorts them
    return (struct latency){p50_us, times_us[LOOKUPS * 99 / 100]};
}

static int measure_latency(struct bed *b, struct latency *segue)
{
    double *times_us = malloc(LOOKUPS * sizeof(*times_us)), p50[REPETITIONS], p99[REPETITIONS];
    if (!times_us)
        return -ENOMEM;
    for (unsigned i = 0; i < REPETITIONS; ++i) {
        const struct latency one = latency_of(b, look_up_segue, times_us);
        p50[i] = one.p50_us;
        p99[i] = one.p99_us;
    }
    free(times_us);
    *segue = (struct latency){bench_median(p50, REPETITIONS), bench_median(p99, REPETITIONS)};
    printf("store-latency rows=%lu p50_us=%.1f p99_us=%.1f\n", b->rows, segue->p50_us,
           segue->p99_us);
    return 0;
}

static void measure_rates(struct bed *b)
{
    double bare[REPETITIONS], segue[REPETITIONS], lmdb[REPETITIONS] = {0};
    (void)lookups_per_s(b, look_up_bare); // warm-up
    for (unsigned i = 0; i < REPETITIONS; ++i) {
        bare[i] = lookups_per_s(b, look_up_bare);
        segue[i] = lookups_per_s(b, look_up_segue);
        if (b->lmdb)
            lmdb[i] = lookups_per_s(b, look_up_lmdb);
    }
    const double s = bench_median(segue, REPETITIONS), r = bench_median(bare, REPETITIONS);
    printf("store-lookup rows=%lu bare_per_s=%.0f segue_per_s=%.0f spread=%.0f..%.0f "
           "segue/bare=%.3f",
           b->rows, r, s, segue[0], segue[REPETITIONS - 1], s / r);
    if (b->lmdb)
        printf(" lmdb_per_s=%.0f segue/lmdb=%.3f\n", bench_median(lmdb, REPETITIONS),
               s / bench_median(lmdb, REPETITIONS));
    else
        printf(" lmdb=absent\n");
}

// Open, look one up; then look up enough to fill SQLite's page cache.
static int measure_open(struct bed *b)
{
    struct resources before, after;
    store_close(&b->store);
    (void)malloc_trim(0); // as in a process that has not filled a database
    int error = resources_read(&before);
    const int64_t begun_ns = bench_wall_ns();
    if (!error)
        error = store_open_reader(&b->store, b->path);
    if (error)
        return error;
    const uint64_t found = look_up_segue(b, b->wanted[0]);
    const double open_ms = (double)(bench_wall_ns() - begun_ns) / 1e6;
    (void)lookups_per_s(b, look_up_segue);
    error = resources_read(&after);
    printf("store-open rows=%lu open_and_first_ms=%.3f found=%d resident_mib=%.1f "
           "of_them_page_cache_mib=16\n",
           b->rows, open_ms, found != 0,
           ((double)after.resident_bytes - (double)before.resident_bytes) / 0x1p20);
    return error;
}

// --- commits

static double rows_per_s(uint64_t rows, int64_t begun_ns)
{
    return (double)rows * 1e9 / (double)(bench_wall_ns() - begun_ns);
}

// The peer's writer: the same rows through two prepared statements, nothing looked up before; SQLite checkpoints it.
struct bare_writer {
    sqlite3 *db;
    sqlite3_stmt *track, *targets;
};

static int open_bare_writer(struct bare_writer *w, const char *path)
{
    char *track = store_track_insert_sql(STORE_NEW), *targets = store_targets_insert_sql(STORE_NEW);
    int code = sqlite3_open_v2(path, &w->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(w->db, "PRAGMA cache_size=-16384;PRAGMA synchronous=NORMAL", NULL, NULL,
                            NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(w->db, track, -1, &w->track, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(w->db, targets, -1, &w->targets, NULL);
    sqlite3_free(track);
    sqlite3_free(targets);
    return store_error(w->db, code);
}

static void close_bare_writer(struct bare_writer *w)
{
    sqlite3_finalize(w->track);
    sqlite3_finalize(w->targets);
    (void)sqlite3_db_config(w->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(w->db);
}

static int step(struct bare_writer *w, sqlite3_stmt *statement)
{
    const int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return store_error(w->db, code);
}

static int write_bare_batch(struct bed *b, struct bare_writer *w, uint64_t from)
{
    int error = store_error(w->db, sqlite3_exec(w->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    for (uint64_t i = from; i < from + BATCH_ROWS && !error; ++i) {
        struct sample_row row;
        sample_library_row(&b->sample, &row, i);
        error = store_track_bind(w->track, &row.track);
        if (!error)
            error = step(w, w->track);
        row.track.id = sqlite3_last_insert_rowid(w->db);
        if (!error)
            error = store_targets_bind(w->targets, &row.track, &row.targets);
        if (!error)
            error = step(w, w->targets);
    }
    return error ? error : store_error(w->db, sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL));
}

static int write_bare(struct bed *b, uint64_t from)
{
    struct bare_writer w = {0};
    int error = open_bare_writer(&w, b->path);
    for (unsigned i = 0; i < COMMITS && !error; ++i)
        error = write_bare_batch(b, &w, from + (uint64_t)i * BATCH_ROWS);
    close_bare_writer(&w);
    return error;
}

static int measure_commits(struct bed *b)
{
    const uint64_t rows = (uint64_t)COMMITS * BATCH_ROWS;
    int64_t begun_ns = bench_wall_ns();
    int error = sample_library_fill(&b->sample, b->store, b->rows, COMMITS, 1, STORE_DURABLE);
    const double single = rows_per_s(COMMITS, begun_ns);
    begun_ns = bench_wall_ns();
    if (!error)
        error = sample_library_fill(&b->sample, b->store, b->rows + COMMITS, rows, BATCH_ROWS,
                                    STORE_CONSISTENT);
    const double batched = rows_per_s(rows, begun_ns);
    begun_ns = bench_wall_ns();
    if (!error)
        error = write_bare(b, b->rows + COMMITS + rows);
    const double bare = rows_per_s(rows, begun_ns);
    printf("store-write rows=%lu single_durable_per_s=%.0f batches_of_%d_per_s=%.0f "
           "batched/single=%.1f bare_batches_per_s=%.0f segue/bare=%.2f\n",
           b->rows, single, BATCH_ROWS, batched, batched / single, bare, batched / bare);
    return error;
}

// --- a library

static int fill_lmdb(struct bed *b)
{
    static unsigned char row[LMDB_ROW_BYTES];
    char path[SAMPLE_LIBRARY_PATH_BYTES];
    snprintf(b->lmdb_path, sizeof(b->lmdb_path), "%s/lmdb", b->folder);
    if (mkdir(b->lmdb_path, 0700))
        return -errno;
    b->lmdb =
        peer_lmdb_create(b->lmdb_path, ((size_t)b->rows + FILL_BATCH) * LMDB_ROW_BYTES * LMDB_ROOM);
    int error = 0;
    for (unsigned long i = 0; b->lmdb && i < b->rows && !error; i += FILL_BATCH) {
        error = peer_lmdb_begin(b->lmdb);
        for (unsigned long j = i; j < i + FILL_BATCH && j < b->rows && !error; ++j) {
            sample_library_path(path, j);
            memset(row, (int)(j % 255 + 1), sizeof(row));
            error = peer_lmdb_put(b->lmdb, path, row, sizeof(row));
        }
        if (!error)
            error = peer_lmdb_commit(b->lmdb);
    }
    return error ? -EIO : 0;
}

static int fill(struct bed *b)
{
    const char *base = getenv("TMPDIR");
    snprintf(b->folder, sizeof(b->folder), "%s/segue-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(b->folder))
        return -errno;
    snprintf(b->path, sizeof(b->path), "%s/library.db", b->folder);
    b->lock = store_lock_try(b->path);
    if (b->lock < 0)
        return b->lock;
    const int64_t begun_ns = bench_wall_ns();
    int error = sample_library_init(&b->sample);
    if (!error)
        error = store_open_writer(&b->store, b->path);
    if (!error)
        error = sample_library_fill(&b->sample, b->store, 0, b->rows, FILL_BATCH, STORE_CONSISTENT);
    if (!error) {
        store_checkpoint(b->store, STORE_CHECKPOINT_NOW);
        printf("store-fill rows=%lu rows_per_s=%.0f\n", b->rows, rows_per_s(b->rows, begun_ns));
    }
    return error;
}

static void take_down(struct bed *b)
{
    static const char *const names[] = {"lmdb/data.mdb",  "lmdb/lock.mdb",  "lmdb",
                                        "library.db",     "library.db-wal", "library.db-shm",
                                        "library.db.lock"};
    char path[128];
    sqlite3_finalize(b->statement);
    sqlite3_close(b->bare);
    peer_lmdb_destroy(&b->lmdb);
    store_close(&b->store);
    if (b->lock >= 0)
        store_lock_release(b->lock);
    sample_library_deinit(&b->sample);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
        snprintf(path, sizeof(path), "%s/%s", b->folder, names[i]);
        (void)remove(path); // not all need be there
    }
    (void)rmdir(b->folder);
    free(b->wanted);
}

static int measure_warm_start(struct bed *b)
{
    store_close(&b->store);
    store_lock_release(b->lock);
    b->lock = -1;
    return bench_warm(b->folder, b->path, b->sample.record);
}

static int measure(unsigned long rows, struct latency *latency)
{
    struct bed b = {.rows = rows, .lock = -1};
    int error = fill(&b);
    if (!error)
        error = measure_commits(&b);
    if (!error)
        error = choose_wanted(&b);
    if (!error)
        error = measure_open(&b);
    if (!error)
        error = measure_latency(&b, latency);
    if (!error)
        error = open_bare(&b);
    if (!error)
        error = fill_lmdb(&b);
    if (!error)
        measure_rates(&b);
    if (!error)
        error = measure_warm_start(&b);
    take_down(&b);
    return error;
}

int bench_store(int argc, char **argv)
{
    const unsigned long rows = argc == 2 ? bench_number(argv[1], MOST_ROWS) : ROWS;
    if (argc > 2 || !rows) {
        fprintf(stderr, "usage: segue-bench store [ROWS]\n");
        return 2;
    }
    struct latency small = {0}, large = {0};
    int error = measure(SMALL_ROWS, &small);
    if (!error)
        error = measure(rows, &large);
    if (error)
        fprintf(stderr, "segue-bench: %s\n", store_error_text(error));
    else
        printf("store-latency-ratio rows=%lu/%d p50=%.2f p99=%.2f\n", rows, SMALL_ROWS,
               large.p50_us / small.p50_us, large.p99_us / small.p99_us);
    return error != 0;
}
