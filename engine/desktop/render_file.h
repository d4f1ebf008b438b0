// SPDX-License-Identifier: MIT
// One file on its way through the chain into another, or past a meter only.
#pragma once
#include "cache/record.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/desktop/options.h"
#include "engine/log.h"
#include "engine/prepare/scheduler.h"
#include "io/bytes/source.h"
#include <stdbool.h>
#include <stdint.h>

/// What became of a file.
struct render_outcome {
    double before_lufs; // NaN where it was not mastered
    double after_lufs, after_dbtp, limiter_db;
    double album_lufs; // of its album, mastered; NaN where it is mastered alone
    struct mastering_targets targets;
    bool mastered;
    bool was_mastered; // before
    // a chunk: loudness before and after are its own, target and shortfall the track's
    bool is_part;
};

struct render_file_config {
    const struct options *options;
    struct log *log;
    struct scheduler *scheduler;
    const char *in, *out;        // borrowed; out NULL: measured only
    const struct record *record; // a struct track_record; NULL: not mastered
    // read by render_file_open(): that the record is of; NULL: of any file
    const struct file_identity *identity;
    const struct mastering_targets *targets; // copied; of no meaning without a record
    /// Called now and then; may be NULL.
    void (*progress)(void *context, uint64_t frames, uint64_t of_frames, uint32_t rate_hz);
    void *context;
};

/// Thread-safety: one thread. Failures are named in the log. A file that is not the one that was analysed, or no longer
/// the one that was opened, is a failure without an output.
struct render_file;

/// Look whether the input can be read, and the output made and hold it, before anything is spent on it. Nothing is
/// left behind. @return as render_file_open().
MUST_CHECK int render_file_check(const struct render_file_config *config);
/// Open the input, and its way through the chain. @return 0; EXIT_SOMETHING_FAILED or EXIT_BAD_USAGE. On failure
/// *out is NULL.
MUST_CHECK int render_file_open(struct render_file **out, const struct render_file_config *config);
/// Render all of it. `next`: where the audio runs on, or NULL; it is to be rendered next. @return as above; with
/// EXIT_SOMETHING_FAILED there may be an output of what is sound, if *outcome says so by being finite.
MUST_CHECK int render_file_run(struct render_file *file, struct render_file *next,
                               struct render_outcome *outcome);
/// Close, leaving nothing half done, and set *file to NULL. NULL is fine.
void render_file_close(struct render_file **file);
