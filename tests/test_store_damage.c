// SPDX-License-Identifier: MIT
// What is left of a damaged database: all that still reads is in the new one, and nothing that is not as it was.
#include "support/rng.h"
#include "support/store_fixture.h"
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// SQLite's: nothing here is about power cuts, and a disk takes its time.
int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

// The store's, which gives others a turn: here it comes when the lock is given up.
static bool dies_at_a_turn;

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *pause, struct timespec *left)
{
    (void)clock;
    (void)flags;
    (void)pause;
    (void)left;
    if (dies_at_a_turn)
        _exit(7);
    return 0;
}

enum { TRACKS = 60, MANY_TRACKS = 2500, PAGE_BYTES = 4096, HEADER_BYTES = 100, PATH_BYTES = 32 };

static void name_track(char path[PATH_BYTES], unsigned number)
{
    snprintf(path, PATH_BYTES, "/m/%03u", number);
}

static void close_writer(struct fixture *f)
{
    store_close(&f->writer);
    store_lock_release(f->lock);
    f->lock = -1;
}

// Tracks with two sets of targets each, and totals, all in the main file.
static void fill(struct fixture *f, unsigned count)
{
    struct store *writer = open_writer(f);
    const struct store_totals totals = {.sqlite_hits = 7, .saved_ns = 5000};
    assert_int_equal(store_begin(writer, STORE_CONSISTENT), 0);
    for (unsigned i = 0; i < count; ++i) {
        char path[PATH_BYTES];
        name_track(path, i);
        struct store_track track = track_of(path, i);
        const struct store_targets first = targets_of(0.25), second = targets_of(0.5);
        assert_int_equal(store_save(writer, &track, &first, NULL, STORE_SAVED_ALL), 0);
        assert_int_equal(store_save(writer, &track, &second, NULL, STORE_SAVED_TARGETS), 0);
    }
    assert_int_equal(store_add_totals(writer, &totals), 0);
    assert_int_equal(store_commit(writer), 0);
    store_checkpoint(writer, STORE_CHECKPOINT_NOW);
    close_writer(f);
}

static unsigned char *read_database(const struct fixture *f, size_t *bytes)
{
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    unsigned char *all = malloc((size_t)st.st_size);
    FILE *file = fopen(f->path, "r");
    assert_true(all && file);
    *bytes = (size_t)st.st_size;
    assert_int_equal(fread(all, 1, *bytes, file), *bytes);
    fclose(file);
    return all;
}

// The file with these bytes, and nothing beside it.
static void put_database(const struct fixture *f, const unsigned char *all, size_t bytes)
{
    scratch_remove(f->folder);
    assert_int_equal(mkdir(f->folder, 0700), 0);
    write_file(f->path, all, bytes);
}

static void mend(struct fixture *f, uint64_t *kept)
{
    f->lock = store_lock_try(f->path);
    assert_true(f->lock >= 0);
    assert_int_equal(store_mend(f->path, &f->lock, kept), 0);
    assert_true(f->lock >= 0);
    store_lock_release(f->lock);
    f->lock = -1;
}

static void fail_on_complaint(void *context, const char *complaint)
{
    (void)context;
    fail_msg("%s", complaint);
}

// Each row that is there is bit for bit what was saved. @return how many there are; *targets: sets of targets.
static unsigned count_sound(struct fixture *f, unsigned *targets)
{
    struct store *reader = open_reader(f);
    unsigned tracks = 0;
    *targets = 0;
    assert_int_equal(store_check_integrity(reader, fail_on_complaint, NULL), 0);
    for (unsigned i = 0; i < TRACKS; ++i) {
        char path[PATH_BYTES];
        name_track(path, i);
        const struct store_track expected = track_of(path, i);
        struct store_track found;
        const int error = store_find_by_path(reader, path, &found);
        if (error == -ENOENT)
            continue;
        assert_int_equal(error, 0);
        ++tracks;
        assert_values_equal(&found, &expected);
        for (double intensity = 0.25; intensity <= 0.5; intensity += 0.25) {
            struct store_targets set = targets_of(intensity);
            *targets += store_find_targets(reader, &found, &set) == 0;
        }
        store_track_deinit(&found);
    }
    store_close(&reader);
    return tracks;
}

// Any one page may be gone. Rows are lost with it only if it is theirs: a page of tracks has few, their root has all.
static void page_of_zeros_costs_what_stood_on_it(void **state)
{
    struct fixture *f = *state;
    static const unsigned char zeros[PAGE_BYTES];
    size_t bytes;
    fill(f, TRACKS);
    unsigned char *all = read_database(f, &bytes);
    const unsigned pages = (unsigned)(bytes / PAGE_BYTES);
    unsigned without_loss = 0, with_some = 0, with_all = 0;
    assert_true(pages > 20);
    for (unsigned page = 0; page < pages; ++page) {
        unsigned char *damaged = malloc(bytes);
        uint64_t kept;
        unsigned targets;
        assert_non_null(damaged);
        memcpy(damaged, all, bytes);
        memcpy(damaged + (size_t)page * PAGE_BYTES, zeros, PAGE_BYTES);
        put_database(f, damaged, bytes);
        free(damaged);
        mend(f, &kept);
        const unsigned tracks = count_sound(f, &targets);
        assert_int_equal(tracks, kept);
        without_loss += tracks == TRACKS;
        with_some += tracks < TRACKS && tracks >= TRACKS - 5;
        with_all += tracks == 0;
    }
    free(all);
    assert_int_equal(without_loss + with_some + with_all, pages);
    assert_true(with_all <= 2); // the first page, and the root of the tracks
    assert_true(with_some >= TRACKS / 5);
}

static void totals_and_targets_are_taken_over(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    unsigned targets;
    uint64_t kept;
    fill(f, TRACKS);
    mend(f, &kept);
    assert_int_equal(kept, TRACKS);
    assert_int_equal(count_sound(f, &targets), TRACKS);
    assert_int_equal(targets, 2 * TRACKS);
    struct store *reader = open_reader(f);
    assert_int_equal(store_stats(reader, &stats), 0);
    store_close(&reader);
    assert_int_equal(stats.totals.sqlite_hits, 7);
    assert_int_equal(stats.totals.saved_ns, 5000);
}

// Whose names are damaged has its values by their place.
static void schema_of_other_names_costs_nothing(void **state)
{
    struct fixture *f = *state;
    static const char was[] = "warmth ANY,", is[] = "warmtx ANY,";
    size_t bytes;
    unsigned targets;
    uint64_t kept;
    struct store_track track;
    fill(f, TRACKS);
    unsigned char *all = read_database(f, &bytes);
    memcpy(memmem(all, PAGE_BYTES, was, sizeof(was) - 1), is, sizeof(is) - 1);
    put_database(f, all, bytes);
    free(all);
    struct store *reader = open_reader(f);
    assert_int_equal(store_find_by_path(reader, "/m/001", &track), -EBADMSG);
    store_close(&reader);
    mend(f, &kept);
    assert_int_equal(count_sound(f, &targets), TRACKS);
}

// As the thread that saves does it. @return -EBADMSG: it stays corrupt, or is not known as such.
static int save_one(struct fixture *f)
{
    struct store_track track = track_of("/m/new", 99);
    struct store *writer;
    int error = store_open_writer(&writer, f->path);
    if (error)
        return error;
    error = store_begin(writer, STORE_CONSISTENT);
    if (!error)
        error = store_save(writer, &track, NULL, NULL, STORE_SAVED_ALL);
    if (!error)
        error = store_commit(writer);
    store_close(&writer);
    return error;
}

static void assert_saves_again(struct fixture *f)
{
    struct store_track found;
    uint64_t kept;
    int error = store_schema_inspect(f->path);
    if (error == -EOVERFLOW || error == -EMEDIUMTYPE)
        return; // not ours any more, as far as can be told: left alone
    error = save_one(f);
    if (error == -EBADMSG) {
        mend(f, &kept);
        error = save_one(f);
    }
    assert_int_equal(error, 0);
    struct store *reader = open_reader(f);
    assert_int_equal(store_find_by_path(reader, "/m/new", &found), 0);
    store_track_deinit(&found);
    store_close(&reader);
}

// Every third: no two bytes side by side have the same bits of theirs flipped.
static void any_flipped_bit_of_the_header_leaves_a_database_that_saves(void **state)
{
    struct fixture *f = *state;
    size_t bytes;
    open_writer(f);
    close_writer(f);
    unsigned char *all = read_database(f, &bytes);
    for (unsigned bit = 0; bit < 8 * HEADER_BYTES; bit += 3) {
        all[bit / 8] ^= (unsigned char)(1 << bit % 8);
        put_database(f, all, bytes);
        assert_saves_again(f);
        all[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(all);
}

// @return how many are found, by path and by inode; is_found[track] |= 1, 2.
static unsigned look_all_up(const struct fixture *f, unsigned char is_found[TRACKS])
{
    struct store *reader;
    unsigned found = 0;
    if (store_open_reader(&reader, f->path))
        return 0;
    for (unsigned i = 0; i < TRACKS; ++i) {
        char path[PATH_BYTES];
        struct store_track track;
        name_track(path, i);
        const struct store_track expected = track_of(path, i);
        for (unsigned by = 0; by < 2; ++by) {
            if (by == 0 ? store_find_by_path(reader, path, &track)
                        : store_find_by_inode(reader, &expected.identity, &track))
                continue;
            assert_values_equal(&track, &expected);
            store_track_deinit(&track);
            is_found[i] |= (unsigned char)(1 << by);
            ++found;
        }
    }
    store_close(&reader);
    return found;
}

// What was served is not lost by what is found out later, wherever the damage is.
static void what_was_a_hit_is_in_the_new_one(void **state)
{
    struct fixture *f = *state;
    enum { TRIALS = 100, BITS = 40 };
    uint64_t random = 1;
    size_t bytes;
    unsigned hits = 0;
    fill(f, TRACKS);
    unsigned char *all = read_database(f, &bytes), *damaged = malloc(bytes);
    assert_non_null(damaged);
    for (unsigned trial = 0; trial < TRIALS; ++trial) {
        unsigned char before[TRACKS] = {0}, after[TRACKS] = {0};
        uint64_t kept;
        memcpy(damaged, all, bytes);
        for (unsigned i = 0; i < BITS; ++i) {
            const uint64_t bit =
                HEADER_BYTES * 8 + rng_next(&random) % ((bytes - HEADER_BYTES) * 8);
            damaged[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        put_database(f, damaged, bytes);
        hits += look_all_up(f, before);
        mend(f, &kept);
        look_all_up(f, after);
        for (unsigned i = 0; i < TRACKS; ++i)
            assert_true(!before[i] || after[i] == 3);
    }
    free(damaged);
    free(all);
    assert_true(hits > TRIALS * TRACKS / 4);
}

// A path that the index has right, and the row has not.
static void row_whose_own_path_is_damaged_is_none(void **state)
{
    struct fixture *f = *state;
    static const char path[] = "/m/007";
    struct store_track track;
    size_t bytes;
    unsigned misses = 0, places = 0;
    fill(f, TRACKS);
    unsigned char *all = read_database(f, &bytes), *at = all;
    while ((at = memmem(at, bytes - (size_t)(at - all), path, sizeof(path) - 1))) {
        at[1] ^= 2;
        put_database(f, all, bytes);
        at[1] ^= 2;
        ++at;
        ++places;
        struct store *reader = open_reader(f);
        misses += store_find_by_path(reader, path, &track) == -ENOENT;
        store_close(&reader);
    }
    free(all);
    assert_int_equal(places, 2);
    assert_int_equal(misses, 2);
}

static unsigned files_like(const struct fixture *f, const char *ending)
{
    char pattern[2 * SCRATCH_PATH_BYTES];
    glob_t found;
    snprintf(pattern, sizeof(pattern), "%s%s", f->path, ending);
    const unsigned count = glob(pattern, 0, NULL, &found) == 0 ? (unsigned)found.gl_pathc : 0;
    globfree(&found);
    return count;
}

static void killed_salvage_is_gone_on_with(void **state)
{
    struct fixture *f = *state;
    struct store *store;
    struct store_stats stats;
    uint64_t kept;
    int status;
    fill(f, MANY_TRACKS);
    const pid_t child = fork();
    if (child == 0) {
        dies_at_a_turn = true;
        f->lock = store_lock_try(f->path);
        _exit(store_mend(f->path, &f->lock, &kept) ? 1 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(files_like(f, ".salvage"), 1);
    store = open_reader(f);
    assert_in_range(entries(store), 1, MANY_TRACKS - 1);
    store_close(&store);

    f->lock = store_lock_try(f->path);
    assert_int_equal(store_open_writer(&store, f->path), -EBADMSG);
    store_lock_release(f->lock);
    mend(f, &kept);

    assert_int_equal(kept, MANY_TRACKS);
    assert_int_equal(files_like(f, ".salvage*"), 0);
    assert_int_equal(files_like(f, ".corrupt-*Z"), 1);
    store = open_reader(f);
    assert_int_equal(store_stats(store, &stats), 0);
    assert_int_equal(stats.totals.sqlite_hits, 7); // once
    store_close(&store);
}

// The main file was moved, its log not yet, and that has all.
static void salvage_killed_at_its_first_step_finds_the_log(void **state)
{
    struct fixture *f = *state;
    struct store_track track = track_of("/m/000", 0);
    char salvage[SCRATCH_PATH_BYTES + 16];
    unsigned char is_found[TRACKS] = {0};
    uint64_t kept;
    save(open_writer(f), &track, NULL, NULL);
    close_writer(f);
    snprintf(salvage, sizeof(salvage), "%s.salvage", f->path);
    assert_int_equal(rename(f->path, salvage), 0);
    mend(f, &kept);
    assert_int_equal(kept, 1);
    assert_int_equal(look_all_up(f, is_found), 2);
}

static void new_one_that_is_corrupt_too_is_replaced(void **state)
{
    struct fixture *f = *state;
    char salvage[SCRATCH_PATH_BYTES + 16];
    uint64_t kept;
    fill(f, TRACKS);
    snprintf(salvage, sizeof(salvage), "%s.salvage", f->path);
    write_file(salvage, "old", 3);
    FILE *file = fopen(f->path, "r+");
    assert_non_null(file);
    assert_int_equal(fwrite("junk", 4, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    mend(f, &kept);
    assert_int_equal(files_like(f, ".salvage*"), 0);
    assert_saves_again(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(page_of_zeros_costs_what_stood_on_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(totals_and_targets_are_taken_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(schema_of_other_names_costs_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_a_hit_is_in_the_new_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(row_whose_own_path_is_damaged_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_salvage_is_gone_on_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(salvage_killed_at_its_first_step_finds_the_log, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(new_one_that_is_corrupt_too_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_flipped_bit_of_the_header_leaves_a_database_that_saves,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
