// SPDX-License-Identifier: MIT
#include "engine/desktop/terminal.h"
#include "engine/desktop/progress_line.h"
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void terminal_open(struct terminal *t, struct log *log)
{
    *t = (struct terminal){.log = log, .has_line = isatty(STDERR_FILENO)};
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &t->saved))
        return;
    struct termios raw = t->saved;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    t->has_keys = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void terminal_close(struct terminal *t)
{
    if (t->has_line) {
        fputs("\r\033[K", stderr);
        log_set_status_line(t->log, 0);
    }
    if (t->has_keys && tcsetattr(STDIN_FILENO, TCSANOW, &t->saved))
        log_write(t->log, LOG_LEVEL_WARN, NULL, "the terminal could not be restored");
    *t = (struct terminal){0};
}

static enum terminal_key arrow(char code)
{
    switch (code) {
    case 'A':
        return KEY_LOUDER;
    case 'B':
        return KEY_SOFTER;
    case 'C':
        return KEY_FORWARD;
    case 'D':
        return KEY_BACK;
    default:
        return KEY_NONE;
    }
}

static bool read_byte(char *byte)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&fd, 1, 0) == 1 && read(STDIN_FILENO, byte, 1) == 1;
}

enum terminal_key terminal_read_key(struct terminal *t)
{
    char c, code;
    if (!t->has_keys || !read_byte(&c))
        return KEY_NONE;
    switch (c) {
    case 'q':
    case 4: // end of input
        return KEY_QUIT;
    case ' ':
    case 'p':
        return KEY_PAUSE;
    case 'n':
    case '>':
        return KEY_NEXT;
    case 'b':
    case '<':
        return KEY_PREVIOUS;
    case 'l':
        return KEY_FORWARD;
    case 'h':
        return KEY_BACK;
    case '+':
    case 'k':
        return KEY_LOUDER;
    case '-':
    case 'j':
        return KEY_SOFTER;
    case 'm':
        return KEY_MASTERING;
    case '\033':
        return read_byte(&code) && code == '[' && read_byte(&code) ? arrow(code) : KEY_NONE;
    default:
        return KEY_NONE;
    }
}

static void describe_next(char *text, size_t bytes, const struct player_status *status)
{
    const struct track_progress *n = &status->next;
    const uint64_t percent = n->size_bytes ? 100 * n->loaded_bytes / n->size_bytes : 0;
    const char *analysis = n->analysed ? "analysed"
                           : n->failed ? "cannot be analysed"
                                       : "analysing";
    if (!n->open)
        snprintf(text, bytes, "%s", n->failed ? "cannot be read" : "opening");
    else
        snprintf(text, bytes, "bytes %u %% %s", percent > 100 ? 100U : (unsigned)percent, analysis);
}

static enum progress_state symbol(enum player_state state)
{
    switch (state) {
    case PLAYER_PLAYING:
        return PROGRESS_PLAYING;
    case PLAYER_PAUSED:
        return PROGRESS_PAUSED;
    case PLAYER_DEVICE_LOST:
        return PROGRESS_WAITING;
    default:
        return PROGRESS_STOPPED;
    }
}

// Which side of a comparison is heard, and by how much it is lowered or raised for that.
static void describe_sound(char *text, size_t bytes, const struct player_status *status)
{
    const char *side = status->sound == PLAYER_PLAIN ? "plain" : "mastered";
    if (!status->compares)
        text[0] = 0;
    else if (fabs(status->match_db) < 0.05)
        snprintf(text, bytes, "[%s] ", side);
    else
        snprintf(text, bytes, "[%s %+.1f dB] ", side, status->match_db);
}

void terminal_draw(struct terminal *t, const struct player_status *status)
{
    if (!t->has_line)
        return;
    char next[64] = "";
    if (status->has_next)
        describe_next(next, sizeof(next), status);
    char sound[32], title[PLAYER_PATH_BYTES + sizeof(sound)];
    describe_sound(sound, sizeof(sound), status);
    snprintf(title, sizeof(title), "%s%s", sound, progress_file_name(status->path));
    const struct progress progress = {.state = symbol(status->state),
                                      .track = (unsigned)status->position + 1,
                                      .track_count = (unsigned)status->length,
                                      .title = title,
                                      .elapsed_s = status->elapsed_s,
                                      .total_s = status->duration_s,
                                      .next = status->has_next ? next : NULL};
    terminal_draw_progress(t->log, &progress);
}

void terminal_draw_progress(struct log *log, const struct progress *progress)
{
    struct winsize size;
    unsigned columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    if (columns < 2 || columns > PROGRESS_LINE_COLUMNS)
        columns = 80;
    char line[PROGRESS_LINE_BYTES];
    progress_line_format(line, progress, columns - 1); // the last column would wrap
    fprintf(stderr, "\r%s", line);
    fflush(stderr);
    log_set_status_line(log, 1);
}
