// SPDX-License-Identifier: MIT
#include "engine/log.h"
#include "engine/escape.h"
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_BYTES = PIPE_BUF,          // a write of so many is one piece on a pipe
    SUBJECT_BYTES = PIPE_BUF - 512, // leaves room for a cause after the longest path
    MESSAGE_BYTES = 1024,
};

static const char *const names[LOG_LEVEL_COUNT] = {"error", "warn", "info", "debug"};

void log_init(struct log *log, int fd, enum log_level level)
{
    assert(log && fd >= 0 && level < LOG_LEVEL_COUNT);
    log->fd = fd;
    log->level = level;
    atomic_init(&log->has_status_line, 0);
}

const char *log_level_name(enum log_level level)
{
    assert(level < LOG_LEVEL_COUNT);
    return names[level];
}

int log_level_parse(const char *name)
{
    for (int i = 0; i < LOG_LEVEL_COUNT; ++i)
        if (strcmp(names[i], name) == 0)
            return i;
    return -EINVAL;
}

int log_has_level(const struct log *log, enum log_level level)
{
    return level <= log->level;
}

void log_set_status_line(struct log *log, int is_shown)
{
    atomic_store_explicit(&log->has_status_line, is_shown, memory_order_relaxed);
}

static void write_whole(int fd, const char *bytes, size_t count)
{
    const int saved = errno; // a log line must not change what its caller looks at next
    while (count > 0) {
        const ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        bytes += written;
        count -= (size_t)written;
    }
    errno = saved;
}

struct line {
    char text[LINE_BYTES];
    size_t used; // < LINE_BYTES - 1: the newline always fits
};

static void append(struct line *line, const char *text)
{
    const size_t room = LINE_BYTES - 1 - line->used;
    const size_t bytes = strnlen(text, room - 1);
    memcpy(line->text + line->used, text, bytes);
    line->used += bytes;
}

// Append at most `limit` bytes, escaped.
static void append_escaped(struct line *line, const char *text, size_t limit)
{
    size_t room = LINE_BYTES - 1 - line->used;
    if (room > limit)
        room = limit;
    (void)escape_text(line->text + line->used, room, text); // may be cut: measured below
    line->used += strlen(line->text + line->used);
}

static void write_line(struct log *log, const char *subject, const char *format, va_list arguments)
{
    char message[MESSAGE_BYTES];
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        return;
    struct line line = {.used = 0};
    if (atomic_load_explicit(&log->has_status_line, memory_order_relaxed))
        append(&line, "\r\x1b[K");
    append(&line, "segue: ");
    if (subject) {
        append_escaped(&line, subject, SUBJECT_BYTES);
        append(&line, ": ");
    }
    append_escaped(&line, message, LINE_BYTES);
    line.text[line.used++] = '\n';
    assert(line.used <= LINE_BYTES);
    write_whole(log->fd, line.text, line.used);
}

void log_write(struct log *log, enum log_level level, const char *subject, const char *format, ...)
{
    assert(log && format);
    if (!log_has_level(log, level))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_line(log, subject, format, arguments);
    va_end(arguments);
}

void log_write_once(struct log *log, struct log_once *once, enum log_level level,
                    const char *subject, const char *format, ...)
{
    assert(log && once && format);
    if (!log_has_level(log, level) ||
        atomic_exchange_explicit(&once->said, 1, memory_order_relaxed))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_line(log, subject, format, arguments);
    va_end(arguments);
}
