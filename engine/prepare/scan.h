// SPDX-License-Identifier: MIT
// Many files through the extractor, so many at a time, results in the order they were asked for.
#pragma once
#include "cache/record.h"
#include "dsp/annotate.h"
#include "engine/prepare/extractor.h"
#include "engine/prepare/scheduler.h"
#include <stdbool.h>
#include <stdint.h>

/// Thread-safety: one thread (which waits), results arrive from the scheduler's loop.
struct scan;

enum scan_order {
    SCAN_IN_ORDER, // as submitted
    SCAN_AS_DONE,
};

struct scan_result {
    char *path;                    // the caller's to free()
    struct file_identity identity; // of the file that the record is of; zero: it could not be told
    int error;                     // 0 or -errno; -EBADMSG with a record: of the sound part
    struct record *record; // a struct track_record; the caller's reference; NULL if there is none
    enum extraction_tier tier;
    uint64_t replaced_samples;
    char text[192]; // words for the error
};

struct scan_file_progress {
    double done_s, total_s; // of the pass that is under way, in seconds of audio
    // from 1: the analysis; those after it calibrate, and nobody knows how many they will be
    uint32_t pass;
};

/// `window` files at most are under way. The scheduler is borrowed. @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int scan_create(struct scan **out, struct scheduler *scheduler, uint32_t window,
                           enum scan_order order);
/// Wait for what is under way, set *scan to NULL. NULL is fine.
void scan_destroy(struct scan **scan);
/// Add a file. @return 0; -EAGAIN: the window is full, take a result first; -ENOMEM.
MUST_CHECK int scan_submit(struct scan *scan, const char *path);
/// Add an entry that has failed already, to keep its place in the order. @return as scan_submit().
MUST_CHECK int scan_submit_error(struct scan *scan, const char *path, int error, const char *text);
/// Take the next result; waits for it. @return 0; -ENOENT: nothing is under way.
MUST_CHECK int scan_take(struct scan *scan, struct scan_result *result);
/// True if scan_take() would not wait.
int scan_has_result(struct scan *scan);
/// Wait until scan_take() would not, at most until CLOCK_MONOTONIC reads `deadline_ns`. @return as scan_has_result().
int scan_wait(struct scan *scan, int64_t deadline_ns);
/// How far the first file is whose result is not taken. @return false where nothing is told of it (yet).
int scan_progress_of_first(struct scan *scan, struct scan_file_progress *progress);
uint32_t scan_under_way(struct scan *scan);
/// Free what a result holds.
void scan_result_deinit(struct scan_result *result);
