// SPDX-License-Identifier: MIT
// One row of the library's database in memory: its key, its values, and the checksum over both.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/file_identity.h"
#include "io/store/store_schema.h"
#include "io/store/track_checksum.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A value of its column's type, or NULL.
struct store_value {
    bool is_null;
    union {
        double real; // finite
        int64_t integer;
        struct {
            const void *data; // text without a NUL, or a blob; borrowed
            size_t count;
        } bytes;
    };
};

/// A track's analysis. Thread-safety: one thread.
struct store_track {
    int64_t id;       // of the row; 0: none yet
    const char *path; // absolute, as the file system has it
    struct file_identity identity;
    bool is_fresh; // changed so shortly before it was opened that stat cannot tell another change
    uint32_t algorithm_version;
    struct track_checksum checksum; // of the file
    int64_t created_s;              // since 1970
    int64_t cost_ns;                // what a hit saves
    struct store_value values[STORE_ANALYSIS_COLUMNS];
    void *heap; // what values and path point into, if the row was read; see store_track_deinit()
};

/// What targets hang on, besides their track. Text is borrowed.
struct store_settings {
    const char *preset, *target;
    double intensity;
};

struct store_targets {
    struct store_settings settings;
    struct store_value values[STORE_TARGETS_COLUMNS]; // numbers only
};

/// Free what a row that was read holds. A zeroed one is fine.
void store_track_deinit(struct store_track *track);
/// Over key and values; `track->id` does not count.
struct track_checksum store_track_checksum(const struct store_track *track);
/// Over the track they belong to, the settings and the values.
struct track_checksum store_targets_checksum(const struct store_track *track,
                                             const struct store_targets *targets);
enum store_insert {
    STORE_NEW,       // nothing stands in its place; where something does, the database is corrupt
    STORE_REPLACING, // SQLite keeps all it touches, to be undone: a fifth more work
};

/// "INSERT" of all columns, in the order that the bind functions number them.
/// sqlite3_free() it. @return NULL without memory.
char *store_track_insert_sql(enum store_insert how);
char *store_targets_insert_sql(enum store_insert how);
/// "SELECT" of the same columns, for the read functions; a WHERE follows.
char *store_track_select_sql(const char *where);
char *store_targets_select_sql(const char *where);
/// @return 0; -EINVAL: a value is not finite; -EIO, -ENOMEM.
MUST_CHECK int store_track_bind(sqlite3_stmt *statement, const struct store_track *track);
MUST_CHECK int store_targets_bind(sqlite3_stmt *statement, const struct store_track *track,
                                  const struct store_targets *targets);
/// Copy the row that `statement` stands on. @return 0; -EBADMSG: its checksum fails, or a value is of a wrong
/// type or not finite; -ENOMEM. On error too store_track_deinit() frees what there is: a damaged row's path is
/// kept where it can be read, to name it by.
MUST_CHECK int store_track_read(sqlite3_stmt *statement, struct store_track *track);
/// The settings of a targets row; text is valid until the statement goes on. @return 0; -EBADMSG.
MUST_CHECK int store_targets_read_settings(sqlite3_stmt *statement,
                                           struct store_settings *settings);
/// The same of targets: `targets->settings` is what the row must be of.
MUST_CHECK int store_targets_read(sqlite3_stmt *statement, const struct store_track *track,
                                  struct store_targets *targets);
