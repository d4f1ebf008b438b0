// SPDX-License-Identifier: MIT
#include "io/tags/tags.h"
#include "io/tags/tags_impl.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHUNKS = 1000, CHUNK_HEADER_BYTES = 8, FIRST_CHUNK = 12, INFO_BYTES = 65536 };

uint32_t tags_little(const unsigned char *b, unsigned n)
{
    uint32_t value = 0;
    while (n-- > 0)
        value = value << 8 | b[n];
    return value;
}

uint32_t tags_big(const unsigned char *b, unsigned n)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < n; ++i)
        value = value << 8 | b[i];
    return value;
}

// --- The list ------------------------------------------------------------------------------------

void tags_deinit(struct tags *tags)
{
    for (uint32_t i = 0; i < tags->count; ++i)
        free(tags->entries[i]);
    free(tags->entries);
    *tags = (struct tags){0};
}

int tags_is_called(const char *entry, const char *name)
{
    const size_t bytes = strlen(name);
    return strncmp(entry, name, bytes) == 0 && entry[bytes] == '=';
}

const char *tags_get(const struct tags *tags, const char *name)
{
    for (uint32_t i = 0; i < tags->count; ++i)
        if (tags_is_called(tags->entries[i], name))
            return tags->entries[i] + strlen(name) + 1;
    return NULL;
}

// Length of the UTF-8 sequence at `s`, of which `left` bytes are there; 0: it is none.
static size_t sequence_bytes(const unsigned char *s, size_t left)
{
    static const unsigned char least[5] = {0, 0, 0xc2, 0xe0, 0xf0};
    const size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (n > left || s[0] < least[n] || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; ++i)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    const bool is_overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    const bool is_no_character = (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf4 && s[1] >= 0x90);
    return is_overlong || is_no_character ? 0 : n;
}

static bool is_text(const char *value, size_t bytes)
{
    const unsigned char *s = (const unsigned char *)value;
    for (size_t at = 0, n; at < bytes; at += n) {
        n = s[at] ? sequence_bytes(s + at, bytes - at) : 0;
        if (n == 0)
            return false;
    }
    return true;
}

static bool is_name(const char *name)
{
    for (const char *c = name; *c; ++c)
        if (*c < 0x20 || *c > 0x7d || *c == '=')
            return false;
    return *name != 0;
}

int tags_add(struct tags *tags, const char *name, const char *value, size_t bytes)
{
    if (tags->count == TAGS_MAX || bytes == 0 || bytes > TAGS_VALUE_BYTES || !is_name(name) ||
        !is_text(value, bytes))
        return 0;
    if (!tags->entries)
        tags->entries = calloc(TAGS_MAX, sizeof(char *));
    const size_t name_bytes = strlen(name);
    char *entry = tags->entries ? malloc(name_bytes + bytes + 2) : NULL;
    if (!entry)
        return -ENOMEM;
    for (size_t i = 0; i < name_bytes; ++i)
        entry[i] = (char)toupper((unsigned char)name[i]);
    entry[name_bytes] = '=';
    memcpy(entry + name_bytes + 1, value, bytes);
    entry[name_bytes + 1 + bytes] = 0;
    tags->entries[tags->count++] = entry;
    return 0;
}

void tags_drop(struct tags *tags, int (*drop)(const char *entry))
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < tags->count; ++i) {
        if (drop(tags->entries[i]))
            free(tags->entries[i]);
        else
            tags->entries[kept++] = tags->entries[i];
    }
    tags->count = kept;
}

uint32_t tags_number(const char *value)
{
    if (!value || !isdigit((unsigned char)*value))
        return 0;
    const unsigned long number = strtoul(value, NULL, 10);
    return number < UINT32_MAX ? (uint32_t)number : 0;
}

/// @return what follows `text` at `at`, NULL if something else stands there.
static const char *after_text(const char *at, const char *text)
{
    const size_t length = strlen(text);
    return at && strncmp(at, text, length) == 0 ? at + length : NULL;
}

/// @return what follows the digits at `at`, a sign, point or exponent among them; NULL without any.
static const char *after_number(const char *at)
{
    const size_t length = at ? strspn(at, "+-.0123456789e") : 0;
    return length > 0 && strcspn(at, "0123456789") < length ? at + length : NULL;
}

/// "version 9, adaptive, intensity 1, target -14.0 LUFS" and no more, whatever the preset's name.
static int is_mark(const char *value)
{
    const char *at = after_text(after_number(after_text(value, "version ")), ", ");
    const size_t name = at ? strspn(at, "abcdefghijklmnopqrstuvwxyz") : 0;
    at = name > 0 ? after_number(after_text(at + name, ", intensity ")) : NULL;
    at = after_text(after_number(after_text(at, ", target ")), " LUFS");
    return at && at[strspn(at, " ")] == 0;
}

int tags_was_mastered(const struct tags *tags)
{
    const char *mark = tags_get(tags, "SEGUE_MASTERED"), *comment = tags_get(tags, "COMMENT");
    if (mark && is_mark(mark))
        return 1;
    const char *in_comment = comment ? strstr(comment, "SEGUE_MASTERED=") : NULL;
    return in_comment && is_mark(in_comment + strlen("SEGUE_MASTERED="));
}

// --- Chunks of WAV and AIFF ----------------------------------------------------------------------

static int add_info(struct tags *tags, const unsigned char *info, size_t bytes)
{
    static const struct {
        char id[5];
        const char *name;
    } names[] = {{"INAM", "TITLE"},     {"IART", "ARTIST"},      {"IPRD", "ALBUM"},
                 {"ICRD", "DATE"},      {"IGNR", "GENRE"},       {"ICMT", "COMMENT"},
                 {"ICOP", "COPYRIGHT"}, {"ITRK", "TRACKNUMBER"}, {"IPRT", "TRACKNUMBER"}};
    for (size_t at = 4; at + CHUNK_HEADER_BYTES <= bytes;) {
        const size_t left = bytes - at - CHUNK_HEADER_BYTES;
        const size_t stated = tags_little(info + at + 4, 4), n = stated < left ? stated : left;
        const char *value = (const char *)info + at + CHUNK_HEADER_BYTES;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
            if (memcmp(info + at, names[i].id, 4) != 0 || tags_get(tags, names[i].name))
                continue;
            const int error = tags_add(tags, names[i].name, value, strnlen(value, n));
            if (error)
                return error;
        }
        at += CHUNK_HEADER_BYTES + n + (n & 1);
    }
    return 0;
}

static int read_info(struct tags *tags, struct source *source, uint64_t offset, uint32_t bytes)
{
    unsigned char *info = bytes >= 4 ? malloc(INFO_BYTES) : NULL;
    if (!info)
        return bytes >= 4 ? -ENOMEM : 0;
    const int64_t n = source_read(source, info, offset, bytes < INFO_BYTES ? bytes : INFO_BYTES);
    int error = n < 0 ? (int)n : 0;
    if (n >= 4 && memcmp(info, "INFO", 4) == 0)
        error = add_info(tags, info, (size_t)n);
    free(info);
    return error;
}

/// The chunks of a RIFF or AIFF file, one after another.
struct chunks {
    struct source *source;
    uint64_t next, size_bytes; // of the next header, and of the file
    bool is_big;
    unsigned char id[4];    // of this chunk
    uint64_t offset, bytes; // of its body
    // by RF64's ds64 (EBU Tech 3306), in place of a size of all ones; 0: not said
    uint64_t long_data_bytes;
};

// @return 1, 0 at the end, or the source's error.
static int next_chunk(struct chunks *c)
{
    unsigned char b[CHUNK_HEADER_BYTES], sizes[16];
    if (c->next + CHUNK_HEADER_BYTES > c->size_bytes)
        return 0;
    int64_t n = source_read(c->source, b, c->next, sizeof b);
    if (n < (int64_t)sizeof b)
        return n < 0 ? (int)n : 0;
    memcpy(c->id, b, sizeof c->id);
    c->offset = c->next + CHUNK_HEADER_BYTES;
    c->bytes = c->is_big ? tags_big(b + 4, 4) : tags_little(b + 4, 4);
    if (memcmp(b, "ds64", 4) == 0) {
        n = source_read(c->source, sizes, c->offset, sizeof sizes);
        if (n == (int64_t)sizeof sizes)
            c->long_data_bytes = tags_little(sizes + 8, 4) | (uint64_t)tags_little(sizes + 12, 4)
                                                                 << 32;
    } else if (memcmp(b, "data", 4) == 0 && c->bytes == UINT32_MAX && c->long_data_bytes) {
        c->bytes = c->long_data_bytes;
    }
    const uint64_t left = c->size_bytes - c->offset;
    c->next = c->bytes < left ? c->offset + c->bytes + (c->bytes & 1) : c->size_bytes;
    return n < 0 ? (int)n : 1;
}

// An ID3 chunk says more than INFO does, so that one is listened to alone where it is there.
static int locate_chunks(struct tags_places *places, struct source *source, uint64_t size_bytes,
                         bool is_big)
{
    struct chunks c = {
        .source = source, .next = FIRST_CHUNK, .size_bytes = size_bytes, .is_big = is_big};
    int more = 1;
    for (int i = 0; i < MAX_CHUNKS && (more = next_chunk(&c)) > 0; ++i) {
        if (memcmp(c.id, "id3 ", 4) == 0 || memcmp(c.id, "ID3 ", 4) == 0) {
            places->id3 = c.offset;
            places->info = TAGS_NOWHERE;
            return 0;
        }
        if (memcmp(c.id, "LIST", 4) == 0 && !is_big && places->info == TAGS_NOWHERE) {
            places->info = c.offset;
            places->info_bytes = (uint32_t)c.bytes;
        }
    }
    return more < 0 ? more : 0;
}

static bool is_riff(const unsigned char *b)
{
    return (memcmp(b, "RIFF", 4) == 0 || memcmp(b, "RF64", 4) == 0) &&
           memcmp(b + 8, "WAVE", 4) == 0;
}

int tags_locate(struct tags_places *places, struct source *source, uint64_t size_bytes)
{
    unsigned char b[FIRST_CHUNK] = {0};
    *places = (struct tags_places){.id3 = TAGS_NOWHERE,
                                   .flac = TAGS_NOWHERE,
                                   .ogg = TAGS_NOWHERE,
                                   .info = TAGS_NOWHERE,
                                   .mpeg = TAGS_NOWHERE};
    int64_t n = source_read(source, b, 0, sizeof b);
    if (n < (int64_t)sizeof b)
        return n < 0 ? (int)n : 0;
    const uint64_t id3_bytes = tags_id3_bytes(b);
    if (id3_bytes) {
        places->id3 = 0;
        memset(b, 0, sizeof b);
        n = source_read(source, b, id3_bytes, 4); // some put one before FLAC
    }
    if (memcmp(b, "fLaC", 4) == 0)
        places->flac = id3_bytes;
    else if (memcmp(b, "OggS", 4) == 0 && !id3_bytes)
        places->ogg = 0;
    else if (is_riff(b) || (memcmp(b, "FORM", 4) == 0 && memcmp(b + 8, "AIF", 3) == 0))
        return locate_chunks(places, source, size_bytes, b[0] == 'F');
    else if (b[0] == 0xff && b[1] >= 0xe0 && !id3_bytes)
        places->mpeg = 0;
    return n < 0 ? (int)n : 0;
}

int tags_read(struct tags *tags, struct source *source, uint64_t size_bytes)
{
    struct tags_places places;
    *tags = (struct tags){0};
    int error = tags_locate(&places, source, size_bytes);
    if (!error && places.id3 != TAGS_NOWHERE)
        error = tags_read_id3(tags, source, places.id3);
    if (!error && places.flac != TAGS_NOWHERE)
        error = tags_read_flac(tags, source, places.flac);
    if (!error && places.ogg != TAGS_NOWHERE)
        error = tags_read_ogg(tags, source);
    if (!error && places.info != TAGS_NOWHERE)
        error = read_info(tags, source, places.info, places.info_bytes);
    if (!error && places.mpeg != TAGS_NOWHERE)
        error = tags_read_id3v1(tags, source, size_bytes);
    return error;
}
