// SPDX-License-Identifier: MIT
#include "engine/desktop/scan_progress.h"
#include "engine/desktop/line_parts.h"
#include "engine/utf8.h"
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BAR_LEAST = 10, BAR_MOST = 40, GAP = 2, PIECE_BYTES = 128 };

static double seconds_between(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e9;
}

void scan_progress_add(struct scan_progress *p, const struct scan_step *step, int64_t now_ns)
{
    ++p->files;
    p->failed += step->kind == SCAN_STEP_FAILED;
    p->computed += step->kind == SCAN_STEP_COMPUTED;
    p->audio_s += step->audio_s;
    if (!p->computed) {
        p->paced_ns = now_ns;
        return;
    }
    ++p->paced_files;
    p->paced_audio_s += step->audio_s;
}

// Without anything computed the pace is that of the whole run.
static double paced_s(const struct scan_progress *p, int64_t now_ns)
{
    return seconds_between(p->computed && p->paced_ns ? p->paced_ns : p->begun_ns, now_ns);
}

static double speed(const struct scan_progress *p, int64_t now_ns)
{
    const double passed_s = paced_s(p, now_ns);
    return passed_s > 0 ? (p->computed ? p->paced_audio_s : p->audio_s) / passed_s : 0;
}

double scan_progress_left_s(const struct scan_progress *p, int64_t now_ns)
{
    const uint64_t files = p->computed ? p->paced_files : p->files;
    if (p->total_state != SCAN_TOTAL_COUNTED || files == 0 || p->total < p->files)
        return (double)NAN;
    return (double)(p->total - p->files) * paced_s(p, now_ns) / (double)files;
}

static void write_files(char *text, size_t bytes, const struct scan_progress *p)
{
    if (p->total_state == SCAN_TOTAL_UNKNOWN)
        (void)snprintf(text, bytes, "%" PRIu64 " files", p->files);
    else
        (void)snprintf(text, bytes, "%" PRIu64 "/%" PRIu64 "%s files", p->files, p->total,
                       p->total_state == SCAN_TOTAL_GROWS ? "+" : "");
}

// A part that follows others and is left out as a whole where it does not fit.
static void append_part(char *line, size_t bytes, const char *part, unsigned columns)
{
    if (utf8_text_columns(line) + GAP + utf8_text_columns(part) <= columns &&
        strlen(line) + GAP + strlen(part) < bytes) {
        strcat(line, "  ");
        strcat(line, part);
    }
}

static void append_bar(char *line, size_t bytes, const struct scan_progress *p, unsigned columns)
{
    const unsigned used = utf8_text_columns(line) + GAP;
    if (p->total_state == SCAN_TOTAL_UNKNOWN || columns < used + BAR_LEAST)
        return;
    const unsigned room = columns - used;
    const double share =
        p->total_state == SCAN_TOTAL_COUNTED ? (double)p->files / (double)p->total : 0;
    strcat(line, "  ");
    line_append_bar(line, bytes, share, room < BAR_MOST ? room : BAR_MOST);
}

void scan_progress_line(char line[SCAN_LINE_BYTES], const struct scan_progress *p, int64_t now_ns,
                        unsigned columns)
{
    assert(columns <= SCAN_LINE_COLUMNS);
    char files[PIECE_BYTES], part[PIECE_BYTES], whole[SCAN_LINE_BYTES];
    write_files(files, sizeof files, p);
    (void)snprintf(whole, sizeof whole, "%s", files);
    if (p->total_state != SCAN_TOTAL_UNKNOWN) {
        part[0] = 0;
        line_append_clock(part, sizeof part, ceil(scan_progress_left_s(p, now_ns)));
        strcat(part, " left");
        append_part(whole, sizeof whole, part, columns);
    }
    (void)snprintf(part, sizeof part, "%.1f h of audio", p->audio_s / 3600);
    append_part(whole, sizeof whole, part, columns);
    (void)snprintf(part, sizeof part, "%.0f x real time", speed(p, now_ns));
    append_part(whole, sizeof whole, part, columns);
    append_bar(whole, sizeof whole, p, columns);
    (void)utf8_fit(line, SCAN_LINE_BYTES, whole,
                   utf8_text_columns(whole) < columns ? utf8_text_columns(whole) : columns,
                   UTF8_CUT_END);
}

void scan_progress_summary(char *text, size_t bytes, const struct scan_progress *p, int64_t now_ns)
{
    char failed[PIECE_BYTES] = "", known[PIECE_BYTES] = "";
    const double passed_s = fmax(seconds_between(p->begun_ns, now_ns), 1e-3);
    const uint64_t in_cache = p->files - p->failed - p->computed;
    if (p->failed)
        (void)snprintf(failed, sizeof failed, ", %" PRIu64 " failed", p->failed);
    if (in_cache)
        (void)snprintf(known, sizeof known, ", %" PRIu64 " known before", in_cache);
    (void)snprintf(text, bytes,
                   "%" PRIu64 " tracks, %.1f h of audio in %.1f s%s%s: %.1f tracks a second, "
                   "%.0f x real time",
                   p->files, p->audio_s / 3600, passed_s, known, failed,
                   (double)p->files / passed_s, p->audio_s / passed_s);
}
