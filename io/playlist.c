// SPDX-License-Identifier: MIT
#include "io/playlist.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 16384 };

struct reading {
    FILE *file;
    char line[LINE_BYTES];
    char *entry; // folder and entry put together
    size_t folder_bytes;
    int is_pls;
    unsigned long long entries;
    playlist_entry_fn fn;
    void *context;
};

static int has_extension(const char *path, const char *extension)
{
    const size_t bytes = strlen(path), n = strlen(extension);
    return bytes > n && strcasecmp(path + bytes - n, extension) == 0;
}

int playlist_is_name(const char *path)
{
    assert(path);
    return has_extension(path, ".m3u") || has_extension(path, ".m3u8") ||
           has_extension(path, ".pls");
}

// A FIFO must not block the open, nor be read.
static int open_regular(FILE **file, const char *path)
{
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct stat info;
    int error = fstat(fd, &info) ? -errno : S_ISREG(info.st_mode) ? 0 : -EINVAL;
    *file = error ? NULL : fdopen(fd, "rb");
    if (!error && !*file)
        error = -ENOMEM;
    if (error)
        close(fd);
    return error;
}

enum line { LINE_END, LINE_READ, LINE_UNUSABLE };

// Read up to a newline or the end; what is too long or has a NUL inside is read over.
static enum line read_line(struct reading *reading)
{
    size_t used = 0;
    int is_usable = 1, c;
    while ((c = getc_unlocked(reading->file)) != EOF && c != '\n') {
        if (c == 0 || used == LINE_BYTES - 1)
            is_usable = 0;
        else
            reading->line[used++] = (char)c;
    }
    if (c == EOF && used == 0 && is_usable)
        return LINE_END;
    while (used > 0 && reading->line[used - 1] == '\r')
        --used;
    reading->line[used] = 0;
    return is_usable ? LINE_READ : LINE_UNUSABLE;
}

// The part of a line that names an entry, or NULL.
static char *entry_of(const struct reading *reading, char *line)
{
    if (line[strspn(line, " \t")] == 0)
        return NULL;
    if (!reading->is_pls)
        return line[0] == '#' ? NULL : line;
    if (strncasecmp(line, "File", 4) != 0 || !isdigit((unsigned char)line[4]))
        return NULL;
    char *equals = line + 4 + strspn(line + 4, "0123456789");
    return *equals == '=' && equals[1] ? equals + 1 : NULL;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const int lower = tolower((unsigned char)c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// %41 to A, in place; %00 and what is no escape stay.
static void decode_percent(char *text)
{
    char *to = text;
    for (const char *from = text; *from; ++from) {
        const int high = *from == '%' ? hex_value(from[1]) : -1;
        const int low = high >= 0 ? hex_value(from[2]) : -1;
        if (low >= 0 && (high > 0 || low > 0)) {
            *to++ = (char)(high * 16 + low);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
}

// Path of a file: URI on this host, decoded in place; NULL: not such a URI.
static char *path_of_uri(char *entry)
{
    if (strncasecmp(entry, "file:", 5) != 0)
        return NULL;
    char *path = entry + 5;
    if (strncmp(path, "//", 2) == 0) {
        path += 2;
        if (strncasecmp(path, "localhost/", 10) == 0)
            path += 9;
    }
    if (path[0] != '/')
        return NULL;
    decode_percent(path);
    return path;
}

static int is_uri(const char *entry)
{
    const char *colon = strstr(entry, "://");
    if (!colon || colon == entry)
        return 0;
    for (const char *c = entry; c < colon; ++c)
        if (!isalnum((unsigned char)*c) && *c != '+' && *c != '-' && *c != '.')
            return 0;
    return 1;
}

static int pass_entry(struct reading *reading, char *entry)
{
    const char *path = path_of_uri(entry);
    ++reading->entries;
    if (path)
        return reading->fn(reading->context, path);
    if (entry[0] == '/' || is_uri(entry))
        return reading->fn(reading->context, entry);
    strcpy(reading->entry + reading->folder_bytes, entry); // LINE_BYTES of room
    return reading->fn(reading->context, reading->entry);
}

static int read_entries(struct reading *reading)
{
    enum line kind;
    int is_first = 1, error = 0;
    while (!error && (kind = read_line(reading)) != LINE_END) {
        char *line = reading->line;
        if (is_first && (memcmp(line, "\xff\xfe", 2) == 0 || memcmp(line, "\xfe\xff", 2) == 0))
            return -EBADMSG;
        if (is_first && strncmp(line, "\xef\xbb\xbf", 3) == 0)
            line += 3;
        is_first = 0;
        char *entry = kind == LINE_READ ? entry_of(reading, line) : NULL;
        if (entry)
            error = pass_entry(reading, entry);
    }
    if (!error && ferror(reading->file))
        error = -EIO;
    return error ? error : reading->entries ? 0 : -ENODATA;
}

int playlist_read(const char *path, playlist_entry_fn fn, void *context)
{
    assert(path && fn);
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return -ENOMEM;
    const char *slash = strrchr(path, '/');
    reading->folder_bytes = slash ? (size_t)(slash + 1 - path) : 0;
    reading->is_pls = has_extension(path, ".pls");
    reading->fn = fn;
    reading->context = context;
    reading->entry = malloc(reading->folder_bytes + LINE_BYTES);
    int error = reading->entry ? open_regular(&reading->file, path) : -ENOMEM;
    if (!error) {
        memcpy(reading->entry, path, reading->folder_bytes);
        error = read_entries(reading);
        fclose(reading->file);
    }
    free(reading->entry);
    free(reading);
    return error;
}
