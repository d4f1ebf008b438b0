// SPDX-License-Identifier: MIT
#include "engine/desktop/progress_line.h"
#include "engine/desktop/escape.h"
#include "engine/desktop/utf8.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    TITLE_LEAST = 14, // columns; with fewer something else is dropped
    TITLE_MOST = 60,
    BAR_LEAST = 10,
    PIECE_BYTES = 256,
};

static void append_clock(char *out, size_t size, double seconds)
{
    const size_t used = strlen(out);
    if (!(seconds >= 0 && seconds < 1e9)) {
        (void)snprintf(out + used, size - used, "-:--"); // the buffers have room for any time
        return;
    }
    const long whole = (long)floor(seconds);
    if (whole >= 3600)
        (void)snprintf(out + used, size - used, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60,
                       whole % 60);
    else
        (void)snprintf(out + used, size - used, "%ld:%02ld", whole / 60, whole % 60);
}

static const char *symbol(enum progress_state state)
{
    switch (state) {
    case PROGRESS_PLAYING:
        return "\xe2\x96\xb6"; // black right-pointing triangle
    case PROGRESS_PAUSED:
        return "\xe2\x80\x96"; // double vertical line
    case PROGRESS_STOPPED:
        return "\xe2\x96\xa0"; // black square
    default:
        return "\xe2\x80\xa6"; // ellipsis
    }
}

static void append_bar(char *out, size_t size, double share, unsigned columns)
{
    const unsigned played = (unsigned)lround(share * columns);
    size_t used = strlen(out);
    for (unsigned i = 0; i < columns && used + 4 <= size; ++i, used += 3)
        memcpy(out + used, i < played ? "\xe2\x94\x81" : "\xe2\x94\x80", 4); // heavy, light line
}

static double share_played(const struct progress *p)
{
    const double share = p->elapsed_s / p->total_s;
    return share >= 0 ? fmin(share, 1) : 0; // NaN is 0 as well
}

void progress_line_format(char line[PROGRESS_LINE_BYTES], const struct progress *progress,
                          unsigned columns)
{
    assert(line && progress && progress->title && columns <= PROGRESS_LINE_COLUMNS);
    char head[PIECE_BYTES], time[PIECE_BYTES] = "", next[PIECE_BYTES] = "", title[PIECE_BYTES * 4],
                            whole[PROGRESS_LINE_BYTES];
    (void)escape_text(title, sizeof title, progress->title); // longer ones are cut anyway
    if (progress->track)
        (void)snprintf(head, sizeof head, "%s %u/%u ", symbol(progress->state), progress->track,
                       progress->track_count);
    else
        (void)snprintf(head, sizeof head, "%s ", symbol(progress->state));
    append_clock(time, sizeof time, progress->elapsed_s);
    strcat(time, " / ");
    append_clock(time, sizeof time, progress->total_s);
    if (progress->next)
        (void)snprintf(next, sizeof next, "  next: %.200s", progress->next);

    const unsigned fixed = utf8_text_columns(head) + 2 + utf8_text_columns(time);
    unsigned room = columns > fixed ? columns - fixed : 0;
    const unsigned next_columns = utf8_text_columns(next);
    const int has_next = next_columns > 0 && room >= next_columns + 2 + BAR_LEAST + TITLE_LEAST;
    room -= has_next ? next_columns : 0;
    const int has_bar = room >= 2 + BAR_LEAST + TITLE_LEAST;
    room -= has_bar ? 2 : 0;
    unsigned title_columns = has_bar ? room - BAR_LEAST : room;
    const unsigned wanted = utf8_text_columns(title);
    if (has_bar && title_columns > wanted)
        title_columns = wanted > TITLE_LEAST ? wanted : TITLE_LEAST;
    if (title_columns > TITLE_MOST && has_bar)
        title_columns = TITLE_MOST;

    size_t used = strlen(head);
    memcpy(whole, head, used);
    used += utf8_fit(whole + used, sizeof whole - used, title, title_columns, UTF8_CUT_END);
    used += (size_t)snprintf(whole + used, sizeof whole - used, "%s%s%s", title_columns ? "  " : "",
                             time, has_bar ? "  " : "");
    if (has_bar)
        append_bar(whole, sizeof whole, share_played(progress), room - title_columns);
    if (has_next)
        strcat(whole, next);
    (void)utf8_fit(line, PROGRESS_LINE_BYTES, whole, columns, UTF8_CUT_END);
}
