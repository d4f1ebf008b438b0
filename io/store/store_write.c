// SPDX-License-Identifier: MIT
#include "io/store/store.h"
#include "io/store/store_impl.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum { LONG_LOG_PAGES = 1000 };

int store_begin(struct store *store, enum store_durability durability)
{
    int error = store_run(store, durability == STORE_DURABLE ? "PRAGMA synchronous=FULL"
                                                             : "PRAGMA synchronous=NORMAL");
    if (!error)
        error = store_run(store, "BEGIN IMMEDIATE");
    if (error)
        return error;
    error = store_schema_check(store->db); // another process may have raised the schema meanwhile
    if (error)
        store_rollback(store);
    return error == -ENODATA ? -EBADMSG : error;
}

void store_rollback(struct store *store)
{
    // SQLite may have rolled back by itself; nothing is open then and nothing is left to do.
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

int store_commit(struct store *store)
{
    const int error = store_run(store, "COMMIT");
    if (error)
        store_rollback(store);
    return error;
}

void store_checkpoint(struct store *store, enum store_checkpoint when)
{
    if (when == STORE_CHECKPOINT_IF_LONG && store->log_pages < LONG_LOG_PAGES)
        return;
    // What a reader holds back stays in the log, where everyone finds it: no error.
    (void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static int delete_by_id(struct store *store, enum store_statement which, int64_t id)
{
    sqlite3_stmt *statement;
    int error = store_prepare(store, which, &statement);
    if (!error)
        error = store_error(store->db, sqlite3_bind_int64(statement, 1, id));
    return error ? error : store_step(store, statement);
}

static int delete_track(struct store *store, int64_t id)
{
    const int error = delete_by_id(store, STORE_DELETE_TARGETS, id);
    return error ? error : delete_by_id(store, STORE_DELETE_TRACK, id);
}

// What stands under a path, sound or not.
struct standing {
    int64_t id; // 0: nothing
    uint32_t algorithm_version;
    struct track_checksum checksum;
};

static void read_standing(sqlite3_stmt *statement, struct standing *standing)
{
    standing->id = sqlite3_column_int64(statement, 1);
    standing->algorithm_version = (uint32_t)sqlite3_column_int64(statement, 2);
    const void *bytes = sqlite3_column_blob(statement, 3);
    if (bytes && sqlite3_column_bytes(statement, 3) == TRACK_CHECKSUM_BYTES)
        memcpy(standing->checksum.bytes, bytes, TRACK_CHECKSUM_BYTES);
}

static int find_standing(struct store *store, const char *path, struct standing *standing)
{
    *standing = (struct standing){0};
    sqlite3_stmt *statement;
    int error = store_prepare(store, STORE_FIND_STANDING, &statement);
    if (!error)
        error = store_error(store->db,
                            sqlite3_bind_blob64(statement, 1, path, strlen(path), SQLITE_STATIC));
    if (error)
        return error;
    const int code = sqlite3_step(statement);
    error = store_error(store->db, code);
    if (code == SQLITE_ROW && !sqlite3_column_int64(statement, 0))
        error = -EBADMSG; // the index names a row that is another path's, or none
    else if (code == SQLITE_ROW)
        read_standing(statement, standing);
    sqlite3_reset(statement);
    return error;
}

static bool is_same_content(const struct standing *standing, const struct store_track *track)
{
    return standing->algorithm_version == track->algorithm_version &&
           memcmp(&standing->checksum, &track->checksum, sizeof(track->checksum)) == 0;
}

// Find the row that is to be written over, and clear what is in its way. Sets track->id, 0: a new row.
static int make_way(struct store *store, struct store_track *track, const char *moved_from,
                    struct standing *standing)
{
    int error = find_standing(store, track->path, standing);
    track->id = standing->id;
    if (error || standing->algorithm_version > track->algorithm_version)
        return error;
    if (standing->id && is_same_content(standing, track))
        return 0;
    if (moved_from && strcmp(moved_from, track->path) != 0) {
        struct standing origin;
        error = find_standing(store, moved_from, &origin);
        if (!error && origin.id && is_same_content(&origin, track)) {
            track->id = origin.id;
            return standing->id ? delete_track(store, standing->id) : 0;
        }
    }
    return error || !standing->id ? error : delete_by_id(store, STORE_DELETE_TARGETS, standing->id);
}

static int insert_track(struct store *store, struct store_track *track)
{
    sqlite3_stmt *statement;
    int error =
        store_prepare(store, track->id ? STORE_REPLACE_TRACK : STORE_INSERT_TRACK, &statement);
    if (!error)
        error = store_track_bind(statement, track);
    if (!error)
        error = store_step(store, statement);
    if (!error)
        track->id = sqlite3_last_insert_rowid(store->db);
    return error;
}

static int insert_targets(struct store *store, const struct store_track *track,
                          const struct store_targets *targets, enum store_insert how)
{
    sqlite3_stmt *statement;
    int error = store_prepare(
        store, how == STORE_NEW ? STORE_INSERT_TARGETS : STORE_REPLACE_TARGETS, &statement);
    if (!error)
        error = store_targets_bind(statement, track, targets);
    return error ? error : store_step(store, statement);
}

// What a row that comes from elsewhere finds under its path. @return 0 and how much of it is to be saved; -EEXIST.
static int weigh(struct store *store, const struct store_track *track, enum store_saved *what)
{
    struct store_track known;
    *what = STORE_SAVED_ALL;
    const int error = store_find_by_path(store, track->path, &known);
    if (error)
        return error == -ENOENT ? 0 : error;
    const bool is_same = known.algorithm_version == track->algorithm_version &&
                         memcmp(&known.checksum, &track->checksum, sizeof(known.checksum)) == 0;
    const bool stands = !is_same && known.algorithm_version >= track->algorithm_version;
    if (is_same)
        *what = STORE_SAVED_TARGETS;
    store_track_deinit(&known);
    return stands ? -EEXIST : 0;
}

int store_save(struct store *store, struct store_track *track, const struct store_targets *targets,
               const char *moved_from, enum store_saved what)
{
    assert(track->path && !sqlite3_get_autocommit(store->db));
    struct standing standing;
    int error = what == STORE_SAVED_MISSING ? weigh(store, track, &what) : 0;
    if (!error)
        error = make_way(store, track, moved_from, &standing);
    if (error || standing.algorithm_version > track->algorithm_version)
        return error;
    const enum store_insert how = track->id ? STORE_REPLACING : STORE_NEW;
    if (what == STORE_SAVED_ALL || !standing.id || !is_same_content(&standing, track))
        error = insert_track(store, track);
    if (!error && targets)
        error = insert_targets(store, track, targets, how);
    return error;
}

// --- forgetting

// Everything below a folder sorts between "PATH/" and "PATH0", '0' being the byte after '/'.
static int bind_range(sqlite3_stmt *statement, const char *path)
{
    const size_t bytes = strlen(path);
    const int is_root = strcmp(path, "/") == 0;
    sqlite3_str *text = sqlite3_str_new(NULL);
    sqlite3_str_append(text, path, is_root ? 0 : (int)bytes);
    const int prefix_bytes = sqlite3_str_length(text) + 1;
    sqlite3_str_appendchar(text, 1, '/');
    char *from = sqlite3_str_finish(text);
    if (!from)
        return SQLITE_NOMEM;
    int code = sqlite3_bind_blob64(statement, 1, path, bytes, SQLITE_TRANSIENT);
    if (code == SQLITE_OK)
        code = sqlite3_bind_blob(statement, 2, from, prefix_bytes, SQLITE_TRANSIENT);
    from[prefix_bytes - 1] = '/' + 1;
    if (code == SQLITE_OK)
        code = sqlite3_bind_blob(statement, 3, from, prefix_bytes, SQLITE_TRANSIENT);
    sqlite3_free(from);
    return code;
}

static int clear_below(struct store *store, const char *path, int64_t *count)
{
    static const char *const sql[] = {
        "DELETE FROM targets WHERE track IN"
        "(SELECT id FROM analysis WHERE path=?1 OR path>=?2 AND path<?3)",
        "DELETE FROM analysis WHERE path=?1 OR path>=?2 AND path<?3"};
    int code = SQLITE_OK;
    for (unsigned i = 0; i < 2 && code == SQLITE_OK; ++i) {
        sqlite3_stmt *statement = NULL;
        code = sqlite3_prepare_v2(store->db, sql[i], -1, &statement, NULL);
        if (code == SQLITE_OK)
            code = bind_range(statement, path);
        if (code == SQLITE_OK)
            code = sqlite3_step(statement);
        if (code == SQLITE_DONE)
            code = SQLITE_OK;
        sqlite3_finalize(statement);
    }
    *count = sqlite3_changes64(store->db);
    return store_statement_error(store, code);
}

int store_clear(struct store *store, const char *path, int64_t *count)
{
    *count = 0;
    if (path)
        return clear_below(store, path, count);
    int error = store_run(store, "DELETE FROM targets;DELETE FROM totals");
    if (!error)
        error = store_run(store, "DELETE FROM analysis");
    *count = sqlite3_changes64(store->db);
    return error;
}

static int add_total(struct store *store, const char *name, int64_t value)
{
    if (value <= 0)
        return 0;
    sqlite3_stmt *statement;
    int error = store_prepare(store, STORE_ADD_TOTAL, &statement);
    int code = SQLITE_OK;
    if (!error)
        code = sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (!error && code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 2, value);
    if (!error)
        error = store_error(store->db, code);
    return error ? error : store_step(store, statement);
}

int store_add_totals(struct store *store, const struct store_totals *totals)
{
    int error = add_total(store, "memory_hits", totals->memory_hits);
    if (!error)
        error = add_total(store, "sqlite_hits", totals->sqlite_hits);
    if (!error)
        error = add_total(store, "sidecar_hits", totals->sidecar_hits);
    if (!error)
        error = add_total(store, "misses", totals->misses);
    return error ? error : add_total(store, "saved_ns", totals->saved_ns);
}

int store_vacuum(struct store *store)
{
    int error = store_run(store, "VACUUM");
    if (!error)
        error = store_run(store, "PRAGMA wal_checkpoint(TRUNCATE)");
    return error;
}
