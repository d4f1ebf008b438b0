// SPDX-License-Identifier: MIT
#include "io/store/store_schema.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct store_column store_analysis_columns[STORE_ANALYSIS_COLUMNS] = {
    {"codec", STORE_TEXT},
    {"backend", STORE_TEXT},
    {"duration_s", STORE_REAL},
    {"sample_rate_hz", STORE_INTEGER},
    {"channels", STORE_INTEGER},
    {"frames", STORE_INTEGER},
    {"replaced_samples_reported", STORE_INTEGER},
    {"silence_head_s", STORE_REAL},
    {"silence_tail_s", STORE_REAL},
    {"sub_bass_pct", STORE_REAL},
    {"bass_pct", STORE_REAL},
    {"low_mid_pct", STORE_REAL},
    {"mid_pct", STORE_REAL},
    {"upper_mid_pct", STORE_REAL},
    {"presence_pct", STORE_REAL},
    {"air_pct", STORE_REAL},
    {"lufs", STORE_REAL},
    {"crest_db", STORE_REAL},
    {"bass_mid_ratio", STORE_REAL},
    {"tempo_bpm", STORE_REAL},
    {"rhythm_stability", STORE_REAL},
    {"transient_density", STORE_REAL},
    {"silence_ratio", STORE_REAL},
    {"spectral_centroid", STORE_REAL},
    {"spectral_rolloff", STORE_REAL},
    {"spectral_flatness", STORE_REAL},
    {"harmonic_ratio", STORE_REAL},
    {"pitch_stability", STORE_REAL},
    {"chroma_energy", STORE_REAL},
    {"dynamic_range_variation", STORE_REAL},
    {"loudness_variation_std", STORE_REAL},
    {"peak_consistency", STORE_REAL},
    {"stereo_width", STORE_REAL},
    {"phase_correlation", STORE_REAL},
    {"integrated_lufs", STORE_REAL},
    {"range_lu", STORE_REAL},
    {"true_peak_dbtp", STORE_REAL},
    {"sample_peak_dbfs", STORE_REAL},
    {"momentary_max_lufs", STORE_REAL},
    {"short_term_max_lufs", STORE_REAL},
    {"bpm", STORE_REAL},
    {"alternative_bpm", STORE_REAL},
    {"confidence", STORE_REAL},
    {"first_beat_s", STORE_REAL},
    {"salience", STORE_REAL},
    {"alternative_salience", STORE_REAL},
    {"onsets_per_s", STORE_REAL},
    {"beats_s", STORE_BLOB},
    {"key_tonic", STORE_INTEGER},
    {"key_mode", STORE_INTEGER},
    {"key_strength", STORE_REAL},
    {"chroma", STORE_BLOB},
    {"genre", STORE_INTEGER},
    {"genre_classical", STORE_REAL},
    {"genre_rock", STORE_REAL},
    {"genre_electronic", STORE_REAL},
    {"genre_jazz", STORE_REAL},
    {"genre_pop", STORE_REAL},
    {"genre_hip_hop", STORE_REAL},
    {"genre_acoustic", STORE_REAL},
    {"genre_ambient", STORE_REAL},
    {"genre_metal", STORE_REAL},
    {"genre_country", STORE_REAL},
    {"energy", STORE_REAL},
    {"dynamic_range", STORE_REAL},
    {"brightness", STORE_REAL},
    {"warmth", STORE_REAL},
    {"rhythm", STORE_REAL},
    {"harmony", STORE_REAL},
    {"short_term_lufs", STORE_BLOB},
};

const struct store_column store_targets_columns[STORE_TARGETS_COLUMNS] = {
    {"loudness_lufs", STORE_REAL},       {"ceiling_dbtp", STORE_REAL},
    {"eq_120_hz_db", STORE_REAL},        {"eq_300_hz_db", STORE_REAL},
    {"eq_1200_hz_db", STORE_REAL},       {"eq_3500_hz_db", STORE_REAL},
    {"eq_9000_hz_db", STORE_REAL},       {"compressor_threshold_db", STORE_REAL},
    {"compressor_ratio", STORE_REAL},    {"compressor_knee_db", STORE_REAL},
    {"compressor_attack_s", STORE_REAL}, {"compressor_release_s", STORE_REAL},
    {"compressor_mix", STORE_REAL},      {"width", STORE_REAL},
    {"makeup_db", STORE_REAL},           {"limiter_lookahead_s", STORE_REAL},
    {"limiter_release_s", STORE_REAL},   {"predicted_lufs", STORE_REAL},
    {"predicted_dbtp", STORE_REAL},      {"limiter_reduction_db", STORE_REAL},
    {"shortfall", STORE_INTEGER},        {"bypass", STORE_INTEGER},
};

int store_error(sqlite3 *db, int code)
{
    if (code == SQLITE_IOERR_NOMEM)
        return -ENOMEM;
    if (code == SQLITE_IOERR_SHMSIZE)
        return -ENOSPC; // whose cause SQLite keeps to itself
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_IOERR: {
        const int cause = db ? sqlite3_system_errno(db) : 0;
        return cause == ENOSPC || cause == EDQUOT ? -ENOSPC : -EIO;
    }
    default:
        return -EIO;
    }
}

// --- what a file is

enum {
    HEADER_BYTES = 100, // SQLite's, https://www.sqlite.org/fileformat.html#the_database_header
    HEADER_USER_VERSION = 60,
    HEADER_APPLICATION_ID = 68,
};

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int check_numbers(uint32_t application_id, uint32_t version)
{
    if (application_id != STORE_APPLICATION_ID)
        return -EMEDIUMTYPE;
    return version > STORE_SCHEMA_VERSION ? -EOVERFLOW : 0;
}

static int check_header(const unsigned char *header, size_t bytes)
{
    static const char magic[16] = "SQLite format 3";
    if (bytes == 0)
        return 0;
    if (bytes < HEADER_BYTES || memcmp(header, magic, sizeof(magic)) != 0)
        return -EBADMSG;
    const uint32_t id = big_endian(header + HEADER_APPLICATION_ID);
    // Without an id there may or may not be tables: only SQLite can tell, see check_unmarked().
    return id == 0 ? -ENODATA : check_numbers(id, big_endian(header + HEADER_USER_VERSION));
}

char *store_schema_immutable_uri(const char *path)
{
    sqlite3_str *uri = sqlite3_str_new(NULL);
    sqlite3_str_appendall(uri, "file:");
    for (const char *p = path; *p; ++p)
        sqlite3_str_appendf(uri, strchr("%?#", *p) ? "%%%02X" : "%c", *p);
    sqlite3_str_appendall(uri, "?mode=ro&immutable=1");
    return sqlite3_str_finish(uri);
}

// Look into a file without an id by a connection that neither locks nor writes anything.
static int check_unmarked(const char *path)
{
    char *name = store_schema_immutable_uri(path);
    sqlite3 *db = NULL;
    int error = name ? 0 : -ENOMEM;
    if (!error)
        error = store_error(
            NULL,
            sqlite3_open_v2(name, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                            NULL));
    if (!error)
        error = store_schema_check(db);
    sqlite3_close(db);
    sqlite3_free(name);
    return error == -ENODATA ? 0 : error;
}

static int read_header(const char *path, unsigned char header[HEADER_BYTES], size_t *bytes)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int error = fstat(fd, &st) ? -errno : 0;
    if (!error && !S_ISREG(st.st_mode))
        error = S_ISDIR(st.st_mode) ? -EISDIR : -ESPIPE;
    const ssize_t got = error ? 0 : pread(fd, header, HEADER_BYTES, 0);
    if (got < 0)
        error = -errno;
    close(fd);
    *bytes = got > 0 ? (size_t)got : 0;
    return error;
}

bool store_schema_has_log(const char *path)
{
    static const char *const suffixes[] = {"-wal", "-journal"};
    char log[PATH_MAX];
    struct stat st;
    for (unsigned i = 0; i < 2; ++i) {
        const int length = snprintf(log, sizeof(log), "%s%s", path, suffixes[i]);
        if (length < (int)sizeof(log) && stat(log, &st) == 0 && st.st_size > 0)
            return true;
    }
    return false;
}

int store_schema_inspect(const char *path)
{
    unsigned char header[HEADER_BYTES];
    size_t bytes = 0;
    int error = read_header(path, header, &bytes);
    if (!error)
        error = check_header(header, bytes);
    // A power cut may tear the first page while it is written: then it stands whole in the log, or the journal has the
    // one before, and SQLite brings it back.
    if (error == -EBADMSG && store_schema_has_log(path))
        return 0;
    return error == -ENODATA ? check_unmarked(path) : error;
}

// What SQLite does not find its way in is no database of ours that is whole.
static int query(sqlite3 *db, const char *sql, int64_t *value)
{
    sqlite3_stmt *statement;
    *value = 0;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            *value = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
    }
    return code == SQLITE_ERROR ? -EBADMSG : store_error(db, code);
}

static int check_snapshot(sqlite3 *db)
{
    int64_t id, version, tables;
    int error = query(db, "PRAGMA application_id", &id);
    if (!error)
        error = query(db, "PRAGMA user_version", &version);
    if (!error && id != 0)
        error = check_numbers((uint32_t)id, (uint32_t)version);
    if (!error)
        error = query(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (error)
        return error;
    if (id == 0)
        return tables == 0 ? -ENODATA : -EMEDIUMTYPE;
    return !error && version < STORE_SCHEMA_VERSION ? -ENODATA : error;
}

// In one transaction: who made the database between two looks would seem to have tables in it, but no id.
int store_schema_check(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db))
        return check_snapshot(db);
    int error = store_error(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
    if (error)
        return error;
    error = check_snapshot(db);
    const int end = store_error(db, sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL));
    return error ? error : end;
}

// --- making it

// Figures are of type ANY: REAL would lose the sign of -0.0.
static void append_columns(sqlite3_str *sql, const struct store_column *columns, size_t count)
{
    static const char *const types[] = {[STORE_REAL] = "ANY",
                                        [STORE_INTEGER] = "INTEGER",
                                        [STORE_TEXT] = "TEXT",
                                        [STORE_BLOB] = "BLOB"};
    for (size_t i = 0; i < count; ++i)
        sqlite3_str_appendf(sql, "%s %s,", columns[i].name, types[columns[i].type]);
}

static char *creation_sql(void)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendall(sql,
                          "CREATE TABLE analysis(id INTEGER PRIMARY KEY,path BLOB NOT NULL UNIQUE,"
                          "device INTEGER NOT NULL,inode INTEGER NOT NULL,"
                          "size_bytes INTEGER NOT NULL,mtime_ns INTEGER NOT NULL,"
                          "ctime_ns INTEGER NOT NULL,is_fresh INTEGER NOT NULL,"
                          "algorithm_version INTEGER NOT NULL,track_checksum BLOB NOT NULL,"
                          "created_s INTEGER NOT NULL,cost_ns INTEGER NOT NULL,");
    append_columns(sql, store_analysis_columns, STORE_ANALYSIS_COLUMNS);
    sqlite3_str_appendall(sql, "record_checksum BLOB NOT NULL)STRICT;"
                               "CREATE INDEX analysis_inode ON analysis(device,inode);"
                               "CREATE INDEX analysis_kind ON "
                               "analysis(algorithm_version,backend,created_s);"
                               "CREATE TABLE targets(track INTEGER NOT NULL,preset TEXT NOT NULL,"
                               "intensity ANY NOT NULL,target TEXT NOT NULL,");
    append_columns(sql, store_targets_columns, STORE_TARGETS_COLUMNS);
    sqlite3_str_appendf(sql,
                        "record_checksum BLOB NOT NULL,"
                        "PRIMARY KEY(track,preset,intensity,target))STRICT,WITHOUT ROWID;"
                        "CREATE TABLE totals(name TEXT PRIMARY KEY,value INTEGER NOT NULL)"
                        "STRICT,WITHOUT ROWID;"
                        "PRAGMA application_id=%d;PRAGMA user_version=1;",
                        STORE_APPLICATION_ID);
    return sqlite3_str_finish(sql);
}

static int run_step(sqlite3 *db, const char *sql)
{
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    // An older version's tables that stand in the way are none of ours that are whole.
    const int error = code == SQLITE_ERROR ? -EBADMSG : store_error(db, code);
    if (error && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return error;
}

int store_schema_migrate(sqlite3 *db)
{
    // The step from each version to the next; each sets user_version itself.
    char *(*const steps[STORE_SCHEMA_VERSION])(void) = {creation_sql};
    int64_t version;
    int error = query(db, "PRAGMA user_version", &version);
    while (!error && version < STORE_SCHEMA_VERSION) {
        assert(version >= 0);
        char *sql = steps[version]();
        error = sql ? run_step(db, sql) : -ENOMEM;
        sqlite3_free(sql);
        ++version;
    }
    // The schema goes into the main file first, so that its header says at all times whose it is.
    if (!error)
        error = store_error(db, sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL));
    return error;
}

// --- checking it

static int read_text(sqlite3 *db, char **text)
{
    // What ANALYZE adds is not the schema's.
    static const char sql[] =
        "SELECT group_concat(quote(type)||quote(name)||quote(tbl_name)||quote(sql)) FROM"
        "(SELECT * FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name)";
    sqlite3_stmt *statement;
    *text = NULL;
    int error = store_error(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
    if (error)
        return error;
    const int code = sqlite3_step(statement);
    error = store_error(db, code);
    const unsigned char *found = code == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
    if (!error)
        *text = sqlite3_mprintf("%s", found ? (const char *)found : "");
    sqlite3_finalize(statement);
    return error || *text ? error : -ENOMEM;
}

int store_schema_compare(sqlite3 *db)
{
    sqlite3 *made = NULL;
    char *text = NULL, *wanted = NULL;
    int error = store_error(made, sqlite3_open(":memory:", &made));
    if (!error)
        error = store_schema_migrate(made);
    if (!error)
        error = read_text(made, &wanted);
    if (!error)
        error = read_text(db, &text);
    if (!error && strcmp(text, wanted) != 0)
        error = -EBADMSG;
    sqlite3_free(text);
    sqlite3_free(wanted);
    sqlite3_close(made);
    return error;
}
