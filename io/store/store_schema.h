// SPDX-License-Identifier: MIT
// Tables and columns of the library's database, and how one is told from other files.
#pragma once
#include "dsp/annotate.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_APPLICATION_ID = 0x53654775, STORE_SCHEMA_VERSION = 1 }; // "SeGu"

enum store_type { STORE_REAL, STORE_INTEGER, STORE_TEXT, STORE_BLOB };

struct store_column {
    const char *name;
    enum store_type type;
};

enum { STORE_ANALYSIS_COLUMNS = 70, STORE_TARGETS_COLUMNS = 22 };

/// What is kept of an analysis, and of a set of targets, beside their keys. The store passes values on and
/// knows no meaning of them.
extern const struct store_column store_analysis_columns[STORE_ANALYSIS_COLUMNS];
extern const struct store_column store_targets_columns[STORE_TARGETS_COLUMNS];

/// What a file is, from its first bytes, before SQLite gets to see it: what is not ours is never opened.
/// Not while this process has a connection to it: closing a descriptor drops SQLite's locks.
/// @return 0: ours, or empty, or torn with a log beside it, which opening it brings back; -ENOENT; -EBADMSG: no
/// database; -EMEDIUMTYPE: another application's;
/// -EOVERFLOW: of a newer schema; -EISDIR ..: not a regular file; -EACCES, -EIO ..
MUST_CHECK int store_schema_inspect(const char *path);
/// Whether a -wal or -journal stands beside it that holds something.
bool store_schema_has_log(const char *path);
/// The same of an open database, by SQL: also -ENODATA, empty, no tables yet.
MUST_CHECK int store_schema_check(sqlite3 *db);
/// Whether all tables and indices of a database that passed are word for word those made here: SQLite reads most
/// flipped bytes of them as other, sound tables. @return 0; -EBADMSG: they are not; else as store_error().
MUST_CHECK int store_schema_compare(sqlite3 *db);
/// What SQLite opens a file by (SQLITE_OPEN_URI) that it neither locks nor expects to change: sqlite3_free() it.
/// @return NULL without memory.
MUST_CHECK char *store_schema_immutable_uri(const char *path);
/// Bring an empty or older database up to this schema, each step in a transaction of its own, then into
/// write-ahead mode. @return 0 or as store_error().
MUST_CHECK int store_schema_migrate(sqlite3 *db);
/// Error of a failed call on `db`: -EBADMSG (corrupt), -EBUSY, -ENOSPC, -EROFS, -EACCES, -ENOMEM, -EIO.
int store_error(sqlite3 *db, int code);
