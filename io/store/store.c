// SPDX-License-Identifier: MIT
// Connections. What is read through them is in store_read.c, what is written in store_write.c.
#include "io/store/store.h"
#include "io/store/store_files.h"
#include "io/store/store_impl.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CACHE_KIB = 16384 };

void store_set_up_process(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); // refused too late, which harms nothing
}

// An index says which row, and no more: asked for both at once, SQLite takes a row's key from the index, so that a row
// passes whose own key is damaged, and is not there any more once the table is read without the index.
static char *sql_of(enum store_statement which)
{
    switch (which) {
    case STORE_FIND_PATH:
        return store_track_select_sql("WHERE id=(SELECT id FROM analysis WHERE path=?1)");
    case STORE_FIND_INODE:
        return store_track_select_sql("WHERE id=(SELECT id FROM analysis WHERE device=?1 AND "
                                      "inode=?2 AND size_bytes=?3 ORDER BY id DESC LIMIT 1)");
    case STORE_FIND_TARGETS:
        return store_targets_select_sql(
            "WHERE track=?1 AND preset=?2 AND intensity=?3 AND target=?4");
    case STORE_EACH_TRACK:
        return store_track_select_sql("ORDER BY path");
    case STORE_FIND_OUTDATED:
        return sqlite3_mprintf("SELECT id,path FROM analysis WHERE id IN(SELECT id FROM analysis "
                               "INDEXED BY analysis_kind WHERE algorithm_version<?1 AND id>?2 "
                               "ORDER BY id LIMIT 64)ORDER BY id");
    case STORE_EACH_TARGETS:
        return store_targets_select_sql("WHERE track=?1");
    case STORE_FIND_STANDING:
        return sqlite3_mprintf("SELECT t.path IS ?1,t.id,t.algorithm_version,t.track_checksum FROM "
                               "analysis i LEFT JOIN analysis t ON t.id=i.id WHERE i.path=?1");
    case STORE_INSERT_TRACK:
        return store_track_insert_sql(STORE_NEW);
    case STORE_REPLACE_TRACK:
        return store_track_insert_sql(STORE_REPLACING);
    case STORE_INSERT_TARGETS:
        return store_targets_insert_sql(STORE_NEW);
    case STORE_REPLACE_TARGETS:
        return store_targets_insert_sql(STORE_REPLACING);
    case STORE_DELETE_TRACK:
        return sqlite3_mprintf("DELETE FROM analysis WHERE id=?1");
    case STORE_DELETE_TARGETS:
        return sqlite3_mprintf("DELETE FROM targets WHERE track=?1");
    default:
        assert(which == STORE_ADD_TOTAL);
        // A sum past the end of the integers would be a REAL, which the table refuses.
        return sqlite3_mprintf(
            "INSERT INTO totals(name,value)VALUES(?1,?2)ON CONFLICT(name)DO UPDATE SET value="
            "CASE WHEN value>%lld-excluded.value THEN %lld ELSE value+excluded.value END",
            INT64_MAX, INT64_MAX);
    }
}

int store_statement_error(const struct store *store, int code)
{
    switch (code & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return -EBADMSG;
    default:
        return store_error(store->db, code);
    }
}

int store_prepare(struct store *store, enum store_statement which, sqlite3_stmt **statement)
{
    sqlite3_stmt **slot = &store->statements[which];
    if (!*slot) {
        char *sql = sql_of(which);
        if (!sql)
            return -ENOMEM;
        const int code =
            sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
        sqlite3_free(sql);
        if (code != SQLITE_OK)
            return store_statement_error(store, code);
    }
    sqlite3_reset(*slot); // reports the error of the last run, which its caller has had
    sqlite3_clear_bindings(*slot);
    *statement = *slot;
    return 0;
}

int store_run(struct store *store, const char *sql)
{
    return store_error(store->db, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

int store_step(struct store *store, sqlite3_stmt *statement)
{
    const int code = sqlite3_step(statement);
    const int error = store_statement_error(store, code);
    sqlite3_reset(statement); // the same error again
    return error;
}

static int note_place(struct store *store)
{
    struct stat st;
    if (stat(store->path, &st))
        return -errno;
    store->device = st.st_dev;
    store->inode = st.st_ino;
    return 0;
}

bool store_is_in_place(const struct store *store)
{
    struct stat st;
    return stat(store->path, &st) == 0 && st.st_dev == store->device && st.st_ino == store->inode;
}

static int create(struct store **out, const char *path)
{
    struct store *store = *out = calloc(1, sizeof(*store));
    if (!store)
        return -ENOMEM;
    store->path = strdup(path);
    if (!store->path)
        store_close(out);
    return *out ? 0 : -ENOMEM;
}

// Nobody checkpoints but a writer, which does it explicitly: see "WAL-reset" in SQLite's wal.html, section 11.
static int set_up(struct store *store)
{
    char sql[128];
    snprintf(sql, sizeof(sql),
             "PRAGMA temp_store=MEMORY;PRAGMA cache_size=-%d;PRAGMA trusted_schema=0", CACHE_KIB);
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, STORE_READER_WAIT_MS);
    sqlite3_wal_autocheckpoint(store->db, 0);
    int code = sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    // Of a schema that SQLite makes nothing of it is to be told first whose it is: store_schema_check().
    return code == SQLITE_ERROR ? 0 : store_error(store->db, code);
}

static int connect_to(struct store *store, const char *name, int flags)
{
    const int code = sqlite3_open_v2(name, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    int error = store_error(store->db, code);
    if (!error)
        error = note_place(store);
    if (!error)
        error = set_up(store);
    return error;
}

// Of a database whose -shm can be neither opened nor made: no lock, as from a CD, and only what the main file holds.
// What stands in a -wal beside it is not seen, and a checkpoint cut short may have left pages of two states: rows are
// missed then, or the ones before are found. None is wrong for that: each has a checksum over its key and values, and
// is a hit only for a file whose identity or whose every byte is as it was.
static int connect_immutable(struct store *store)
{
    sqlite3_close(store->db);
    store->db = NULL;
    char *name = store_schema_immutable_uri(store->path);
    int error = name ? connect_to(store, name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI) : -ENOMEM;
    sqlite3_free(name);
    store->is_partial = store_schema_has_log(store->path);
    if (!error)
        error = store_schema_check(store->db);
    return error == -EBADMSG && store->is_partial ? -EUCLEAN : error;
}

bool store_is_partial(const struct store *store)
{
    return store->is_partial;
}

int store_open_reader(struct store **out, const char *path)
{
    struct stat st;
    int error = stat(path, &st) ? -errno : create(out, path);
    if (error) {
        *out = NULL;
        return error;
    }
    if (!S_ISREG(st.st_mode))
        error = S_ISDIR(st.st_mode) ? -EISDIR : -ESPIPE;
    if (!error)
        error = connect_to(*out, path, SQLITE_OPEN_READONLY);
    if (!error)
        error = store_schema_check((*out)->db);
    if (error == -EACCES || error == -EROFS || error == -ENOSPC)
        error = connect_immutable(*out);
    if (error)
        store_close(out);
    return error == -ENODATA ? -ENOENT : error;
}

int store_open_damaged(struct store **out, const char *path)
{
    int error = create(out, path);
    if (!error)
        error = connect_to(*out, path, SQLITE_OPEN_READONLY);
    if (error)
        store_close(out);
    return error;
}

static int note_log_pages(void *context, sqlite3 *db, const char *name, int pages)
{
    struct store *store = context;
    (void)db;
    (void)name;
    store->log_pages = pages;
    return SQLITE_OK;
}

int store_open_writer(struct store **out, const char *path)
{
    *out = NULL;
    return store_files_has_salvage(path) ? -EBADMSG : store_open_for_salvage(out, path);
}

int store_open_for_salvage(struct store **out, const char *path)
{
    int error = create(out, path);
    if (error)
        return error;
    error = connect_to(*out, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!error)
        error = store_schema_check((*out)->db);
    if (error == -ENODATA)
        error = store_schema_migrate((*out)->db);
    // SQLite opens what it may not write for reading, and says so only when it is written. Where the file may be
    // written, it is the header that says it may not.
    if (!error && sqlite3_db_readonly((*out)->db, "main") == 1)
        error = faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) ? -EROFS : -EBADMSG;
    if (error)
        store_close(out);
    else
        sqlite3_wal_hook((*out)->db, note_log_pages, *out);
    return error;
}

void store_close(struct store **store)
{
    struct store *s = *store;
    if (!s)
        return;
    for (unsigned i = 0; i < STORE_STATEMENTS; ++i)
        sqlite3_finalize(s->statements[i]);
    sqlite3_close(s->db);
    free(s->path);
    free(s);
    *store = NULL;
}

const char *store_error_text(int error)
{
    switch (-error) {
    case EBADMSG:
        return "the database is corrupt";
    case EMEDIUMTYPE:
        return "this is another application's database: it is left alone";
    case EOVERFLOW:
        return "made by a newer version of Segue: it is left alone";
    case EUCLEAN:
        return "its folder cannot be written, and without that its log cannot be read";
    case EBUSY:
    case EAGAIN:
        return "the database is locked by another process";
    case ENOSPC:
    case EDQUOT:
        return "the disk is full";
    case EISDIR:
    case ESPIPE:
        return "not a regular file";
    default:
        return strerror(-error);
    }
}
