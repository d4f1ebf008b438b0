// SPDX-License-Identifier: MIT
#include "io/container.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHUNKS = 1000, HEADER_BYTES = 16, OGG_HEADER_BYTES = 27, OGG_PAGE_BYTES = 65307 };

static uint64_t number(const unsigned char *b, unsigned n, bool is_big)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < n; i++)
        value = value << 8 | b[is_big ? i : n - 1 - i];
    return value;
}

/// Sizes that writers to a pipe leave behind: 0, all ones, and just under 2 or 4 GiB.
static bool is_open_size(uint64_t bytes)
{
    return bytes == 0 || bytes >= 0xffffff00u || (bytes >= 0x7ffff000u && bytes <= 0x7fffffffu);
}

struct chunk_style {
    unsigned header_bytes, size_bytes; // of the file, and of a chunk's size field
    bool is_big, is_padded;
    const char *data;
};

static int walk_chunks(struct container_lengths *lengths, struct source *source,
                       uint64_t size_bytes, const struct chunk_style *style)
{
    uint64_t offset = style->header_bytes;
    unsigned char b[HEADER_BYTES];
    unsigned header_bytes = 4 + style->size_bytes;
    for (int i = 0; i < MAX_CHUNKS && offset + header_bytes <= size_bytes; i++) {
        int64_t n = source_read(source, b, offset, header_bytes);
        if (n < (int64_t)header_bytes)
            return n < 0 ? (int)n : 0;
        uint64_t bytes = number(b + 4, style->size_bytes, style->is_big);
        offset += header_bytes;
        if (memcmp(b, style->data, 4) == 0) {
            lengths->data_offset = offset;
            if (!is_open_size(bytes) && bytes < INT64_MAX)
                lengths->stated_bytes = offset + bytes;
            lengths->is_unfinished = bytes == 0 && offset < size_bytes;
            return 0;
        }
        if (bytes > size_bytes)
            return 0;
        offset += bytes + (style->is_padded ? bytes & 1 : 0);
    }
    return 0;
}

/// Length of the Ogg page that begins at `page`, of which `there` bytes can be looked at.
static uint64_t page_bytes(const unsigned char *page, int64_t there)
{
    const int64_t segments = there >= OGG_HEADER_BYTES ? page[OGG_HEADER_BYTES - 1] : 0;
    int64_t bytes = OGG_HEADER_BYTES + segments;
    for (int64_t i = OGG_HEADER_BYTES; i < OGG_HEADER_BYTES + segments && i < there; i++)
        bytes += page[i];
    return (uint64_t)bytes;
}

/// An Ogg stream says nothing of its length, but each page of its own: a last one that is cut shows.
static int find_last_page(struct container_lengths *lengths, struct source *source,
                          uint64_t size_bytes)
{
    static const unsigned char capture[] = {'O', 'g', 'g', 'S', 0};
    const uint64_t from = size_bytes > OGG_PAGE_BYTES ? size_bytes - OGG_PAGE_BYTES : 0;
    unsigned char *tail = malloc(OGG_PAGE_BYTES);
    if (!tail)
        return -ENOMEM;
    const int64_t n = source_read(source, tail, from, (size_t)(size_bytes - from));
    for (int64_t at = n - (int64_t)sizeof capture; at >= 0 && !lengths->stated_bytes; at--) {
        if (memcmp(tail + at, capture, sizeof capture) != 0)
            continue;
        lengths->stated_bytes = from + (uint64_t)at + page_bytes(tail + at, n - at);
    }
    free(tail);
    return n < 0 ? (int)n : 0;
}

int container_probe(struct container_lengths *lengths, struct source *source, uint64_t size_bytes)
{
    static const struct chunk_style wav = {12, 4, false, true, "data"};
    static const struct chunk_style aiff = {12, 4, true, true, "SSND"};
    static const struct chunk_style caf = {8, 8, true, false, "data"};
    unsigned char b[HEADER_BYTES] = {0};
    *lengths = (struct container_lengths){0};
    int64_t n = source_read(source, b, 0, sizeof b);
    if (n < (int64_t)sizeof b)
        return n < 0 ? (int)n : 0;
    int error = 0;
    if (memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WAVE", 4) == 0) {
        error = walk_chunks(lengths, source, size_bytes, &wav);
        // Where the outer size is right the writer did come back, and there is no sound.
        if (number(b + 4, 4, false) + 8 >= size_bytes && number(b + 4, 4, false) != UINT32_MAX)
            lengths->is_unfinished = 0;
        return error;
    }
    if (memcmp(b, "FORM", 4) == 0 && memcmp(b + 8, "AIF", 3) == 0)
        error = walk_chunks(lengths, source, size_bytes, &aiff);
    else if (memcmp(b, "caff", 4) == 0)
        error = walk_chunks(lengths, source, size_bytes, &caf);
    else if (memcmp(b, "OggS", 4) == 0)
        error = find_last_page(lengths, source, size_bytes);
    else if (memcmp(b, ".snd", 4) == 0) {
        lengths->data_offset = number(b + 4, 4, true);
        if (!is_open_size(number(b + 8, 4, true)))
            lengths->stated_bytes = lengths->data_offset + number(b + 8, 4, true);
    }
    if (memcmp(b, "RIFF", 4) != 0)
        lengths->is_unfinished = 0;
    return error;
}
