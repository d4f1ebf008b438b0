// SPDX-License-Identifier: MIT
#include "engine/desktop/work_line.h"
#include "engine/desktop/terminal.h"
#include "engine/monotonic.h"
#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { REDRAW_NS = 100000000, TITLE_BYTES = 1024 };

void work_line_init(struct work_line *w, struct log *log)
{
    *w = (struct work_line){.log = log, .has_line = isatty(STDERR_FILENO)};
}

void work_line_draw(struct work_line *w, const char *doing, double done_s, double total_s)
{
    const int64_t now = monotonic_ns();
    char title[TITLE_BYTES];
    if (!w->has_line || (done_s > 0 && done_s < total_s && now - w->drawn_ns < REDRAW_NS))
        return;
    w->drawn_ns = now;
    (void)snprintf(title, sizeof(title), "%s%s", doing,
                   progress_file_name(w->path)); // cut on the line, if not here
    terminal_draw_progress(w->log,
                           &(struct progress){.state = *doing ? PROGRESS_WAITING : PROGRESS_PLAYING,
                                              .track = w->file,
                                              .track_count = w->file_count,
                                              .title = title,
                                              .elapsed_s = done_s,
                                              .total_s = total_s});
}

static void draw_scan(struct work_line *w, struct scan *scan)
{
    struct scan_file_progress p = {.total_s = (double)NAN};
    (void)scan_progress_of_first(scan, &p); // else it has not begun
    work_line_draw(w, p.calibrates ? "calibrating " : "analysing ", p.done_s, p.total_s);
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
