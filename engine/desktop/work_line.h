// SPDX-License-Identifier: MIT
// The line of `render` and `report` on a terminal: what is done with which file, and how far it is.
#pragma once
#include "engine/log.h"
#include "engine/prepare/scan.h"
#include <stdbool.h>
#include <stdint.h>

/// Thread-safety: one thread.
struct work_line {
    struct log *log;
    bool has_line; // standard error is a terminal
    int64_t drawn_ns;
    unsigned file, file_count; // from 1; 0: not shown
    const char *path;          // of that file, borrowed
    double before;             // share of the bar that was filled before what is done now
    struct work_part {
        double from, to; // shares; both 0: each file has a bar of its own
    } part;              // of a bar over all, that what is done now fills
};

/// Nothing is drawn where standard error is no terminal.
void work_line_init(struct work_line *line, struct log *log);
/// Go on to a file, with an empty bar, unless it is the one that is shown already. `file`, from 1, of how many; 0:
/// not shown.
void work_line_begin(struct work_line *line, const char *path, unsigned file, unsigned file_count);
/// From now on one bar is for all that is to be done, of which what is drawn next fills a part from its beginning on.
void work_line_set_part(struct work_line *line, const struct work_part *part);
/// Draw that so much is done of so many seconds of audio (NaN: not known); not more often than one can look. `doing`
/// stands before the file's name; "" for what it is all about. The bar goes on from what was done before: one for a
/// file, which only grows.
void work_line_draw(struct work_line *line, const char *doing, double done_s, double total_s);
/// Share of a scan's work on a file that is done: half of what is left before each pass that calibrates is its own.
double work_line_share(const struct scan_file_progress *progress);
/// Share of the bar over all that is full when `share` of the part is done (NaN: nothing yet); 0 where there is none.
double work_line_bar(const struct work_line *line, double share);
/// Draw how far the scan's first file is until its result is there.
void work_line_watch_scan(struct work_line *line, struct scan *scan);
void work_line_wipe(struct work_line *line);
