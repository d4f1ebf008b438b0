// SPDX-License-Identifier: MIT
// The bytes of one file, loaded ahead of a reader into a sliding window of memory.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/file_identity.h"
#include "io/bytes/loader.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Thread-safety: one reader thread (source_read, source_wait_open), any thread for the rest but
/// source_close(). Nothing here blocks but source_wait_open() and source_read().
struct source;

struct source_config {
    const char *path; // copied
    // Kept in memory ahead of the reader; 0: 24 MiB, at most 64 MiB. The memory taken is at most this,
    // rounded up to 256 KiB, 512 KiB for what lies around it, and head and tail.
    size_t window_bytes;
    enum loader_priority priority;
    void (*opened)(
        void *context); // called on the loop when identity or error is known; may be NULL
    void *context;
};

enum { SOURCE_HEAD_BYTES = 65536, SOURCE_TAIL_BYTES = 65536 }; // loaded first and kept

/// Begin to open and load a file; returns at once, the loop does the rest: head, tail, then on from the
/// reader's position, in reads of at most 256 KiB. @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int source_open(struct source **out, struct loader *loader,
                           const struct source_config *config);
/// Cancel, give the source to the loop, which frees it when no read writes into it any more, and set
/// *source to NULL. NULL is fine. Waits for nothing but a call of opened() under way, which is not
/// made after it; so not from within that. No other thread may still use the source.
void source_close(struct source **source);
/// Wait until the file is open. @return 0 and *identity; -ENOENT, -EACCES, -EISDIR (a directory),
/// -ESPIPE (a FIFO, socket or device), -ECANCELED ...
MUST_CHECK int source_wait_open(struct source *source, struct file_identity *identity);
/// The same without waiting: -EAGAIN while it is not known.
MUST_CHECK int source_poll_open(struct source *source, struct file_identity *identity);
/// Copy bytes [offset, offset + bytes) as far as the file has them; waits until they are loaded.
/// Reading elsewhere than before moves the window. @return bytes copied, short only at the file's end;
/// -EIO and other read errors; -ESTALE: the file shrank or was changed meanwhile
/// (size or time of modification; a file renamed over this one is no change, and the old one is read
/// on); -ENOMEM; -ECANCELED. After -EIO or -ENOMEM in the window the same read tries again.
MUST_CHECK int64_t source_read(struct source *source, void *buffer, uint64_t offset, size_t bytes);
/// Make present and future waits return -ECANCELED. Any thread.
void source_cancel(struct source *source);
void source_set_priority(struct source *source, enum loader_priority priority);
/// Change how much is kept ahead (60 s of playing time, once the byte rate is known).
void source_set_window(struct source *source, size_t window_bytes);
/// Bytes loaded ahead of the reader, and in all. For progress displays.
void source_progress(struct source *source, uint64_t *ahead_bytes, uint64_t *loaded_bytes);
/// Nanoseconds the reader has spent waiting for bytes.
int64_t source_waited_ns(struct source *source);
const char *source_path(const struct source *source);
