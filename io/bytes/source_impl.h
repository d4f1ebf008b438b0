// SPDX-License-Identifier: MIT
// What the three parts of a source share: the blocks (source_window.c), the loop's side that fills them
// (source_loop.c) and the readers' side (source.c).
#pragma once
#include "dsp/mutex.h"
#include "io/bytes/loader_ops.h"
#include "io/bytes/source.h"
#include <stdbool.h>

enum { SOURCE_BLOCK_BYTES = 256 * 1024 };

enum block_state { BLOCK_EMPTY, BLOCK_LOADING, BLOCK_READY, BLOCK_FAILED };

struct block {
    struct loader_op op; // loop thread
    struct source *source;
    // --- protected by the source's lock
    enum block_state state;
    uint64_t offset;
    size_t bytes;
    int error;
    // --- the loop's while LOADING, else under the lock
    size_t filled;
    unsigned char *data;
};

struct source {
    // --- immutable after open
    struct loader *loader;
    char *path;
    void (*opened)(void *context);
    void *context;
    struct loader_task task, close_task; // the second is posted last, and once
    struct mutex lock;                   // leaf
    // --- protected by lock
    struct cond changed; // predicates: is_open_known, a block's state, error, is_canceled
    struct file_identity identity;
    int open_error;
    int error; // sticky: -ESTALE
    bool is_open_known, is_canceled, is_closed, is_calling;
    enum loader_priority priority;
    size_t window_bytes;
    uint64_t position; // of the reader
    int64_t waited_ns;
    uint64_t loaded_bytes;
    struct block head, tail;
    struct block *slots;
    size_t n_slots;
    // --- loop thread only
    struct loader_op op; // opening and closing
    int fd;
    unsigned n_ops; // queued or under way
    unsigned n_window_reads;
    bool is_started, is_ending;
    enum loader_priority queue_priority; // as of the last task
};

/// Free what allocation or the loop's last step leaves. The lock is free and nobody else knows the source.
void source_free(struct source *s);

// --- source_window.c: which blocks there are, which to load next and which to give back.

/// Slots that a window of so many bytes takes.
size_t source_slots(size_t window_bytes);
/// The block that holds the byte, READY before LOADING or FAILED; NULL: none does.
struct block *source_find_block(struct source *s, uint64_t offset) REQUIRES(s->lock);
/// The next block that the window lacks, LOADING and without memory perhaps; NULL: none now.
struct block *source_next_block(struct source *s) REQUIRES(s->lock);
/// Give back memory that a smaller window no longer needs.
void source_trim_window(struct source *s) REQUIRES(s->lock);
/// Move the window to where the reader is. @return whether the loop has to know.
bool source_move_window(struct source *s, uint64_t offset) REQUIRES(s->lock);

// --- source_loop.c: tasks of the loop's thread.

/// Open the file the first time; then queue anew what has another priority and load what is lacking.
void source_loop_run(struct loader_task *task);
/// Take back what has not begun, wait for the rest without blocking, close the file, free the source.
void source_loop_close(struct loader_task *task);
