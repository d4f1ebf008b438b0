// SPDX-License-Identifier: MIT
#include "io/store/store_row.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

// Columns of the analysis table before its values, as the SELECT has them.
enum {
    AT_ID,
    AT_PATH,
    AT_DEVICE,
    AT_INODE,
    AT_SIZE,
    AT_MTIME,
    AT_CTIME,
    AT_FRESH,
    AT_VERSION,
    AT_CHECKSUM,
    AT_CREATED,
    AT_COST,
    AT_VALUES,
    AT_RECORD_CHECKSUM = AT_VALUES + STORE_ANALYSIS_COLUMNS
};
static const char track_key_columns[] =
    "id,path,device,inode,size_bytes,mtime_ns,ctime_ns,is_fresh,algorithm_version,track_checksum,"
    "created_s,cost_ns,";

// The same of the targets table.
enum {
    AT_TRACK,
    AT_PRESET,
    AT_INTENSITY,
    AT_TARGET,
    AT_TARGETS_VALUES,
    AT_TARGETS_CHECKSUM = AT_TARGETS_VALUES + STORE_TARGETS_COLUMNS
};
static const char targets_key_columns[] = "track,preset,intensity,target,";

void store_track_deinit(struct store_track *track)
{
    free(track->heap);
    track->heap = NULL;
}

// --- checksums: each value with its kind and length, so that no two rows read the same

// Short values lie side by side, to be hashed at once; of long ones only their own hash does.
enum {
    DIGEST_ITEM_BYTES = 1 + sizeof(uint64_t) + sizeof(XXH128_hash_t),
    DIGEST_KEY_ITEMS = 12,
    DIGEST_BYTES = (DIGEST_KEY_ITEMS + STORE_ANALYSIS_COLUMNS) * DIGEST_ITEM_BYTES
};

struct digest {
    size_t used;
    unsigned char bytes[DIGEST_BYTES];
};

static void add_word(struct digest *digest, char kind, const void *eight_bytes)
{
    assert(digest->used + DIGEST_ITEM_BYTES <= DIGEST_BYTES);
    digest->bytes[digest->used] = (unsigned char)kind;
    memcpy(digest->bytes + digest->used + 1, eight_bytes, sizeof(uint64_t));
    digest->used += 1 + sizeof(uint64_t);
}

static void add(struct digest *digest, char kind, const void *bytes, size_t count)
{
    const uint64_t length = count;
    const XXH128_hash_t hash = XXH3_128bits(count ? bytes : "", count);
    add_word(digest, kind, &length);
    memcpy(digest->bytes + digest->used, &hash, sizeof(hash));
    digest->used += sizeof(hash);
}

static void add_integer(struct digest *digest, int64_t integer)
{
    add_word(digest, 'i', &integer);
}

static void add_value(struct digest *digest, enum store_type type, const struct store_value *value)
{
    static const uint64_t nothing = 0;
    if (value->is_null)
        add_word(digest, 'n', &nothing);
    else if (type == STORE_REAL)
        add_word(digest, 'r', &value->real);
    else if (type == STORE_INTEGER)
        add_integer(digest, value->integer);
    else
        add(digest, type == STORE_TEXT ? 't' : 'b', value->bytes.data, value->bytes.count);
}

static struct track_checksum finish(const struct digest *digest)
{
    return track_checksum_of_bytes(digest->bytes, digest->used);
}

struct track_checksum store_track_checksum(const struct store_track *track)
{
    struct digest digest;
    digest.used = 0;
    add(&digest, 'p', track->path, strlen(track->path));
    add_integer(&digest, (int64_t)track->identity.device);
    add_integer(&digest, (int64_t)track->identity.inode);
    add_integer(&digest, (int64_t)track->identity.size_bytes);
    add_integer(&digest, track->identity.mtime_ns);
    add_integer(&digest, track->identity.ctime_ns);
    add_integer(&digest, track->is_fresh);
    add_integer(&digest, track->algorithm_version);
    add(&digest, 'c', track->checksum.bytes, sizeof(track->checksum.bytes));
    add_integer(&digest, track->created_s);
    add_integer(&digest, track->cost_ns);
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i)
        add_value(&digest, store_analysis_columns[i].type, &track->values[i]);
    return finish(&digest);
}

struct track_checksum store_targets_checksum(const struct store_track *track,
                                             const struct store_targets *targets)
{
    struct digest digest;
    digest.used = 0;
    add(&digest, 'c', track->checksum.bytes, sizeof(track->checksum.bytes));
    add_integer(&digest, track->algorithm_version);
    add(&digest, 't', targets->settings.preset, strlen(targets->settings.preset));
    add(&digest, 't', targets->settings.target, strlen(targets->settings.target));
    add_word(&digest, 'r', &targets->settings.intensity);
    for (unsigned i = 0; i < STORE_TARGETS_COLUMNS; ++i)
        add_value(&digest, store_targets_columns[i].type, &targets->values[i]);
    return finish(&digest);
}

// --- SQL

static void append_names(sqlite3_str *sql, const struct store_column *columns, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        sqlite3_str_appendf(sql, "%s,", columns[i].name);
    sqlite3_str_appendall(sql, "record_checksum");
}

static const char *const verbs[] = {
    [STORE_NEW] = "INSERT", [STORE_REPLACING] = "INSERT OR REPLACE"};

static char *insert_sql(const char *verb, const char *table, const char *key,
                        const struct store_column *columns, size_t count, unsigned places)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(sql, "%s INTO %s(%s", verb, table, key);
    append_names(sql, columns, count);
    sqlite3_str_appendall(sql, ")VALUES(?");
    for (unsigned i = 1; i < places; ++i)
        sqlite3_str_appendall(sql, ",?");
    sqlite3_str_appendall(sql, ")");
    return sqlite3_str_finish(sql);
}

char *store_track_insert_sql(enum store_insert how)
{
    return insert_sql(verbs[how], "analysis", track_key_columns, store_analysis_columns,
                      STORE_ANALYSIS_COLUMNS, AT_RECORD_CHECKSUM + 1);
}

char *store_targets_insert_sql(enum store_insert how)
{
    return insert_sql(verbs[how], "targets", targets_key_columns, store_targets_columns,
                      STORE_TARGETS_COLUMNS, AT_TARGETS_CHECKSUM + 1);
}

static char *select_sql(const char *table, const char *key, const struct store_column *columns,
                        size_t count, const char *where)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(sql, "SELECT %s", key);
    append_names(sql, columns, count);
    sqlite3_str_appendf(sql, " FROM %s %s", table, where);
    return sqlite3_str_finish(sql);
}

char *store_track_select_sql(const char *where)
{
    return select_sql("analysis", track_key_columns, store_analysis_columns, STORE_ANALYSIS_COLUMNS,
                      where);
}

char *store_targets_select_sql(const char *where)
{
    return select_sql("targets", targets_key_columns, store_targets_columns, STORE_TARGETS_COLUMNS,
                      where);
}

// --- binding; parameters count from 1

static int bind_value(sqlite3_stmt *statement, int at, enum store_type type,
                      const struct store_value *value)
{
    if (value->is_null)
        return sqlite3_bind_null(statement, at);
    switch (type) {
    case STORE_REAL:
        return sqlite3_bind_double(statement, at, value->real);
    case STORE_INTEGER:
        return sqlite3_bind_int64(statement, at, value->integer);
    case STORE_TEXT:
        return sqlite3_bind_text64(statement, at, value->bytes.data, value->bytes.count,
                                   SQLITE_STATIC, SQLITE_UTF8);
    default:
        return value->bytes.count ? sqlite3_bind_blob64(statement, at, value->bytes.data,
                                                        value->bytes.count, SQLITE_STATIC)
                                  : sqlite3_bind_zeroblob(statement, at, 0);
    }
}

static int bind_values(sqlite3_stmt *statement, int at, const struct store_column *columns,
                       const struct store_value *values, unsigned count)
{
    int code = SQLITE_OK;
    for (unsigned i = 0; i < count && code == SQLITE_OK; ++i) {
        const bool is_real = columns[i].type == STORE_REAL && !values[i].is_null;
        if (is_real && !isfinite(values[i].real))
            return -EINVAL;
        code = bind_value(statement, at + (int)i, columns[i].type, &values[i]);
    }
    return store_error(sqlite3_db_handle(statement), code);
}

static int bind_checksum(sqlite3_stmt *statement, int at, const struct track_checksum *checksum)
{
    return sqlite3_bind_blob(statement, at, checksum->bytes, sizeof(checksum->bytes),
                             SQLITE_TRANSIENT);
}

int store_track_bind(sqlite3_stmt *statement, const struct store_track *track)
{
    assert(track->path && track->path[0] == '/');
    const struct track_checksum checksum = store_track_checksum(track);
    const int64_t integers[] = {(int64_t)track->identity.device,
                                (int64_t)track->identity.inode,
                                (int64_t)track->identity.size_bytes,
                                track->identity.mtime_ns,
                                track->identity.ctime_ns,
                                track->is_fresh,
                                track->algorithm_version};
    int code = track->id ? sqlite3_bind_int64(statement, AT_ID + 1, track->id)
                         : sqlite3_bind_null(statement, AT_ID + 1);
    if (code == SQLITE_OK)
        code = sqlite3_bind_blob64(statement, AT_PATH + 1, track->path, strlen(track->path),
                                   SQLITE_STATIC);
    for (int i = 0; i <= AT_VERSION - AT_DEVICE && code == SQLITE_OK; ++i)
        code = sqlite3_bind_int64(statement, AT_DEVICE + 1 + i, integers[i]);
    if (code == SQLITE_OK)
        code = bind_checksum(statement, AT_CHECKSUM + 1, &track->checksum);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, AT_CREATED + 1, track->created_s);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, AT_COST + 1, track->cost_ns);
    if (code == SQLITE_OK)
        code = bind_checksum(statement, AT_RECORD_CHECKSUM + 1, &checksum);
    if (code != SQLITE_OK)
        return store_error(sqlite3_db_handle(statement), code);
    return bind_values(statement, AT_VALUES + 1, store_analysis_columns, track->values,
                       STORE_ANALYSIS_COLUMNS);
}

int store_targets_bind(sqlite3_stmt *statement, const struct store_track *track,
                       const struct store_targets *targets)
{
    assert(track->id);
    const struct store_settings *settings = &targets->settings;
    const struct track_checksum checksum = store_targets_checksum(track, targets);
    if (!isfinite(settings->intensity))
        return -EINVAL;
    int code = sqlite3_bind_int64(statement, AT_TRACK + 1, track->id);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, AT_PRESET + 1, settings->preset, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_double(statement, AT_INTENSITY + 1, settings->intensity);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, AT_TARGET + 1, settings->target, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = bind_checksum(statement, AT_TARGETS_CHECKSUM + 1, &checksum);
    if (code != SQLITE_OK)
        return store_error(sqlite3_db_handle(statement), code);
    return bind_values(statement, AT_TARGETS_VALUES + 1, store_targets_columns, targets->values,
                       STORE_TARGETS_COLUMNS);
}

// --- reading; columns count from 0

static const int sqlite_types[] = {[STORE_REAL] = SQLITE_FLOAT,
                                   [STORE_INTEGER] = SQLITE_INTEGER,
                                   [STORE_TEXT] = SQLITE_TEXT,
                                   [STORE_BLOB] = SQLITE_BLOB};

// A column is looked up once for type and value; the connection is one thread's, which is what such a value needs.
static int read_value(sqlite3_stmt *statement, int at, enum store_type type,
                      struct store_value *value)
{
    sqlite3_value *column = sqlite3_column_value(statement, at);
    const int found = sqlite3_value_type(column);
    *value = (struct store_value){.is_null = found == SQLITE_NULL};
    if (value->is_null)
        return 0;
    if (found != sqlite_types[type])
        return -EBADMSG;
    if (type == STORE_REAL) {
        value->real = sqlite3_value_double(column);
        return isfinite(value->real) ? 0 : -EBADMSG;
    }
    if (type == STORE_INTEGER) {
        value->integer = sqlite3_value_int64(column);
        return 0;
    }
    value->bytes.data = sqlite3_value_blob(column);
    value->bytes.count = (size_t)sqlite3_value_bytes(column);
    return value->bytes.count && !value->bytes.data ? -ENOMEM : 0;
}

static int read_values(sqlite3_stmt *statement, int at, const struct store_column *columns,
                       struct store_value *values, unsigned count)
{
    int error = 0;
    for (unsigned i = 0; i < count && !error; ++i)
        error = read_value(statement, at + (int)i, columns[i].type, &values[i]);
    return error;
}

static int read_checksum(sqlite3_stmt *statement, int at, struct track_checksum *checksum)
{
    const void *bytes = sqlite3_column_blob(statement, at);
    if (!bytes || sqlite3_column_bytes(statement, at) != sizeof(checksum->bytes))
        return -EBADMSG;
    memcpy(checksum->bytes, bytes, sizeof(checksum->bytes));
    return 0;
}

static bool has_bytes(unsigned column)
{
    return store_analysis_columns[column].type >= STORE_TEXT;
}

// SQLite's memory is the statement's: take what is behind pointers along.
static int take_bytes(struct store_track *track, const void *path, size_t path_bytes)
{
    size_t total = path_bytes + 1;
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i)
        if (has_bytes(i) && !track->values[i].is_null)
            total += track->values[i].bytes.count;
    char *p = track->heap = malloc(total);
    if (!p)
        return -ENOMEM;
    memcpy(p, path, path_bytes);
    p[path_bytes] = '\0';
    track->path = p;
    p += path_bytes + 1;
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i) {
        struct store_value *value = &track->values[i];
        if (!has_bytes(i) || value->is_null)
            continue;
        if (value->bytes.count)
            memcpy(p, value->bytes.data, value->bytes.count);
        value->bytes.data = p;
        p += value->bytes.count;
    }
    return 0;
}

// @return whether its numbers are such as a row's can be.
static bool read_key(sqlite3_stmt *statement, struct store_track *track)
{
    const int64_t version = sqlite3_column_int64(statement, AT_VERSION);
    track->id = sqlite3_column_int64(statement, AT_ID);
    track->identity.device = (uint64_t)sqlite3_column_int64(statement, AT_DEVICE);
    track->identity.inode = (uint64_t)sqlite3_column_int64(statement, AT_INODE);
    track->identity.size_bytes = (uint64_t)sqlite3_column_int64(statement, AT_SIZE);
    track->identity.mtime_ns = sqlite3_column_int64(statement, AT_MTIME);
    track->identity.ctime_ns = sqlite3_column_int64(statement, AT_CTIME);
    track->is_fresh = sqlite3_column_int64(statement, AT_FRESH) != 0;
    track->algorithm_version = (uint32_t)version;
    track->created_s = sqlite3_column_int64(statement, AT_CREATED);
    track->cost_ns = sqlite3_column_int64(statement, AT_COST);
    return version > 0 && version <= UINT32_MAX && track->identity.size_bytes <= INT64_MAX &&
           track->created_s >= 0 && track->cost_ns >= 0;
}

int store_track_read(sqlite3_stmt *statement, struct store_track *track)
{
    *track = (struct store_track){0};
    struct track_checksum stored;
    const bool is_sane = read_key(statement, track);
    int error = read_checksum(statement, AT_CHECKSUM, &track->checksum);
    if (!error)
        error = read_checksum(statement, AT_RECORD_CHECKSUM, &stored);
    if (!error)
        error = read_values(statement, AT_VALUES, store_analysis_columns, track->values,
                            STORE_ANALYSIS_COLUMNS);
    const void *path = sqlite3_column_blob(statement, AT_PATH);
    if (!error && !path)
        error = -EBADMSG;
    if (!error)
        error = take_bytes(track, path, (size_t)sqlite3_column_bytes(statement, AT_PATH));
    if (error)
        return error;
    const struct track_checksum computed = store_track_checksum(track);
    const bool is_whole = strlen(track->path) == (size_t)sqlite3_column_bytes(statement, AT_PATH);
    return !is_sane || !is_whole || memcmp(&computed, &stored, sizeof(stored)) != 0 ? -EBADMSG : 0;
}

int store_targets_read_settings(sqlite3_stmt *statement, struct store_settings *settings)
{
    settings->preset = (const char *)sqlite3_column_text(statement, AT_PRESET);
    settings->intensity = sqlite3_column_double(statement, AT_INTENSITY);
    settings->target = (const char *)sqlite3_column_text(statement, AT_TARGET);
    return settings->preset && settings->target && isfinite(settings->intensity) ? 0 : -EBADMSG;
}

int store_targets_read(sqlite3_stmt *statement, const struct store_track *track,
                       struct store_targets *targets)
{
    struct track_checksum stored;
    int error = read_checksum(statement, AT_TARGETS_CHECKSUM, &stored);
    if (!error)
        error = read_values(statement, AT_TARGETS_VALUES, store_targets_columns, targets->values,
                            STORE_TARGETS_COLUMNS);
    if (error)
        return error;
    const struct track_checksum computed = store_targets_checksum(track, targets);
    return memcmp(&computed, &stored, sizeof(stored)) != 0 ? -EBADMSG : 0;
}
