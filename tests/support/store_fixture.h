// SPDX-License-Identifier: MIT
// What the suites of the database share: a scratch folder, a writer, rows of which no two values are equal.
#pragma once
#include "io/store/store.h"
#include "io/store/store_impl.h"
#include "support/scratch.h"
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> // needs the four above: stdarg, stddef, stdint, setjmp

struct fixture {
    char folder[SCRATCH_PATH_BYTES];
    char path[SCRATCH_PATH_BYTES];
    int lock;
    struct store *writer;
};

static inline int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.lock = -1};
    scratch_create(f.folder);
    scratch_path(f.path, f.folder, "library.db");
    *state = &f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    store_close(&f->writer);
    if (f->lock >= 0)
        store_lock_release(f->lock);
    scratch_remove(f->folder);
    return 0;
}

static inline struct store *open_writer(struct fixture *f)
{
    f->lock = store_lock_try(f->path);
    assert_true(f->lock >= 0);
    assert_int_equal(store_open_writer(&f->writer, f->path), 0);
    return f->writer;
}

static inline struct store *open_reader(struct fixture *f)
{
    struct store *reader;
    assert_int_equal(store_open_reader(&reader, f->path), 0);
    return reader;
}

// A row in which every value differs from every other.
static inline struct store_track track_of(const char *path, uint64_t number)
{
    static const double blob[4] = {0.5, -0.0, DBL_MIN, 1e300};
    struct store_track track = {.path = path,
                                .identity = {1, 100 + number, 4096, 5000, 6000},
                                .algorithm_version = 3,
                                .created_s = 1700000000,
                                .cost_ns = 1234567};
    memset(&track.checksum, (int)(number + 1), sizeof(track.checksum));
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i) {
        struct store_value *value = &track.values[i];
        switch (store_analysis_columns[i].type) {
        case STORE_REAL:
            value->real = (double)i / 7.0 + (double)number;
            break;
        case STORE_INTEGER:
            value->integer = (int64_t)(1000 * number + i);
            break;
        case STORE_TEXT:
            value->bytes.data = "text";
            value->bytes.count = 4;
            break;
        default:
            value->bytes.data = blob;
            value->bytes.count = sizeof(blob);
            break;
        }
    }
    return track;
}

static inline struct store_targets targets_of(double intensity)
{
    struct store_targets targets = {
        .settings = {.preset = "warm", .target = "asis", .intensity = intensity}};
    for (unsigned i = 0; i < STORE_TARGETS_COLUMNS; ++i) {
        if (store_targets_columns[i].type == STORE_REAL)
            targets.values[i].real = (double)i / 3.0 + intensity;
        else
            targets.values[i].integer = i;
    }
    return targets;
}

static inline void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/// Change one row behind the store's back.
static inline void tamper(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_changes(db), 1);
    sqlite3_close(db);
}

static inline void save(struct store *store, struct store_track *track,
                        const struct store_targets *targets, const char *moved_from)
{
    assert_int_equal(store_begin(store, STORE_CONSISTENT), 0);
    assert_int_equal(store_save(store, track, targets, moved_from, STORE_SAVED_ALL), 0);
    assert_int_equal(store_commit(store), 0);
}

static inline void assert_values_equal(const struct store_track *a, const struct store_track *b)
{
    const struct track_checksum x = store_track_checksum(a), y = store_track_checksum(b);
    assert_memory_equal(&x, &y, sizeof(x));
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i) {
        assert_int_equal(a->values[i].is_null, b->values[i].is_null);
        if (store_analysis_columns[i].type == STORE_REAL)
            assert_memory_equal(&a->values[i].real, &b->values[i].real, sizeof(double));
    }
}

static inline int64_t entries(struct store *store)
{
    struct store_stats stats;
    assert_int_equal(store_stats(store, &stats), 0);
    return stats.entries;
}

static inline void write_file(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}
