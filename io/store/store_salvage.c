// SPDX-License-Identifier: MIT
// A corrupt database replaced by a new one of all that still reads. Each row carries its own checksum, so that none is
// taken over for what it is not.
//
// How far it is stands in the new database, in the transaction of the rows it counts: whoever holds the lock next goes
// on from there, be it that this process gave it up for a while, or that it was killed.
#include "io/store/store.h"
#include "io/store/store_files.h"
#include "io/store/store_impl.h"
#include <errno.h>
#include <limits.h>

enum {
    FIRST_ID = 1, // as SQLite numbers rows
    BATCH_ROWS = 1024,
    UNREADABLE_ROWS = 65536, // in a row: what follows them is given up
};

// Rows are gone through in their order, and then each id is asked for as a look-up does: behind a damaged key one finds
// what the other does not, and nothing that was a hit is to be lost.
enum pass { IN_ORDER, BY_ID, PASSES };

struct salvage {
    struct store *from, *into;
    sqlite3_stmt *rows[PASSES], *targets; // NULL: they cannot be read
    enum pass pass;                       // PASSES: the end
    int64_t next;                         // the lowest id that the pass is not done with
    int64_t last;                         // where IN_ORDER ended; 0: in another process
    bool is_under_way;                    // the statement of IN_ORDER stands before it
};

// By place, not by name: the names are in a schema that may be damaged, too.
static void prepare(struct salvage *s)
{
    static const char *const rows[PASSES] = {
        [IN_ORDER] = "SELECT * FROM analysis WHERE rowid>=?1 ORDER BY rowid",
        [BY_ID] = "SELECT * FROM analysis WHERE rowid=?1",
    };
    static const char targets[] = "SELECT * FROM targets WHERE track=?1";
    for (unsigned i = 0; i < PASSES; ++i) // left NULL on failure
        (void)sqlite3_prepare_v2(s->from->db, rows[i], -1, &s->rows[i], NULL);
    (void)sqlite3_prepare_v2(s->from->db, targets, -1, &s->targets, NULL);
}

// --- how far it is, in one number: the id, negative in the second pass, 0 at the end

static int write_position(struct salvage *s)
{
    const int64_t position = s->pass == IN_ORDER ? s->next : s->pass == BY_ID ? -s->next : 0;
    char *sql = sqlite3_mprintf("INSERT OR REPLACE INTO totals(name,value)VALUES('salvage',%lld)",
                                position);
    const int error = sql ? store_run(s->into, sql) : -ENOMEM;
    sqlite3_free(sql);
    return error;
}

// @return 0; -ENOENT: it has not begun.
static int read_position(struct salvage *s)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(s->into->db, "SELECT value FROM totals WHERE name='salvage'", -1,
                                  &statement, NULL);
    if (code != SQLITE_OK)
        return store_statement_error(s->into, code);
    code = sqlite3_step(statement);
    const int64_t position = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : FIRST_ID;
    sqlite3_finalize(statement);
    const enum pass pass = position > 0 ? IN_ORDER : position < 0 ? BY_ID : PASSES;
    const int64_t next = position < 0 ? -(position + 1) + 1 : position;
    s->is_under_way &= pass == s->pass && next == s->next; // nobody has gone on meanwhile
    s->pass = pass;
    s->next = next;
    return code == SQLITE_DONE ? -ENOENT : store_error(s->into->db, code);
}

static void end_pass(struct salvage *s)
{
    s->last = s->pass == IN_ORDER ? s->next : 0;
    ++s->pass;
    s->next = FIRST_ID;
    s->is_under_way = false;
}

// --- rows

// The row of the id, or the next one in order. @return SQLite's code.
static int find(struct salvage *s)
{
    sqlite3_stmt *rows = s->rows[s->pass];
    int code = SQLITE_OK;
    if (!s->is_under_way) {
        sqlite3_reset(rows); // its error was told by the step
        code = sqlite3_bind_int64(rows, 1, s->next);
    }
    if (code == SQLITE_OK)
        code = sqlite3_step(rows);
    s->is_under_way = code == SQLITE_ROW && s->pass == IN_ORDER;
    return code;
}

static bool is_past_all(const struct salvage *s, int code)
{
    if (s->pass == IN_ORDER)
        return code == SQLITE_DONE;
    return s->last && s->next > s->last;
}

// Onto the next row that reads: a bad page is passed id by id. @return whether there is one.
static bool step(struct salvage *s)
{
    unsigned unreadable = 0;
    while (s->pass < PASSES) {
        const int code = find(s);
        if (code == SQLITE_ROW && s->next < INT64_MAX)
            return true;
        if (is_past_all(s, code) || ++unreadable == UNREADABLE_ROWS || s->next == INT64_MAX) {
            end_pass(s);
            unreadable = 0;
        } else {
            ++s->next;
        }
    }
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
    int error = store_track_read(s->rows[s->pass], &track);
    const bool is_sound = !error && track.path[0] == '/';
    const int64_t old_id = track.id;
    if (is_sound)
        error = store_save(s->into, &track, NULL, NULL, STORE_SAVED_MISSING);
    if (is_sound && !error)
        error = s->targets ? take_targets(s, &track, old_id) : 0;
    if (old_id >= s->next) // in a damaged order it may not be
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

static int take_rows(struct salvage *s)
{
    int error = read_position(s);
    if (error == -ENOENT)
        error = take_totals(s);
    for (unsigned i = 0; i < BATCH_ROWS && !error && step(s); ++i)
        error = take_track(s);
    return error ? error : write_position(s);
}

static int end_batch(struct salvage *s, int error)
{
    if (error)
        store_rollback(s->into);
    else
        error = store_commit(s->into);
    return error;
}

static int take_batch(struct salvage *s)
{
    int error = store_begin(s->into, STORE_CONSISTENT);
    if (error)
        return error;
    error = end_batch(s, take_rows(s));
    if (!error)
        store_checkpoint(s->into, STORE_CHECKPOINT_IF_LONG);
    return error;
}

static int take_all(struct salvage *s, const char *path, int *lock)
{
    int error = take_batch(s);
    while (!error && s->pass < PASSES) {
        *lock = store_lock_yield(path, *lock);
        if (*lock < 0)
            return *lock;
        error = store_is_in_place(s->into) ? take_batch(s) : -EAGAIN;
    }
    return error;
}

// What was taken is on the disk before the old file gets the name of one that is done with.
static int end_salvage(struct salvage *s, const char *path, uint64_t *kept)
{
    struct store_stats stats;
    int error = store_begin(s->into, STORE_DURABLE);
    if (error)
        return error;
    s->pass = PASSES;
    error = end_batch(s, write_position(s));
    if (!error)
        error = store_stats(s->into, &stats);
    if (error)
        return error;
    *kept = (uint64_t)stats.entries;
    return store_files_end_salvage(path);
}

static int salvage(const char *path, int *lock, uint64_t *kept)
{
    char from[PATH_MAX];
    struct salvage s = {.pass = IN_ORDER, .next = FIRST_ID};
    int error = store_files_name_salvage(path, from);
    if (!error)
        error = store_open_for_salvage(&s.into, path);
    // Without BEGIN each look for a row would be a transaction of its own.
    if (!error && store_open_damaged(&s.from, from) == 0 && store_run(s.from, "BEGIN") == 0) {
        prepare(&s);
        if (s.rows[IN_ORDER] && s.rows[BY_ID])
            error = take_all(&s, path, lock);
        sqlite3_finalize(s.rows[IN_ORDER]);
        sqlite3_finalize(s.rows[BY_ID]);
        sqlite3_finalize(s.targets);
    }
    if (!error)
        error = end_salvage(&s, path, kept);
    store_close(&s.from);
    store_close(&s.into); // without the lock on -EAGAIN: nothing is open on it then
    return error;
}

int store_mend(const char *path, int *lock, uint64_t *kept)
{
    const bool goes_on = store_files_has_salvage(path);
    *kept = 0;
    int error = goes_on ? store_files_complete_salvage(path) : store_files_begin_salvage(path);
    if (!error)
        error = salvage(path, lock, kept);
    if (error == -EBADMSG &&
        goes_on) { // the new one is corrupt by now: what the old one still held is given up
        error = store_files_begin_salvage(path);
        if (!error)
            error = salvage(path, lock, kept);
    }
    return error;
}
