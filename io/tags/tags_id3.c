// SPDX-License-Identifier: MIT
// ID3v2.2 to 2.4 (id3.org: id3v2-00, id3v2.3.0, id3v2.4.0-frames) and ID3v1.
#include "io/tags/pictures.h"
#include "io/tags/tags_impl.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_BYTES = 1 << 20, // of a tag that are looked at: text comes before pictures
    V1_BYTES = 128,
    FLAG_UNSYNCHRONISED = 0x80,
    FLAG_EXTENDED = 0x40,
    FRAME_HEAD_BYTES = 10,
    OLD_FRAME_HEAD_BYTES = 6, // of version 2.2
};

static const struct {
    char id[5], old_id[4];
    const char *name;
} frames[] = {
    {"TIT2", "TT2", "TITLE"},       {"TPE1", "TP1", "ARTIST"},      {"TALB", "TAL", "ALBUM"},
    {"TPE2", "TP2", "ALBUMARTIST"}, {"TRCK", "TRK", "TRACKNUMBER"}, {"TPOS", "TPA", "DISCNUMBER"},
    {"TDRC", "TYE", "DATE"},        {"TYER", "", "DATE"},           {"TCON", "TCO", "GENRE"},
    {"TCOM", "TCM", "COMPOSER"},    {"TCOP", "TCR", "COPYRIGHT"},   {"TSRC", "TRC", "ISRC"},
    {"COMM", "COM", "COMMENT"},     {"TXXX", "TXX", NULL},
};
enum { FRAME_NAMES = sizeof frames / sizeof frames[0] };

static uint32_t syncsafe(const unsigned char *b)
{
    return (uint32_t)(b[0] & 0x7f) << 21 | (uint32_t)(b[1] & 0x7f) << 14 |
           (uint32_t)(b[2] & 0x7f) << 7 | (b[3] & 0x7f);
}

uint64_t tags_id3_bytes(const unsigned char header[TAGS_ID3_HEADER_BYTES])
{
    if (memcmp(header, "ID3", 3) != 0 || header[3] < 2 || header[3] > 4 || header[6] & 0x80 ||
        header[7] & 0x80 || header[8] & 0x80 || header[9] & 0x80)
        return 0;
    const unsigned footer = header[3] == 4 && header[5] & 0x10 ? TAGS_ID3_HEADER_BYTES : 0;
    return TAGS_ID3_HEADER_BYTES + syncsafe(header + 6) + footer;
}

// Undo unsynchronisation: a zero was put behind each 0xff. @return the new length.
static size_t resynchronise(unsigned char *b, size_t bytes)
{
    size_t to = 0;
    for (size_t i = 0; i < bytes; ++i) {
        b[to++] = b[i];
        if (b[i] == 0xff && i + 1 < bytes && b[i + 1] == 0)
            ++i;
    }
    return to;
}

// --- Text in four encodings ----------------------------------------------------------------------

static size_t put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    const unsigned n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (unsigned i = n; i-- > 1; c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(0xf00 >> n | c);
    return n;
}

static bool is_wide(const struct tags_text *t)
{
    return t->encoding == 1 || t->encoding == 2;
}

// The next UTF-16 unit or byte. @return false at the end.
static bool next_unit(struct tags_text *t, bool is_big, uint32_t *unit)
{
    const size_t n = is_wide(t) ? 2 : 1;
    if (t->bytes < n)
        return false;
    *unit = n == 1 ? t->b[0] : is_big ? tags_big(t->b, 2) : tags_little(t->b, 2);
    t->b += n;
    t->bytes -= n;
    return true;
}

size_t tags_take_text(struct tags_text *t, char out[TAGS_TEXT_BYTES])
{
    size_t done = 0;
    bool is_big = t->encoding == 2;
    uint32_t unit, low;
    if (t->encoding == 1 && t->bytes >= 2 && (t->b[0] == 0xfe || t->b[0] == 0xff)) {
        is_big = t->b[0] == 0xfe;
        t->b += 2;
        t->bytes -= 2;
    }
    while (next_unit(t, is_big, &unit) && unit != 0) {
        if (is_wide(t) && unit >= 0xd800 && unit < 0xdc00 && next_unit(t, is_big, &low))
            unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
        if (done + 4 >= TAGS_TEXT_BYTES)
            continue;
        if (t->encoding == 3)
            out[done++] = (char)unit;
        else
            done += put_utf8(out + done, unit);
    }
    out[done] = 0;
    return done;
}

// "(17)Rock" is Rock; a number alone names a list that only old programs know.
static const char *plain_genre(const char *genre)
{
    if (*genre == '(' && strchr(genre, ')'))
        genre = strchr(genre, ')') + 1;
    return strspn(genre, "0123456789") == strlen(genre) ? "" : genre;
}

static int add_values(struct tags *tags, const char *name, struct tags_text *text, char *value)
{
    int error = 0;
    while (!error && text->bytes > 0) {
        size_t bytes = tags_take_text(text, value);
        const char *start = value;
        if (strcmp(name, "GENRE") == 0) {
            start = plain_genre(value);
            bytes = strlen(start);
        }
        error = tags_add(tags, name, start, bytes);
    }
    return error;
}

static int find_frame(const unsigned char *id, unsigned version)
{
    for (int i = 0; i < FRAME_NAMES; ++i)
        if (version == 2 ? memcmp(id, frames[i].old_id, 3) == 0 : memcmp(id, frames[i].id, 4) == 0)
            return i;
    return -1;
}

static int add_text(struct tags *tags, const char *name, struct tags_text *text,
                    char value[TAGS_TEXT_BYTES])
{
    char described[64];
    if (name && strcmp(name, "COMMENT") == 0) {
        if (text->bytes < 3)
            return 0;
        text->b += 3; // the language
        text->bytes -= 3;
        if (tags_take_text(text, value) > 0)
            return 0; // comments with a description are notes of programs
    } else if (!name) {
        if (tags_take_text(text, value) >= sizeof described)
            return 0;
        name = strcpy(described, value);
    }
    return add_values(tags, name, text, value);
}

static int add_frame(void *tags, const struct tags_frame *frame)
{
    const int which = find_frame(frame->id, frame->version);
    if (which < 0 || frame->bytes < 2 || frame->body[0] > 3)
        return 0;
    struct tags_text text = {
        .b = frame->body + 1, .bytes = frame->bytes - 1, .encoding = frame->body[0]};
    char *value = malloc(TAGS_TEXT_BYTES);
    const int error = value ? add_text(tags, frames[which].name, &text, value) : -ENOMEM;
    free(value);
    return error;
}

// --- Frames --------------------------------------------------------------------------------------

static bool begins_frame(const unsigned char *b, size_t bytes)
{
    for (size_t i = 0; i < 4 && i < bytes; ++i)
        if (!isupper(b[i]) && !isdigit(b[i]))
            return bytes > 0 && b[0] == 0; // padding
    return true;
}

// Some write version 2.4's sizes as 2.3's: where only that leads to another frame, it is believed.
static size_t frame_bytes(const unsigned char *head, size_t left, unsigned version)
{
    if (version == 2)
        return tags_big(head + 3, 3);
    const size_t plain = tags_big(head + 4, 4), safe = syncsafe(head + 4);
    const unsigned char *body = head + FRAME_HEAD_BYTES;
    if (version == 3 || plain == safe || plain > left)
        return version == 3 ? plain : safe;
    const bool is_safe = safe <= left && begins_frame(body + safe, left - safe);
    return !is_safe && begins_frame(body + plain, left - plain) ? plain : safe;
}

// Compressed, encrypted and grouped frames are left alone; text and pictures never are.
static int visit_frame(unsigned char *head, struct tags_frame *frame, tags_frame_fn visit,
                       void *context)
{
    const unsigned version = frame->version, flags = version == 2 ? 0 : head[9];
    unsigned char *body = head + (version == 2 ? OLD_FRAME_HEAD_BYTES : FRAME_HEAD_BYTES);
    if (flags & (version == 4 ? 0x4cU : 0xe0U))
        return 0;
    if (version == 4 && flags & 0x01 && frame->bytes >= 4) { // its plain length comes first
        body += 4;
        frame->bytes -= 4;
    }
    if (version == 4 && flags & 0x02)
        frame->bytes = resynchronise(body, frame->bytes);
    frame->id = head;
    frame->body = body;
    return visit(context, frame);
}

static int walk_frames(unsigned char *b, size_t bytes, unsigned version, tags_frame_fn visit,
                       void *context)
{
    const size_t head_bytes = version == 2 ? OLD_FRAME_HEAD_BYTES : FRAME_HEAD_BYTES;
    int error = 0;
    for (size_t at = 0; !error && at + head_bytes < bytes && b[at] != 0;) {
        unsigned char *head = b + at;
        at += head_bytes;
        struct tags_frame frame = {.version = version,
                                   .bytes = frame_bytes(head, bytes - at, version)};
        if (frame.bytes > bytes - at)
            break;
        at += frame.bytes;
        error = visit_frame(head, &frame, visit, context);
    }
    return error;
}

int tags_walk_id3(struct source *source, uint64_t offset, size_t most_bytes, tags_frame_fn visit,
                  void *context)
{
    unsigned char header[TAGS_ID3_HEADER_BYTES];
    int64_t n = source_read(source, header, offset, sizeof header);
    if (n < (int64_t)sizeof header || tags_id3_bytes(header) == 0)
        return n < 0 ? (int)n : 0;
    size_t bytes = syncsafe(header + 6);
    bytes = bytes < most_bytes ? bytes : most_bytes;
    unsigned char *b = malloc(bytes + 1);
    if (!b)
        return -ENOMEM;
    n = source_read(source, b, offset + sizeof header, bytes);
    bytes = n > 0 ? (size_t)n : 0;
    const unsigned version = header[3];
    if (version < 4 && header[5] & FLAG_UNSYNCHRONISED)
        bytes = resynchronise(b, bytes);
    size_t skip = 0;
    if (version > 2 && header[5] & FLAG_EXTENDED && bytes >= 4)
        skip = version == 4 ? syncsafe(b) : 4 + tags_big(b, 4);
    const int error = n < 0          ? (int)n
                      : skip < bytes ? walk_frames(b + skip, bytes - skip, version, visit, context)
                                     : 0;
    free(b);
    return error;
}

int tags_read_id3(struct tags *tags, struct source *source, uint64_t offset)
{
    return tags_walk_id3(source, offset, MOST_BYTES, add_frame, tags);
}

int tags_read_id3v1(struct tags *tags, struct source *source, uint64_t size_bytes)
{
    static const struct {
        const char *name;
        size_t offset, bytes;
    } fields[] = {{"TITLE", 3, 30},
                  {"ARTIST", 33, 30},
                  {"ALBUM", 63, 30},
                  {"DATE", 93, 4},
                  {"COMMENT", 97, 28}};
    unsigned char b[V1_BYTES];
    if (size_bytes < sizeof b)
        return 0;
    const int64_t n = source_read(source, b, size_bytes - sizeof b, sizeof b);
    if (n < (int64_t)sizeof b || memcmp(b, "TAG", 3) != 0)
        return n < 0 ? (int)n : 0;
    int error = 0;
    for (size_t i = 0; !error && i < sizeof fields / sizeof fields[0]; ++i) {
        struct tags_text text = {.b = b + fields[i].offset, .bytes = fields[i].bytes};
        char value[TAGS_TEXT_BYTES];
        size_t bytes = tags_take_text(&text, value);
        while (bytes > 0 && value[bytes - 1] == ' ')
            --bytes;
        error = tags_add(tags, fields[i].name, value, bytes);
    }
    char track[4];
    if (!error && b[125] == 0 && b[126] > 0)
        error = tags_add(tags, "TRACKNUMBER", track,
                         (size_t)snprintf(track, sizeof track, "%u", b[126]));
    return error;
}

// --- Writing -------------------------------------------------------------------------------------

static unsigned char *put_size(unsigned char *to, size_t bytes)
{
    for (int shift = 21; shift >= 0; shift -= 7)
        *to++ = (unsigned char)(bytes >> shift & 0x7f);
    return to;
}

// "TXXX" takes the name of what has no frame of its own.
static const char *frame_id(const char *entry)
{
    for (int i = 0; i < FRAME_NAMES && frames[i].name; ++i)
        if (tags_is_called(entry, frames[i].name))
            return frames[i].id;
    return "TXXX";
}

// The frame's body, or its length only where `to` is NULL.
static size_t put_body(unsigned char *to, const char *entry)
{
    const char *id = frame_id(entry), *value = strchr(entry, '=') + 1;
    unsigned char head[80] = {3}; // UTF-8
    size_t head_bytes = 1;
    if (strcmp(id, "COMM") == 0) {
        memcpy(head + 1, "und", 4); // of no certain language, without description
        head_bytes = 5;
    } else if (strcmp(id, "TXXX") == 0) {
        head_bytes += (size_t)snprintf((char *)head + 1, sizeof head - 1, "%.*s",
                                       (int)(value - 1 - entry), entry) +
                      1;
        head_bytes = head_bytes < sizeof head ? head_bytes : sizeof head;
    }
    if (to) {
        memcpy(to, head, head_bytes);
        memcpy(to + head_bytes, value, strlen(value));
    }
    return head_bytes + strlen(value);
}

static unsigned char *put_frame_head(unsigned char *to, const char *id, size_t bytes)
{
    memcpy(to, id, 4);
    return put_size(to + 4, bytes) + 2; // two bytes of flags, none set
}

unsigned char *tags_format_id3(const struct tags *tags, const struct pictures *pictures,
                               size_t *bytes)
{
    *bytes = TAGS_ID3_HEADER_BYTES;
    for (uint32_t i = 0; i < tags->count; ++i)
        *bytes += FRAME_HEAD_BYTES + put_body(NULL, tags->entries[i]);
    for (uint32_t i = 0; i < pictures->count; ++i)
        *bytes += FRAME_HEAD_BYTES + picture_put_apic(NULL, &pictures->items[i]);
    unsigned char *tag = calloc(1, *bytes);
    if (!tag)
        return NULL;
    memcpy(tag, "ID3\4", 4);
    unsigned char *to = put_size(tag + 6, *bytes - TAGS_ID3_HEADER_BYTES);
    for (uint32_t i = 0; i < tags->count; ++i) {
        const char *entry = tags->entries[i];
        to = put_frame_head(to, frame_id(entry), put_body(NULL, entry));
        to += put_body(to, entry);
    }
    for (uint32_t i = 0; i < pictures->count; ++i) {
        const struct picture *picture = &pictures->items[i];
        to = put_frame_head(to, "APIC", picture_put_apic(NULL, picture));
        to += picture_put_apic(to, picture);
    }
    return tag;
}
