// SPDX-License-Identifier: MIT
// A connection's inside, shared by the files that read and write through it.
#pragma once
#include "io/store/store.h"

enum store_statement {
    STORE_FIND_PATH,
    STORE_FIND_INODE,
    STORE_FIND_TARGETS,
    STORE_EACH_TRACK,
    STORE_FIND_OUTDATED,
    STORE_EACH_TARGETS,
    STORE_FIND_STANDING,
    STORE_INSERT_TRACK,
    STORE_REPLACE_TRACK,
    STORE_INSERT_TARGETS,
    STORE_REPLACE_TARGETS,
    STORE_DELETE_TRACK,
    STORE_DELETE_TARGETS,
    STORE_ADD_TOTAL,
    STORE_STATEMENTS
};

struct store {
    sqlite3 *db;
    char *path;
    uint64_t device, inode; // of the file that was opened
    bool is_partial;        // what stands in its log is not read
    int log_pages;          // in the write-ahead log after the last commit
    sqlite3_stmt *statements[STORE_STATEMENTS];
};

/// The prepared statement, made at first use, reset. @return 0 and *statement; as store_error().
MUST_CHECK int store_prepare(struct store *store, enum store_statement which,
                             sqlite3_stmt **statement);
/// Error of a statement of our own on a database whose id and version are ours: what does not compile there, or
/// breaks a rule of its tables, meets a damaged schema. @return -EBADMSG; else as store_error().
int store_statement_error(const struct store *store, int code);
/// Open for reading what need not be a sound database.
MUST_CHECK int store_open_damaged(struct store **out, const char *path);
/// As store_open_writer(), of the new one that a salvage goes into.
MUST_CHECK int store_open_for_salvage(struct store **out, const char *path);
MUST_CHECK int store_read_totals(struct store *store, struct store_totals *totals);
/// Run SQL without results. @return as store_error().
MUST_CHECK int store_run(struct store *store, const char *sql);
/// Step a statement that gives no row, and reset it. @return as store_error().
MUST_CHECK int store_step(struct store *store, sqlite3_stmt *statement);
