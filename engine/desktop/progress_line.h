// SPDX-License-Identifier: MIT
// What a terminal shows while playing, on one line: state, track, time, bar, the next track's state.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>

enum progress_state { PROGRESS_PLAYING, PROGRESS_PAUSED, PROGRESS_STOPPED, PROGRESS_WAITING };

struct progress {
    enum progress_state state;
    unsigned track, track_count; // from 1; 0: not shown
    const char *title;           // of the track, or its file's name; raw bytes
    double elapsed_s, total_s;   // NaN: not known
    double bar;                  // its share that is full; 0: as much as of the time is over
    const char *next;            // "bytes 100 % analysed"; NULL: nothing follows
};

enum { PROGRESS_LINE_COLUMNS = 400, PROGRESS_LINE_BYTES = 4 * PROGRESS_LINE_COLUMNS + 1 };

/// What stands for a track without a title: the last part of `path`, within it.
const char *progress_file_name(const char *path);
/// Write exactly `columns` columns (at most PROGRESS_LINE_COLUMNS) without a newline. Where they do not do for
/// all, the next track's state goes first, then the bar; the title is cut; the time stays longest.
void progress_line_format(char line[PROGRESS_LINE_BYTES], const struct progress *progress,
                          unsigned columns);
