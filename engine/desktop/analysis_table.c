// SPDX-License-Identifier: MIT
#include "engine/desktop/analysis_table.h"
#include "engine/escape.h"
#include "engine/utf8.h"
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELL_BYTES = 32, PATH_LEAST = 20 };

unsigned analysis_table_path_columns(unsigned columns)
{
    if (columns < ANALYSIS_TABLE_REST + PATH_LEAST)
        return PATH_LEAST;
    const unsigned room = columns - ANALYSIS_TABLE_REST;
    return room < ANALYSIS_TABLE_PATH_MOST ? room : ANALYSIS_TABLE_PATH_MOST;
}

void analysis_table_heading(char line[ANALYSIS_TABLE_BYTES], unsigned path_columns)
{
    assert(path_columns <= ANALYSIS_TABLE_PATH_MOST);
    (void)snprintf(line, ANALYSIS_TABLE_BYTES, "%-*s  %6s  %6s  %5s  %6s  %-8s  %-10s  %9s",
                   (int)path_columns, "path", "LUFS", "dBTP", "LRA", "BPM", "key", "genre",
                   "duration");
}

static void number(char cell[CELL_BYTES], double x)
{
    if (isfinite(x))
        (void)snprintf(cell, CELL_BYTES, "%.1f", x);
    else
        (void)snprintf(cell, CELL_BYTES, "-");
}

static void duration(char cell[CELL_BYTES], double seconds)
{
    if (!(seconds >= 0 && seconds < 1e9)) {
        (void)snprintf(cell, CELL_BYTES, "-");
        return;
    }
    const long whole = lround(seconds);
    if (whole >= 3600)
        (void)snprintf(cell, CELL_BYTES, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60,
                       whole % 60);
    else
        (void)snprintf(cell, CELL_BYTES, "%ld:%02ld", whole / 60, whole % 60);
}

static void key_text(char cell[CELL_BYTES], const struct key *key)
{
    const char *tonic = key_tonic_name(key->tonic), *mode = key_mode_name(key->mode);
    (void)snprintf(cell, CELL_BYTES, "%s%s%s", tonic ? tonic : "-", tonic && mode ? " " : "",
                   tonic && mode ? mode : "");
}

static void figures(char *out, size_t size, const struct analysis *a)
{
    char lufs[CELL_BYTES], peak[CELL_BYTES], range[CELL_BYTES], bpm[CELL_BYTES], key[CELL_BYTES],
        length[CELL_BYTES];
    number(lufs, a->loudness.integrated_lufs);
    number(peak, a->loudness.true_peak_dbtp);
    number(range, a->loudness.range_lu);
    number(bpm, a->tempo.bpm > 0 ? a->tempo.bpm : NAN);
    key_text(key, &a->key);
    duration(length, a->duration_s);
    (void)snprintf(out, size, "%6s  %6s  %5s  %6s  %-8s  %-10s  %9s", lufs, peak, range, bpm, key,
                   genre_name(a->genre.label), length);
}

void analysis_table_row(char line[ANALYSIS_TABLE_BYTES], const struct analysis_report *report,
                        unsigned path_columns)
{
    assert(report && report->path && path_columns <= ANALYSIS_TABLE_PATH_MOST);
    char path[4 * PATH_MAX], message[128], rest[256] = "";
    (void)escape_text(path, sizeof path, report->path); // longer ones cannot be opened anyway
    size_t used =
        utf8_fit(line, ANALYSIS_TABLE_BYTES / 2 + 300, path, path_columns, UTF8_CUT_START);
    if (report->analysis)
        figures(rest, sizeof rest, report->analysis);
    if (report->error_code) {
        (void)escape_text(message, sizeof message,
                          report->error_message ? report->error_message : report->error_code);
        used += (size_t)snprintf(line + used, ANALYSIS_TABLE_BYTES - used, "  %s%s%s", rest,
                                 report->analysis ? "  " : "", message);
    } else {
        used += (size_t)snprintf(line + used, ANALYSIS_TABLE_BYTES - used, "  %s", rest);
    }
    assert(used < ANALYSIS_TABLE_BYTES);
}
