// SPDX-License-Identifier: MIT
#include "engine/utf8.h"
#include <assert.h>
#include <string.h>

static const char ellipsis[] = "\xe2\x80\xa6"; // one column

size_t utf8_decode(const char *text, uint32_t *codepoint)
{
    assert(text && codepoint);
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] == 0)
        return 0;
    if (s[0] < 0x80) {
        *codepoint = s[0];
        return 1;
    }
    const size_t bytes = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    uint32_t value = s[0] & (0xffU >> (bytes + 1));
    for (size_t i = 1; i < bytes; ++i) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s[i] & 0x3fU);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[bytes] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *codepoint = value;
    return bytes;
}

struct range {
    uint32_t first, last;
};

static int is_in(const struct range *ranges, size_t count, uint32_t codepoint)
{
    for (size_t i = 0; i < count; ++i)
        if (codepoint >= ranges[i].first && codepoint <= ranges[i].last)
            return 1;
    return 0;
}

unsigned utf8_columns(uint32_t codepoint)
{
    // The blocks that matter in titles; a terminal's own table is finer, but not the same everywhere.
    static const struct range zero[] = {
        {0x0000, 0x001f}, {0x007f, 0x009f}, {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},
        {0x0610, 0x061a}, {0x064b, 0x065f}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2064},
        {0x20d0, 0x20f0}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
    };
    static const struct range wide[] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
        {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
        {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
        {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };
    if (is_in(zero, sizeof zero / sizeof zero[0], codepoint))
        return 0;
    return is_in(wide, sizeof wide / sizeof wide[0], codepoint) ? 2 : 1;
}

// Bytes and columns of the character at `text`, which is not at its end.
static size_t character_at(const char *text, unsigned *columns)
{
    uint32_t codepoint;
    const size_t bytes = utf8_decode(text, &codepoint);
    *columns = bytes ? utf8_columns(codepoint) : 1;
    return bytes ? bytes : 1;
}

unsigned utf8_text_columns(const char *text)
{
    unsigned total = 0, columns;
    for (; *text; total += columns)
        text += character_at(text, &columns);
    return total;
}

struct writer {
    char *out;
    size_t size, used;
};

static int append(struct writer *writer, const char *text, size_t bytes)
{
    if (writer->used + bytes + 1 > writer->size)
        return 0;
    memcpy(writer->out + writer->used, text, bytes);
    writer->used += bytes;
    return 1;
}

// Append characters of `text` while they fit in `columns`. @return columns used.
static unsigned append_fitting(struct writer *writer, const char *text, unsigned columns)
{
    unsigned used = 0, width;
    while (*text) {
        const size_t bytes = character_at(text, &width);
        if (used + width > columns || !append(writer, text, bytes))
            break;
        used += width;
        text += bytes;
    }
    return used;
}

size_t utf8_fit(char *out, size_t size, const char *text, unsigned columns, enum utf8_cut cut)
{
    assert(out && size > 0 && text);
    struct writer writer = {out, size, 0};
    unsigned used = 0, all = utf8_text_columns(text), width;
    if (all <= columns) {
        used = append_fitting(&writer, text, columns);
    } else if (columns > 0 && cut == UTF8_CUT_END) {
        used = append_fitting(&writer, text, columns - 1);
        used += append_fitting(&writer, ellipsis, 1);
    } else if (columns > 0) {
        for (; all > columns - 1; all -= width)
            text += character_at(text, &width);
        used = append_fitting(&writer, ellipsis, 1);
        used += append_fitting(&writer, text, columns - 1);
    }
    while (used < columns && append(&writer, " ", 1))
        ++used;
    out[writer.used] = 0;
    return writer.used;
}
