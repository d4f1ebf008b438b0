// SPDX-License-Identifier: MIT
#include "io/store/store.h"
#include "io/store/store_impl.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

// A row that fails its checksum is none: what is asked for is then made anew, and replaces it.
static int read_one(struct store *store, sqlite3_stmt *statement, struct store_track *track)
{
    const int code = sqlite3_step(statement);
    int error = code == SQLITE_DONE ? -ENOENT : store_error(store->db, code);
    if (!error)
        error = store_track_read(statement, track);
    else
        *track = (struct store_track){0};
    const bool is_bad_row = code == SQLITE_ROW && error == -EBADMSG;
    if (error)
        store_track_deinit(track);
    sqlite3_reset(statement);
    return is_bad_row ? -ENOENT : error;
}

// An index that names a sound row of another key is damaged.
static int refuse(struct store_track *track)
{
    store_track_deinit(track);
    return -EBADMSG;
}

int store_find_by_path(struct store *store, const char *path, struct store_track *track)
{
    assert(path && path[0] == '/');
    sqlite3_stmt *statement;
    int error = store_prepare(store, STORE_FIND_PATH, &statement);
    if (!error)
        error = store_error(store->db,
                            sqlite3_bind_blob64(statement, 1, path, strlen(path), SQLITE_STATIC));
    if (!error)
        error = read_one(store, statement, track);
    return !error && strcmp(track->path, path) != 0 ? refuse(track) : error;
}

int store_find_by_inode(struct store *store, const struct file_identity *identity,
                        struct store_track *track)
{
    sqlite3_stmt *statement;
    int error = store_prepare(store, STORE_FIND_INODE, &statement);
    const uint64_t keys[] = {identity->device, identity->inode, identity->size_bytes};
    for (int i = 0; i < 3 && !error; ++i)
        error = store_error(store->db, sqlite3_bind_int64(statement, 1 + i, (int64_t)keys[i]));
    if (!error)
        error = read_one(store, statement, track);
    const struct file_identity *found = &track->identity;
    const bool is_other = !error && (found->device != keys[0] || found->inode != keys[1]);
    return is_other ? refuse(track) : error;
}

static int bind_targets_key(struct store *store, sqlite3_stmt *statement, int64_t track,
                            const struct store_settings *settings)
{
    int code = sqlite3_bind_int64(statement, 1, track);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 2, settings->preset, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_double(statement, 3, settings->intensity);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 4, settings->target, -1, SQLITE_STATIC);
    return store_error(store->db, code);
}

int store_find_targets(struct store *store, const struct store_track *track,
                       struct store_targets *targets)
{
    sqlite3_stmt *statement;
    int error = store_prepare(store, STORE_FIND_TARGETS, &statement);
    if (!error)
        error = bind_targets_key(store, statement, track->id, &targets->settings);
    if (error)
        return error;
    const int code = sqlite3_step(statement);
    error = code == SQLITE_DONE ? -ENOENT : store_error(store->db, code);
    if (!error && store_targets_read(statement, track, targets))
        error = -ENOENT; // a bad row
    sqlite3_reset(statement);
    return error;
}

int store_for_each_track(struct store *store, store_track_fn fn, void *context)
{
    sqlite3_stmt *statement;
    int result = store_prepare(store, STORE_EACH_TRACK, &statement);
    if (result)
        return result;
    int code = SQLITE_DONE;
    while (!result && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct store_track track;
        const int error = store_track_read(statement, &track);
        result = error == -ENOMEM ? error : fn(context, &track, error);
        store_track_deinit(&track);
    }
    if (!result)
        result = store_error(store->db, code);
    sqlite3_reset(statement);
    return result;
}

int store_find_outdated(struct store *store, uint32_t version, int64_t after, store_outdated_fn fn,
                        void *context)
{
    sqlite3_stmt *statement;
    int result = store_prepare(store, STORE_FIND_OUTDATED, &statement);
    if (result)
        return result;
    int code = sqlite3_bind_int64(statement, 1, version);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 2, after);
    while (!result && (code == SQLITE_OK || code == SQLITE_ROW)) {
        code = sqlite3_step(statement);
        if (code != SQLITE_ROW)
            break;
        const char *path = (const char *)sqlite3_column_text(statement, 1);
        result = path ? fn(context, sqlite3_column_int64(statement, 0), path) : -ENOMEM;
    }
    if (!result)
        result = store_error(store->db, code);
    sqlite3_reset(statement);
    return result;
}

int store_for_each_targets(struct store *store, const struct store_track *track,
                           store_targets_fn fn, void *context)
{
    sqlite3_stmt *statement;
    int result = store_prepare(store, STORE_EACH_TARGETS, &statement);
    if (result)
        return result;
    int code = sqlite3_bind_int64(statement, 1, track->id);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code != SQLITE_ROW)
            break;
        struct store_targets targets = {0};
        int error = store_targets_read_settings(statement, &targets.settings);
        if (!error)
            error = store_targets_read(statement, track, &targets);
        result = fn(context, track, &targets, error);
        if (result)
            break;
    }
    if (!result)
        result = store_error(store->db, code);
    sqlite3_reset(statement);
    return result;
}

// --- statistics

// Run `sql` and hand each row over. @return as store_error().
static int each_row(struct store *store, const char *sql,
                    void (*fn)(void *context, sqlite3_stmt *row), void *context)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return store_statement_error(store, code);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        fn(context, statement);
    const int error = store_statement_error(store, code);
    sqlite3_finalize(statement);
    return error;
}

static void take_number(void *context, sqlite3_stmt *row)
{
    *(int64_t *)context = sqlite3_column_int64(row, 0);
}

int store_highest_id(struct store *store, int64_t *id)
{
    *id = 0;
    return each_row(store, "SELECT max(id) FROM analysis", take_number, id);
}

int store_count_orphans(struct store *store, int64_t *count)
{
    *count = 0;
    return each_row(store,
                    "SELECT count(*) FROM targets WHERE track NOT IN (SELECT id FROM analysis)",
                    take_number, count);
}

struct complaints {
    void (*fn)(void *context, const char *complaint);
    void *context;
};

static void take_complaint(void *context, sqlite3_stmt *row)
{
    const struct complaints *complaints = context;
    const char *text = (const char *)sqlite3_column_text(row, 0);
    if (text && strcmp(text, "ok") != 0)
        complaints->fn(complaints->context, text);
}

int store_check(struct store *store)
{
    int64_t is_whole = 0;
    int error = each_row(store, "SELECT integrity_check='ok' FROM pragma_integrity_check(1)",
                         take_number, &is_whole);
    if (!error && !is_whole)
        error = -EBADMSG;
    return error ? error : store_schema_compare(store->db);
}

int store_check_integrity(struct store *store, void (*fn)(void *context, const char *complaint),
                          void *context)
{
    struct complaints complaints = {fn, context};
    int error = each_row(store, "PRAGMA integrity_check", take_complaint, &complaints);
    if (error)
        return error;
    error = store_schema_compare(store->db);
    if (error == -EBADMSG)
        fn(context, "the schema is damaged");
    return error == -EBADMSG ? 0 : error;
}

// What a damaged row calls itself is not printed.
static bool is_word(const char *name)
{
    const size_t bytes = strlen(name);
    return bytes > 0 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == bytes;
}

// A row counts for the group that is named as it is; the last is for what is no name, or finds no group left.
static void count_group(struct store_count *groups, unsigned *used, const char *name, int64_t count)
{
    unsigned i = 0;
    if (!is_word(name) || strlen(name) >= sizeof(groups[0].name))
        name = "other";
    while (i < *used && strcmp(groups[i].name, name) != 0)
        ++i;
    if (i == STORE_STATS_GROUPS - 1 && i == *used)
        name = "other";
    if (i == STORE_STATS_GROUPS)
        --i;
    if (i == *used) {
        snprintf(groups[i].name, sizeof(groups[i].name), "%s", name);
        ++*used;
    }
    groups[i].count += count;
}

static void take_kind(void *context, sqlite3_stmt *row)
{
    struct store_stats *stats = context;
    char version[24];
    snprintf(version, sizeof(version), "%lld", (long long)sqlite3_column_int64(row, 0));
    const char *backend = (const char *)sqlite3_column_text(row, 1);
    const int64_t count = sqlite3_column_int64(row, 2), oldest_s = sqlite3_column_int64(row, 3);
    count_group(stats->versions, &stats->version_count, version, count);
    count_group(stats->backends, &stats->backend_count, backend ? backend : "", count);
    if (stats->entries == 0 || oldest_s < stats->oldest_s)
        stats->oldest_s = oldest_s;
    stats->entries += count;
}

static int64_t *total_named(struct store_totals *totals, const char *name)
{
    const struct {
        const char *name;
        int64_t *value;
    } named[] = {{"memory_hits", &totals->memory_hits},
                 {"sqlite_hits", &totals->sqlite_hits},
                 {"sidecar_hits", &totals->sidecar_hits},
                 {"misses", &totals->misses},
                 {"saved_ns", &totals->saved_ns}};
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); ++i)
        if (strcmp(named[i].name, name) == 0)
            return named[i].value;
    return NULL;
}

static void take_total(void *context, sqlite3_stmt *row)
{
    const char *name = (const char *)sqlite3_column_text(row, 0);
    int64_t *value = name ? total_named(context, name) : NULL;
    const int64_t found = sqlite3_column_int64(row, 1);
    if (value)
        *value = found > 0 ? found : 0;
}

int64_t store_total_sum(int64_t a, int64_t b)
{
    assert(a >= 0 && b >= 0);
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

void store_totals_add(struct store_totals *to, const struct store_totals *more)
{
    to->memory_hits = store_total_sum(to->memory_hits, more->memory_hits);
    to->sqlite_hits = store_total_sum(to->sqlite_hits, more->sqlite_hits);
    to->sidecar_hits = store_total_sum(to->sidecar_hits, more->sidecar_hits);
    to->misses = store_total_sum(to->misses, more->misses);
    to->saved_ns = store_total_sum(to->saved_ns, more->saved_ns);
}

int store_read_totals(struct store *store, struct store_totals *totals)
{
    *totals = (struct store_totals){0};
    return each_row(store, "SELECT name,value FROM totals", take_total, totals);
}

int store_stats(struct store *store, struct store_stats *stats)
{
    *stats = (struct store_stats){0};
    int error = each_row(store,
                         "SELECT algorithm_version,backend,count(*),min(created_s) FROM analysis "
                         "GROUP BY algorithm_version,backend",
                         take_kind, stats);
    if (!error)
        error = store_read_totals(store, &stats->totals);
    if (!error)
        error =
            each_row(store, "SELECT page_count*page_size FROM pragma_page_count,pragma_page_size",
                     take_number, &stats->bytes);
    return error;
}
