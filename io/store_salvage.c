// SPDX-License-Identifier: MIT
// A corrupt database replaced by a new one of all that still reads. Each row carries its own checksum, so that none is
// taken over for what it is not.
#include "io/store.h"
#include "io/store_impl.h"
#include <assert.h>
#include <errno.h>
#include <limits.h>

enum {
    FIRST_ID = 1, // as SQLite numbers rows
    BATCH_ROWS = 1024,
    UNREADABLE_ROWS = 65536, // in a row: what follows them is given up
};

struct salvage {
    struct store *from, *into;
    sqlite3_stmt *tracks, *targets; // NULL: none of them can be read
    int64_t next;                   // the lowest id that is not dealt with
    uint64_t kept;
    bool has_ended;
};

// By place, not by name: the names are in a schema that may be damaged, too.
static void prepare(struct salvage *s)
{
    static const char tracks[] = "SELECT * FROM analysis WHERE rowid>=?1 ORDER BY rowid";
    static const char targets[] = "SELECT * FROM targets WHERE track=?1";
    // Left NULL on failure.
    (void)sqlite3_prepare_v2(s->from->db, tracks, -1, &s->tracks, NULL);
    (void)sqlite3_prepare_v2(s->from->db, targets, -1, &s->targets, NULL);
}

static void seek(struct salvage *s)
{
    sqlite3_reset(s->tracks); // its error was told by the step
    if (sqlite3_bind_int64(s->tracks, 1, s->next) != SQLITE_OK)
        s->has_ended = true;
}

// Onto the next row that reads: a bad page is passed id by id. @return whether there is one.
static bool step(struct salvage *s)
{
    for (unsigned unreadable = 0; !s->has_ended; ++unreadable) {
        const int code = sqlite3_step(s->tracks);
        if (code == SQLITE_ROW)
            return true;
        if (code == SQLITE_DONE || unreadable == UNREADABLE_ROWS || s->next == INT64_MAX)
            break;
        ++s->next;
        seek(s);
    }
    s->has_ended = true;
    return false;
}

static int take_targets(struct salvage *s, struct store_track *track, int64_t old_id)
{
    sqlite3_reset(s->targets); // its error was told by the step
    int code = sqlite3_bind_int64(s->targets, 1, old_id), error = 0;
    while (code == SQLITE_OK && !error && sqlite3_step(s->targets) == SQLITE_ROW) {
        struct store_targets targets = {0};
        if (!store_targets_read_settings(s->targets, &targets.settings) &&
            !store_targets_read(s->targets, track, &targets))
            error = store_save(s->into, track, &targets, NULL, STORE_SAVED_TARGETS);
    }
    return error;
}

// The row that the statement stands on, unless a newer one has come into its place meanwhile.
static int take_track(struct salvage *s)
{
    struct store_track track;
    int error = store_track_read(s->tracks, &track);
    const bool is_sound = !error && track.path[0] == '/';
    const int64_t old_id = track.id;
    if (is_sound)
        error = store_save(s->into, &track, NULL, NULL, STORE_SAVED_MISSING);
    if (is_sound && !error) {
        ++s->kept;
        error = s->targets ? take_targets(s, &track, old_id) : 0;
    }
    s->next = old_id < INT64_MAX ? old_id + 1 : old_id;
    store_track_deinit(&track);
    return error == -EEXIST || (!is_sound && error == -EBADMSG) ? 0 : error;
}

static int take_totals(struct salvage *s)
{
    struct store_totals totals;
    if (store_read_totals(s->from, &totals))
        return 0; // they begin anew
    return store_add_totals(s->into, &totals);
}

static int take_batch(struct salvage *s)
{
    int error = store_begin(s->into, STORE_CONSISTENT);
    if (error)
        return error;
    if (s->next == FIRST_ID)
        error = take_totals(s);
    seek(s);
    for (unsigned i = 0; i < BATCH_ROWS && !error && step(s); ++i)
        error = take_track(s);
    if (error)
        store_rollback(s->into);
    else
        error = store_commit(s->into);
    if (!error)
        store_checkpoint(s->into, STORE_CHECKPOINT_IF_LONG);
    return error;
}

static int take_all(struct salvage *s, const char *path, int *lock)
{
    int error = take_batch(s);
    while (!error && !s->has_ended) {
        *lock = store_lock_yield(path, *lock);
        if (*lock < 0)
            return *lock;
        error = store_is_in_place(s->into) ? take_batch(s) : -EAGAIN;
    }
    return error;
}

int store_mend(const char *path, int *lock, uint64_t *kept)
{
    char aside[PATH_MAX];
    struct salvage s = {.next = FIRST_ID};
    *kept = 0;
    int error = store_put_aside(path, aside);
    if (!error)
        error = store_open_writer(&s.into, path);
    if (!error && store_open_damaged(&s.from, aside) == 0) {
        prepare(&s);
        if (s.tracks)
            error = take_all(&s, path, lock);
        sqlite3_finalize(s.tracks);
        sqlite3_finalize(s.targets);
    }
    *kept = s.kept;
    store_close(&s.from);
    store_close(&s.into); // without the lock on -EAGAIN: nothing is open on it then
    return error;
}
