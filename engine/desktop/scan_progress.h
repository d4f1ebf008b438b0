// SPDX-License-Identifier: MIT
// How far the analysis of many files is: files, hours of audio, speed, time left; on one line, and in the end.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

/// Thread-safety: one thread. Times are CLOCK_MONOTONIC's. Zero-initialised but for begun_ns.
struct scan_progress {
    uint64_t files, failed, computed; // done so far; `computed`: those that were in no cache
    double audio_s;
    uint64_t total; // files, as far as they are counted
    enum scan_total { SCAN_TOTAL_UNKNOWN, SCAN_TOTAL_GROWS, SCAN_TOTAL_COUNTED } total_state;
    int64_t begun_ns;
    // What a cache knows takes no time: speed and time left are read off what came after its last file
    // before the first computed one.
    uint64_t paced_files;
    double paced_audio_s;
    int64_t paced_ns;
};

enum scan_step_kind { SCAN_STEP_KNOWN, SCAN_STEP_COMPUTED, SCAN_STEP_FAILED };

/// One file is done.
struct scan_step {
    double audio_s;
    enum scan_step_kind kind;
};

enum { SCAN_LINE_COLUMNS = 400, SCAN_LINE_BYTES = 4 * SCAN_LINE_COLUMNS + 1 };

void scan_progress_add(struct scan_progress *progress, const struct scan_step *step,
                       int64_t now_ns);
/// Seconds until all is done at the present pace; NaN: not to be told.
double scan_progress_left_s(const struct scan_progress *progress, int64_t now_ns);
/// Write at most `columns` columns (at most SCAN_LINE_COLUMNS). Where they do not do for all, the bar goes first,
/// then speed and hours; files and the time left stay longest.
void scan_progress_line(char line[SCAN_LINE_BYTES], const struct scan_progress *progress,
                        int64_t now_ns, unsigned columns);
/// What was done, at what speed, in one sentence.
void scan_progress_summary(char *text, size_t bytes, const struct scan_progress *progress,
                           int64_t now_ns);
