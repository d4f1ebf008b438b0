// SPDX-License-Identifier: MIT
#include "engine/desktop/progress_line.h"
#include "engine/desktop/line_parts.h"
#include "engine/escape.h"
#include "engine/utf8.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    TITLE_LEAST = 14, // columns; with fewer something else is dropped
    TITLE_MOST = 60,
    BAR_LEAST = 10,
    GAP = 2, // between the parts
    PIECE_BYTES = 256,
};

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

// How many columns each part gets; 0: it is left out.
struct layout {
    unsigned title, bar, next;
};

static struct layout lay_out(unsigned room, unsigned title_columns, unsigned next_columns)
{
    struct layout layout = {0, 0, 0};
    if (room >= next_columns + GAP + BAR_LEAST + TITLE_LEAST) {
        layout.next = next_columns;
        room -= next_columns;
    }
    layout.title = room;
    if (room < GAP + BAR_LEAST + TITLE_LEAST)
        return layout;
    room -= GAP;
    layout.title = title_columns < TITLE_LEAST ? TITLE_LEAST : title_columns;
    if (layout.title > TITLE_MOST)
        layout.title = TITLE_MOST;
    if (layout.title > room - BAR_LEAST)
        layout.title = room - BAR_LEAST;
    layout.bar = room - layout.title;
    return layout;
}

static void write_head(char *head, size_t size, const struct progress *progress)
{
    const char *state = symbol(progress->state);
    if (progress->track)
        (void)snprintf(head, size, "%s %u/%u ", state, progress->track, progress->track_count);
    else
        (void)snprintf(head, size, "%s ", state);
}

const char *progress_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

void progress_line_format(char line[PROGRESS_LINE_BYTES], const struct progress *progress,
                          unsigned columns)
{
    assert(line && progress && progress->title && columns <= PROGRESS_LINE_COLUMNS);
    char head[PIECE_BYTES], time[PIECE_BYTES] = "", next[PIECE_BYTES] = "";
    char title[4 * PIECE_BYTES], cut[4 * PIECE_BYTES], bar[PROGRESS_LINE_BYTES] = "";
    char whole[2 * PROGRESS_LINE_BYTES + 8 * PIECE_BYTES];
    write_head(head, sizeof head, progress);
    (void)escape_text(title, sizeof title, progress->title); // longer ones are cut anyway
    line_append_clock(time, sizeof time, progress->elapsed_s);
    strcat(time, " / ");
    line_append_clock(time, sizeof time, progress->total_s);
    if (progress->next)
        (void)snprintf(next, sizeof next, "  next: %.200s", progress->next);

    const unsigned fixed = utf8_text_columns(head) + GAP + utf8_text_columns(time);
    const struct layout layout = lay_out(columns > fixed ? columns - fixed : 0,
                                         utf8_text_columns(title), utf8_text_columns(next));
    (void)utf8_fit(cut, sizeof cut, title, layout.title, UTF8_CUT_END);
    const double full = progress->bar > 0 ? progress->bar : progress->elapsed_s / progress->total_s;
    line_append_bar(bar, sizeof bar, full, layout.bar);
    (void)snprintf(whole, sizeof whole, "%s%s%s%s%s%s%s", head, cut, layout.title ? "  " : "", time,
                   layout.bar ? "  " : "", bar, layout.next ? next : "");
    (void)utf8_fit(line, PROGRESS_LINE_BYTES, whole, columns, UTF8_CUT_END);
}
