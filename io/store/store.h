// SPDX-License-Identifier: MIT
// The library of analyses on disk, in SQLite: connections, look-ups, saving.
//
// Over all processes only one writes at a time: everything marked "writer" happens between store_lock_acquire()
// and store_lock_release(), opening and closing included; nobody else checkpoints.
#pragma once
#include "dsp/annotate.h"
#include "io/store/store_row.h"
#include <stdbool.h>
#include <stdint.h>

/// A connection. Thread-safety: one thread at a time.
struct store;

enum { STORE_READER_WAIT_MS = 250 };

/// Have SQLite not count what memory it takes, which costs a lock each time and nobody asks for: a fifth more rows a
/// second. At most once in a process, before the first connection; without it all works, only slower.
void store_set_up_process(void);

/// Open for reading; makes no file that was not there, but for SQLite's own -shm. Where -shm can be neither
/// opened nor made, for a folder that cannot be written or a full disk, it reads what the main file holds. @return
/// 0; -ENOENT: there is no database, or an empty one;
/// -EBADMSG, -EMEDIUMTYPE, -EOVERFLOW, -EISDIR .. as store_schema_inspect(); -EUCLEAN: of the main file alone nothing
/// can be read; -EBUSY, -EACCES, -ENOMEM. On error *out is NULL.
MUST_CHECK int store_open_reader(struct store **out, const char *path);
/// Writer. Open for writing; makes the file, or brings it up to the schema. @return as store_open_reader(), and
/// -EROFS, -ENOSPC. -EBADMSG is for store_mend().
MUST_CHECK int store_open_writer(struct store **out, const char *path);
/// A reader's: what stands in its log is not read, so that a page of the main file that makes no sense may be whole
/// there. -EBADMSG says nothing then.
bool store_is_partial(const struct store *store);
/// Close, set *store to NULL. NULL is fine. A writer's: under the lock, too.
void store_close(struct store **store);
/// Whether the file at its path is still the one that was opened.
bool store_is_in_place(const struct store *store);

/// --- look-ups, of readers and writers
/// The row of a path, or of (device, inode) and size. @return 0 and *track, store_track_deinit() it; -ENOENT: none,
/// or one whose checksum fails; -EBUSY, -EBADMSG: the database is corrupt; -EIO, -ENOMEM. What was found once,
/// store_mend() finds, too.
MUST_CHECK int store_find_by_path(struct store *store, const char *path, struct store_track *track);
MUST_CHECK int store_find_by_inode(struct store *store, const struct file_identity *identity,
                                   struct store_track *track);
/// Targets of a track that was found; `targets->settings` says which. @return as above.
MUST_CHECK int store_find_targets(struct store *store, const struct store_track *track,
                                  struct store_targets *targets);

/// What store_for_each_track() found: a sound track, or a row in error (with its path if that can be read).
typedef int (*store_track_fn)(void *context, const struct store_track *track, int error);
/// Every row, in order of path. fn stops it by returning other than 0. @return that, or as above.
MUST_CHECK int store_for_each_track(struct store *store, store_track_fn fn, void *context);
/// Rows of algorithm versions below `version` whose id is above `after`, in order of id, at most 64: found in an index
/// of the versions alone. fn stops it by returning other than 0. @return that, or as above.
typedef int (*store_outdated_fn)(void *context, int64_t id, const char *path);
MUST_CHECK int store_find_outdated(struct store *store, uint32_t version, int64_t after,
                                   store_outdated_fn fn, void *context);
/// No row has a higher one: how many there are at most. @return as above.
MUST_CHECK int store_highest_id(struct store *store, int64_t *id);
typedef int (*store_targets_fn)(void *context, const struct store_track *track,
                                const struct store_targets *targets, int error);
MUST_CHECK int store_for_each_targets(struct store *store, const struct store_track *track,
                                      store_targets_fn fn, void *context);
/// Targets rows that belong to no track: fn gets their number. @return as above.
MUST_CHECK int store_count_orphans(struct store *store, int64_t *count);
/// SQLite's own check, and that of the schema's text, to the first fault. @return 0; -EBADMSG: there is one; as above.
MUST_CHECK int store_check(struct store *store);
/// The same to the end; fn gets each complaint. @return 0, or as above.
MUST_CHECK int store_check_integrity(struct store *store,
                                     void (*fn)(void *context, const char *complaint),
                                     void *context);

/// --- totals over all processes

struct store_totals {
    int64_t memory_hits, sqlite_hits, sidecar_hits, misses, saved_ns;
};

/// Of what is not negative; what passes the end of the integers stays there.
int64_t store_total_sum(int64_t a, int64_t b);
void store_totals_add(struct store_totals *to, const struct store_totals *more);

struct store_count {
    char name[24];
    int64_t count;
};

enum { STORE_STATS_GROUPS = 32 }; // the last may be "other"

struct store_stats {
    int64_t entries, bytes;
    int64_t oldest_s; // since 1970; 0 without entries
    struct store_totals totals;
    struct store_count backends[STORE_STATS_GROUPS], versions[STORE_STATS_GROUPS];
    unsigned backend_count, version_count;
};

MUST_CHECK int store_stats(struct store *store, struct store_stats *stats);

/// --- writer only

enum store_durability {
    STORE_CONSISTENT, // survives a killed process; a power cut may take the last batches
    STORE_DURABLE,    // with all batches before it on the disk once it is committed
};

/// Begin a batch. @return 0; -EBUSY; -EBADMSG, -EMEDIUMTYPE, -EOVERFLOW: no longer ours to write; -EROFS,
/// -ENOSPC, -EIO.
MUST_CHECK int store_begin(struct store *store, enum store_durability durability);
/// @return 0, or the error; then it was rolled back.
MUST_CHECK int store_commit(struct store *store);
void store_rollback(struct store *store);

enum store_checkpoint { STORE_CHECKPOINT_IF_LONG, STORE_CHECKPOINT_NOW };
/// Bring what is committed into the main file as far as readers allow.
void store_checkpoint(struct store *store, enum store_checkpoint when);

enum store_saved {
    STORE_SAVED_ALL,
    STORE_SAVED_TARGETS, // the track's row is known to be as good
    STORE_SAVED_MISSING, // comes from elsewhere: what the path has here stands, but for an older algorithm version
};

/// Save or replace a track's row and one set of targets (NULL: none). `moved_from`, if not NULL, is the path of
/// the row that this track's was found as: it is moved, and its other targets with it. Targets of another
/// content go. A row of a newer algorithm version is left as it is. Sets track->id. @return 0; -EINVAL: a value is
/// not finite; -EEXIST, of STORE_SAVED_MISSING alone: another row stands; else as store_begin().
MUST_CHECK int store_save(struct store *store, struct store_track *track,
                          const struct store_targets *targets, const char *moved_from,
                          enum store_saved what);
/// Forget a track or all below a folder, or everything with its totals (path NULL). @return 0 and *count rows.
MUST_CHECK int store_clear(struct store *store, const char *path, int64_t *count);
MUST_CHECK int store_add_totals(struct store *store, const struct store_totals *totals);
/// Give free space back to the file system. Not between begin and commit.
MUST_CHECK int store_vacuum(struct store *store);

/// --- lock and files

/// Make the folder of `path` (0700, parents too) and take the lock file's lock. @return its descriptor;
/// -EAGAIN: another process has it; -EROFS, -EACCES, -ENOSPC ...
MUST_CHECK int store_lock_try(const char *path);
/// Waits for it, at most so long. @return as above, -EAGAIN when it took too long.
MUST_CHECK int store_lock_wait(const char *path, int64_t timeout_ns);
void store_lock_release(int fd);
/// Give the lock up for as long as others need to get it, and take it again. @return as store_lock_wait(), which waits
/// 10 s here.
MUST_CHECK int store_lock_yield(const char *path, int fd);
/// Under the lock, with no connection of this process open: put a corrupt database out of the way, with its -wal
/// and -shm, as PATH.corrupt-TIME, and remove those put away before. @return 0 or -errno.
MUST_CHECK int store_put_aside(const char *path);
/// The same, and make a new one of all rows that still read, and of the totals. Between batches of rows the lock is
/// given up and taken again: *lock is the new one, or -1 on -EAGAIN, when another process keeps it too long. What a
/// killed process had begun is gone on with: until it is done, store_open_writer() says -EBADMSG.
/// @return 0 and *kept tracks; as store_open_writer().
MUST_CHECK int store_mend(const char *path, int *lock, uint64_t *kept);
/// Words for an error of these functions.
const char *store_error_text(int error);
