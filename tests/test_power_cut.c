// SPDX-License-Identifier: MIT
// The database on a disk whose power is cut at any instant: what is left must be what one of the batches left, none
// before the last that was reported saved.
//
// SEGUE_POWER_CUTS: how many cuts; each life of the database is cut CUTS_OF_A_LIFE times and goes on from one of them.
#include "io/store/store.h"
#include "support/power_disk.h"
#include "support/power_vfs.h"
#include "support/rng.h"
#include "support/scratch.h"
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    CUTS = 600,
    CUTS_OF_A_LIFE = 20,
    PATHS = 24,
    BATCHES = 10, // of a life, at the most
    ROWS = 6,     // of a batch, at the most
    NOTHING = 0,  // no row; else the number that a row's figures are made from
};

// What the database holds once a batch is committed.
struct contents {
    uint32_t rows[PATHS];
};

struct batch {
    struct contents after;
    size_t begun, saved; // entries of the disk's log; saved: 0 unless that was reported
};

struct life {
    struct power_disk *disk;
    char folder[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES];
    int64_t first; // how many batches went before it
    struct batch batches[BATCHES + 1];
    unsigned count; // batches[0] is what it began with
    struct store *store;
    uint64_t *seed;
    uint32_t rows_made;
};

static struct store_track row_of(const char *path, uint32_t number)
{
    static unsigned char blob[700];
    struct store_track track = {.path = path,
                                .identity = {1, number, 4096, number, 6000},
                                .algorithm_version = 3,
                                .created_s = 1700000000,
                                .cost_ns = number};
    memset(blob, (int)(number % 251), sizeof(blob));
    memset(&track.checksum, (int)(number % 255), sizeof(track.checksum));
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i) {
        struct store_value *value = &track.values[i];
        if (store_analysis_columns[i].type == STORE_REAL) {
            value->real = (double)i / 7.0 + number;
        } else if (store_analysis_columns[i].type == STORE_INTEGER) {
            value->integer = number + i;
        } else {
            value->bytes.data =
                store_analysis_columns[i].type == STORE_TEXT ? "text" : (void *)blob;
            value->bytes.count =
                store_analysis_columns[i].type == STORE_TEXT ? 4 : number * 7919U % sizeof(blob);
        }
    }
    return track;
}

static void path_of(char path[32], unsigned which)
{
    snprintf(path, 32, "/music/%u.flac", which);
}

static uint32_t random_below(uint64_t *seed, uint32_t limit)
{
    return (uint32_t)(rng_next(seed) % limit);
}

// --- a life

static void open_store(struct life *l)
{
    assert_int_equal(store_open_writer(&l->store, l->path), 0);
}

static void save_rows(struct life *l, struct batch *batch)
{
    const uint32_t rows = 1 + random_below(l->seed, ROWS);
    for (uint32_t i = 0; i < rows; ++i) {
        const uint32_t which = random_below(l->seed, PATHS);
        char path[32];
        int64_t cleared;
        path_of(path, which);
        struct store_track track = row_of(path, ++l->rows_made);
        if (random_below(l->seed, 6) == 0) {
            assert_int_equal(store_clear(l->store, path, &cleared), 0);
            batch->after.rows[which] = NOTHING;
        } else {
            assert_int_equal(store_save(l->store, &track, NULL, NULL, STORE_SAVED_ALL), 0);
            batch->after.rows[which] = l->rows_made;
        }
    }
}

static void live_batch(struct life *l)
{
    static const struct store_totals one = {.misses = 1};
    struct batch *batch = &l->batches[l->count];
    const bool is_durable = random_below(l->seed, 3) == 0;
    *batch = (struct batch){.after = batch[-1].after, .begun = power_disk_now(l->disk)};
    assert_int_equal(store_begin(l->store, is_durable ? STORE_DURABLE : STORE_CONSISTENT), 0);
    save_rows(l, batch);
    assert_int_equal(store_add_totals(l->store, &one), 0);
    if (random_below(l->seed, 12) == 0) {
        store_rollback(l->store);
        return;
    }
    assert_int_equal(store_commit(l->store), 0);
    batch->saved = is_durable ? power_disk_now(l->disk) : 0;
    ++l->count;
}

static void live(struct life *l)
{
    open_store(l);
    const uint32_t batches = 1 + random_below(l->seed, BATCHES);
    for (uint32_t i = 0; i < batches; ++i) {
        live_batch(l);
        if (random_below(l->seed, 2) == 0)
            store_checkpoint(l->store, STORE_CHECKPOINT_NOW);
        if (random_below(l->seed, 20) == 0)
            assert_int_equal(store_vacuum(l->store), 0);
        if (random_below(l->seed, 6) == 0) {
            store_close(&l->store);
            open_store(l);
        }
    }
    store_close(&l->store);
}

// --- after the cut

static int compare_row(void *context, const struct store_track *track, int error)
{
    struct contents *left = context;
    unsigned which;
    char path[32];
    assert_int_equal(error, 0);
    assert_int_equal(sscanf(track->path, "/music/%u.flac", &which), 1);
    assert_true(which < PATHS && left->rows[which] != NOTHING);
    path_of(path, which);
    const struct store_track expected = row_of(path, left->rows[which]);
    const struct track_checksum a = store_track_checksum(track),
                                b = store_track_checksum(&expected);
    assert_memory_equal(&a, &b, sizeof(a));
    left->rows[which] = NOTHING;
    return 0;
}

static void no_complaint(void *context, const char *complaint)
{
    (void)context;
    fail_msg("%s", complaint);
}

// @return the batch that the database stands after.
static unsigned assert_sound(const struct life *l, size_t cut, struct store *store)
{
    struct store_stats stats;
    unsigned least = 0, most = 0;
    for (unsigned i = 1; i < l->count; ++i) {
        least = l->batches[i].saved && l->batches[i].saved <= cut ? i : least;
        most = l->batches[i].begun < cut ? i : most;
    }
    assert_int_equal(store_check_integrity(store, no_complaint, NULL), 0);
    assert_int_equal(store_stats(store, &stats), 0);
    assert_in_range(stats.totals.misses - l->first, least, most);

    const unsigned found = (unsigned)(stats.totals.misses - l->first);
    struct contents left = l->batches[found].after;
    assert_int_equal(store_for_each_track(store, compare_row, &left), 0);
    for (unsigned i = 0; i < PATHS; ++i)
        assert_int_equal(left.rows[i], NOTHING);
    return found;
}

static void leave_garbage_index(const char *folder, uint64_t seed)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "library.db-shm");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (unsigned i = 0; i < 4096; ++i) {
        const uint64_t word = rng_next(&seed);
        assert_int_equal(fwrite(&word, sizeof(word), 1, file), 1);
    }
    assert_int_equal(fclose(file), 0);
}

// Come back after a cut. @return what is left; `folder` is the caller's to remove.
static struct batch come_back(const struct life *l, uint64_t seed, char folder[SCRATCH_PATH_BYTES],
                              int64_t *batches)
{
    char path[SCRATCH_PATH_BYTES];
    const size_t entries = power_disk_now(l->disk);
    const size_t from = power_disk_now(l->disk) ? l->batches[0].begun : 0;
    const size_t cut = from + seed % (entries - from + 1);
    struct store *store;
    scratch_create(folder);
    scratch_path(path, folder, "library.db");
    power_disk_cut(l->disk, cut, seed, folder);
    if (seed % 2)
        leave_garbage_index(folder, seed);

    const int inspected = store_schema_inspect(path);
    if (inspected)
        assert_int_equal(inspected, -ENOENT);
    assert_int_equal(store_open_writer(&store, path), 0);
    const unsigned found = assert_sound(l, cut, store);

    struct store_track track = row_of("/after", 77);
    assert_int_equal(store_begin(store, STORE_DURABLE), 0);
    assert_int_equal(store_save(store, &track, NULL, NULL, STORE_SAVED_ALL), 0);
    store_rollback(store);
    store_close(&store);
    *batches = l->first + found;
    return l->batches[found];
}

static void load(struct life *l, const char *name)
{
    char path[SCRATCH_PATH_BYTES];
    static unsigned char bytes[1 << 22];
    scratch_path(path, l->folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return;
    const size_t count = fread(bytes, 1, sizeof(bytes), file);
    assert_true(count < sizeof(bytes));
    assert_int_equal(fclose(file), 0);
    const unsigned number = power_disk_open(l->disk, name);
    power_disk_write(l->disk, number, 0, bytes, count);
    power_disk_sync(l->disk, number);
}

// Begin in a folder that is on the disk as it is. `seen`: what it holds.
static void begin(struct life *l, const struct batch *seen)
{
    scratch_path(l->path, l->folder, "library.db");
    l->disk = power_disk_create();
    load(l, "library.db");
    load(l, "library.db-wal");
    load(l, "library.db-journal");
    power_disk_sync_folder(l->disk);
    l->batches[0] = (struct batch){.after = seen->after, .begun = power_disk_now(l->disk)};
    l->count = 1;
    power_vfs_follow(l->disk, l->folder);
}

static unsigned cuts_wanted(void)
{
    const char *text = getenv("SEGUE_POWER_CUTS");
    return text ? (unsigned)strtoul(text, NULL, 10) : CUTS;
}

static void power_cut_at_any_instant_leaves_a_batch_whole_and_loses_none_reported(void **state)
{
    (void)state;
    uint64_t seed = 20261129;
    struct batch left = {.begun = 0};
    struct life l = {.seed = &seed};
    const unsigned wanted = cuts_wanted();
    power_vfs_register();
    scratch_create(l.folder);
    for (unsigned cuts = 0; cuts < wanted;) {
        begin(&l, &left);
        live(&l);
        power_vfs_follow(NULL, NULL);
        char next[SCRATCH_PATH_BYTES] = "";
        int64_t first = l.first;
        for (unsigned i = 0; i < CUTS_OF_A_LIFE && cuts < wanted; ++i, ++cuts) {
            if (next[0])
                scratch_remove(next);
            left = come_back(&l, rng_next(&seed), next, &first);
        }
        scratch_remove(l.folder);
        power_disk_destroy(&l.disk);
        memcpy(l.folder, next, sizeof(next));
        l.first = first;
    }
    scratch_remove(l.folder);
    print_message("%u power cuts, %lld batches\n", wanted, (long long)l.first);
    assert_true(wanted < 100 || l.first > wanted / 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cut_at_any_instant_leaves_a_batch_whole_and_loses_none_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
