// SPDX-License-Identifier: MIT
#include "engine/desktop/work_line.h"
#include "engine/desktop/terminal.h"
#include "engine/monotonic.h"
#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { REDRAW_NS = 100000000, TITLE_BYTES = 1024 };

// Of the bar: what a scan fills, and of that the analysis, which takes the most time by far.
static const double SCAN_SHARE = 0.8, ANALYSIS_SHARE = 0.9;

void work_line_init(struct work_line *w, struct log *log)
{
    *w = (struct work_line){.log = log, .has_line = isatty(STDERR_FILENO)};
}

void work_line_begin(struct work_line *w, const char *path, unsigned file, unsigned file_count)
{
    if (w->path == path && w->file == file)
        return;
    w->path = path;
    w->file = file;
    w->file_count = file_count;
    w->before = 0;
}

void work_line_set_part(struct work_line *w, const struct work_part *part)
{
    w->part = *part;
    w->before = 0;
}

double work_line_bar(const struct work_line *w, double share)
{
    return w->part.from + (w->part.to - w->part.from) * (share > 0 ? share : 0);
}

// What is done is `share` of this file's work.
static void draw_bar(struct work_line *w, const char *doing, double share, double total_s)
{
    char title[TITLE_BYTES];
    w->drawn_ns = monotonic_ns();
    (void)snprintf(title, sizeof(title), "%s%s", doing,
                   progress_file_name(w->path)); // cut on the line, if not here
    terminal_draw_progress(w->log,
                           &(struct progress){.state = *doing ? PROGRESS_WAITING : PROGRESS_PLAYING,
                                              .track = w->file,
                                              .track_count = w->file_count,
                                              .title = title,
                                              .elapsed_s = share * total_s,
                                              .total_s = total_s,
                                              .bar = work_line_bar(w, share)});
}

void work_line_draw(struct work_line *w, const char *doing, double done_s, double total_s)
{
    if (!w->has_line ||
        (done_s > 0 && done_s < total_s && monotonic_ns() - w->drawn_ns < REDRAW_NS))
        return;
    draw_bar(w, doing, w->before + (1 - w->before) * done_s / total_s, total_s);
}

double work_line_share(const struct scan_file_progress *p)
{
    const double done = p->total_s > 0 ? fmin(p->done_s / p->total_s, 1) : 0;
    if (p->pass <= 1)
        return ANALYSIS_SHARE * done;
    const double left = (1 - ANALYSIS_SHARE) * ldexp(1, 2 - (int)p->pass); // before this pass
    return 1 - left + 0.5 * left * done;
}

static void draw_scan(struct work_line *w, struct scan *scan)
{
    struct scan_file_progress p = {.total_s = (double)NAN};
    (void)scan_progress_of_first(scan, &p); // else it has not begun
    if (p.pass > 0)
        w->before = (w->part.to > 0 ? 1 : SCAN_SHARE) * work_line_share(&p);
    draw_bar(w, p.pass > 1 ? "calibrating " : "analysing ", w->before, p.total_s);
}

void work_line_watch_scan(struct work_line *w, struct scan *scan)
{
    if (!w->has_line)
        return;
    do
        draw_scan(w, scan);
    while (!scan_wait(scan, monotonic_ns() + REDRAW_NS));
}

void work_line_wipe(struct work_line *w)
{
    if (!w->has_line)
        return;
    fputs("\r\033[K", stderr);
    log_set_status_line(w->log, 0);
}
