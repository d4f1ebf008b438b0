// SPDX-License-Identifier: MIT
// Lines for people on standard error: `segue: SUBJECT: CAUSE`, whole lines from any thread.
#pragma once
#include "dsp/annotate.h"
#include <stdarg.h>

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_COUNT
};

/// Where lines go. Plain data, set up before threads start.
/// Thread-safety: Safe, except on the audio thread (writes to a file descriptor).
struct log {
    // --- immutable after log_init
    int fd;
    enum log_level level;
    // --- atomic: written by the thread that draws the status line, read by all (relaxed: at worst one
    // status line is not wiped)
    _Atomic int has_status_line;
};

/// Says a thing once a run, however many threads meet it. Zero-initialised: not said yet.
struct log_once {
    // --- atomic: exchanged by all (relaxed: nothing else hangs on it)
    _Atomic int said;
};

/// Lines of `level` and above in weight go to `fd` (borrowed, open as long as the log is used).
void log_init(struct log *log, int fd, enum log_level level);
/// "error" .. "debug".
const char *log_level_name(enum log_level level);
/// @return the level of that name, or -EINVAL.
MUST_CHECK int log_level_parse(const char *name);
int log_has_level(const struct log *log, enum log_level level);
/// While a status line stands in the terminal, each line wipes it first: who draws it draws it anew.
void log_set_status_line(struct log *log, int is_shown);

/// Write `segue: SUBJECT: MESSAGE`, both escaped (escape.h), by one write() of at most PIPE_BUF bytes, so
/// that lines are whole in files and pipes too; what is longer is cut. `subject` NULL: `segue: MESSAGE`.
/// What cannot be written is lost: there is nobody to tell.
void log_write(struct log *log, enum log_level level, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/// The same if `once` has not said its line yet.
void log_write_once(struct log *log, struct log_once *once, enum log_level level,
                    const char *subject, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
