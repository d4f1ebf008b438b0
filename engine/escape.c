// SPDX-License-Identifier: MIT
#include "engine/escape.h"
#include "engine/utf8.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ESCAPE_LONGEST = 4 }; // \xhh, or one UTF-8 sequence

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Bytes of the escape at `text`, which begins with a backslash; 0: it is a plain backslash.
static size_t escape_at(const char *text)
{
    if (text[1] == '\\' || text[1] == 'n' || text[1] == 't')
        return 2;
    return text[1] == 'x' && hex_value(text[2]) >= 0 && hex_value(text[3]) >= 0 ? 4 : 0;
}

static int is_control(uint32_t codepoint)
{
    return codepoint < 0x20 || (codepoint >= 0x7f && codepoint < 0xa0);
}

static int is_printable_at(const char *text, size_t *bytes)
{
    uint32_t codepoint;
    *bytes = utf8_decode(text, &codepoint);
    return *bytes > 0 && !is_control(codepoint);
}

// Whether a backslash before `rest` has to be doubled: it would begin an escape in the output.
static int is_ambiguous(const char *backslash)
{
    size_t bytes;
    return escape_at(backslash) > 0 || (backslash[1] && !is_printable_at(backslash + 1, &bytes));
}

// Write one character of `text` or its escape to `piece`. @return bytes read; *length: bytes written.
static size_t next_piece(char piece[ESCAPE_LONGEST], size_t *length, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    size_t bytes;
    if (is_printable_at(text, &bytes)) {
        memcpy(piece, text, bytes);
        *length = bytes;
        if (*text == '\\' && is_ambiguous(text)) {
            piece[1] = '\\';
            *length = 2;
        }
        return bytes;
    }
    const unsigned char byte = (unsigned char)*text;
    piece[0] = '\\';
    *length = 2;
    if (byte == '\n' || byte == '\t') {
        piece[1] = byte == '\n' ? 'n' : 't';
        return 1;
    }
    piece[1] = 'x';
    piece[2] = digits[byte >> 4];
    piece[3] = digits[byte & 15];
    *length = 4;
    return 1;
}

size_t escape_text(char *out, size_t size, const char *text)
{
    assert(text && (out || size == 0));
    size_t total = 0, written = 0;
    int is_open = size > 0; // until the first piece that does not fit
    while (*text) {
        char piece[ESCAPE_LONGEST];
        size_t length;
        text += next_piece(piece, &length, text);
        total += length;
        is_open = is_open && total < size;
        if (is_open) {
            memcpy(out + written, piece, length);
            written = total;
        }
    }
    if (size > 0)
        out[written] = 0;
    return total;
}

char *escape_dup(const char *text)
{
    const size_t size = escape_text(NULL, 0, text) + 1;
    char *out = malloc(size);
    if (out)
        (void)escape_text(out, size, text); // the length is known already
    return out;
}

size_t escape_undo(char *text)
{
    assert(text);
    const char *from = text;
    char *to = text;
    while (*from) {
        const size_t bytes = *from == '\\' ? escape_at(from) : 0;
        if (bytes == 0)
            *to++ = *from++;
        else if (bytes == 4)
            *to++ = (char)(hex_value(from[2]) * 16 + hex_value(from[3]));
        else
            *to++ = from[1] == 'n' ? '\n' : from[1] == 't' ? '\t' : '\\';
        from += bytes;
    }
    *to = 0;
    return (size_t)(to - text);
}
