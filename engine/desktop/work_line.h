// SPDX-License-Identifier: MIT
// The line of `render` and `report` on a terminal: what is done with which file, and how far it is.
#pragma once
#include "engine/log.h"
#include "engine/scan.h"
#include <stdbool.h>
#include <stdint.h>

/// Thread-safety: one thread.
struct work_line {
    struct log *log;
    bool has_line; // standard error is a terminal
    int64_t drawn_ns;
    // --- set by who draws
    unsigned file, file_count; // from 1; 0: not shown
    const char *path;          // of that file, borrowed
};

/// Nothing is drawn where standard error is no terminal.
void work_line_init(struct work_line *line, struct log *log);
/// Draw that so much is done of so many seconds of audio (NaN: not known); not more often than one can look. `doing`
/// stands before the file's name; "" for what it is all about.
void work_line_draw(struct work_line *line, const char *doing, double done_s, double total_s);
/// Draw how far the scan's first file is until its result is there.
void work_line_watch_scan(struct work_line *line, struct scan *scan);
void work_line_wipe(struct work_line *line);
