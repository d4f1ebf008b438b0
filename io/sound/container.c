// SPDX-License-Identifier: MIT
#include "io/sound/container.h"
#include "io/tags/tags_impl.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_CHUNKS = 1000,
    HEADER_BYTES = 16,
    OPEN_SLACK_BYTES = 4096, // below a limit: headers, and a part of a frame
    OGG_HEADER_BYTES = 27,
    OGG_PAGE_BYTES = 65307,
};

static uint64_t number(const unsigned char *b, unsigned n, bool is_big)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < n; i++)
        value = value << 8 | b[is_big ? i : n - 1 - i];
    return value;
}

static void put_number(unsigned char *to, uint64_t value, unsigned n, bool is_big)
{
    for (unsigned i = 0; i < n; i++)
        to[is_big ? n - 1 - i : i] = (unsigned char)(value >> 8 * i);
}

static bool is_near(uint64_t bytes, uint64_t limit)
{
    return bytes >= limit - OPEN_SLACK_BYTES && bytes <= limit;
}

/// Sizes that writers to a pipe leave behind, and arecord until it is done: 0, all ones, and what fits below
/// limits that they take for endless.
static bool is_open_size(uint64_t bytes)
{
    return bytes == 0 || bytes >= 0xffffff00u || is_near(bytes, 0x80000000u) ||
           is_near(bytes, 0x7f000000u + OPEN_SLACK_BYTES / 2);
}

/// Where a chunk's size lies, and what it is.
struct size_field {
    uint64_t offset, bytes;
    unsigned width;
    bool is_big;
};

static void state_size(struct container_lengths *lengths, const struct size_field *field,
                       uint64_t bytes)
{
    lengths->size = (struct byte_patch){.offset = field->offset, .count = field->width};
    put_number(lengths->size.bytes, bytes, field->width, field->is_big);
}

struct chunk_style {
    unsigned header_bytes, size_bytes; // of the file, and of a chunk's size field
    unsigned preface_bytes;            // of the data's chunk, before its samples
    bool is_big, is_padded;
    const char *data;
};
static const struct chunk_style wav = {12, 4, 0, false, true, "data"};
static const struct chunk_style aiff = {12, 4, 8, true, true, "SSND"};
static const struct chunk_style caf = {8, 8, 4, true, false, "data"};

/// The next chunk's size. @return 1; 0: there is none; the source's errors.
static int read_chunk(struct size_field *field, unsigned char id[HEADER_BYTES],
                      struct source *source, uint64_t offset, const struct chunk_style *style)
{
    const unsigned bytes = 4 + style->size_bytes;
    const int64_t n = source_read(source, id, offset, bytes);
    *field = (struct size_field){offset + 4, 0, style->size_bytes, style->is_big};
    field->bytes = number(id + 4, style->size_bytes, style->is_big);
    return n < 0 ? (int)n : n == (int64_t)bytes;
}

static uint64_t end_of_chunk(const struct size_field *field, const struct chunk_style *style)
{
    const uint64_t start = field->offset + field->width;
    return start + field->bytes + (style->is_padded ? field->bytes & 1 : 0);
}

/// Whether nothing but chunks follows, to the file's end. @return 1; 0; the source's errors.
static int are_chunks(struct source *source, uint64_t offset, uint64_t size_bytes,
                      const struct chunk_style *style)
{
    unsigned char id[HEADER_BYTES] = {0};
    for (int i = 0; i < MAX_CHUNKS && offset < size_bytes; i++) {
        struct size_field field;
        const int found = read_chunk(&field, id, source, offset, style);
        if (found <= 0)
            return found;
        for (int k = 0; k < 4; k++)
            if (id[k] < 0x20 || id[k] > 0x7e)
                return 0;
        if (field.bytes > size_bytes)
            return 0;
        offset = end_of_chunk(&field, style);
        if (field.offset + field.width + field.bytes == size_bytes)
            return 1; // a last one need not be padded
    }
    return offset == size_bytes;
}

/// The size of the data was found. Where it is that of no data, only what follows tells whether there is some.
static int note_data(struct container_lengths *lengths, struct source *source, uint64_t size_bytes,
                     const struct size_field *field, const struct chunk_style *style)
{
    const uint64_t offset = field->offset + field->width;
    lengths->data_offset = offset;
    if (field->bytes > style->preface_bytes && field->bytes < INT64_MAX &&
        !is_open_size(field->bytes))
        lengths->stated_bytes = offset + field->bytes;
    const bool is_endless = field->width == 8 && field->bytes == UINT64_MAX;
    if ((field->bytes > style->preface_bytes && !is_endless) || offset >= size_bytes)
        return 0;
    const int is_empty =
        is_endless ? 0 : are_chunks(source, offset + field->bytes, size_bytes, style);
    if (is_empty == 0)
        state_size(lengths, field, field->width == 8 ? size_bytes - offset : UINT32_MAX);
    return is_empty < 0 ? is_empty : 0;
}

/// Layers I and II, and III, are formats 0x50 and 0x55 of WAV files (RFC 2361).
static int note_format(struct container_lengths *lengths, struct source *source,
                       const struct size_field *field)
{
    unsigned char tag[2] = {0};
    const int64_t n = source_read(source, tag, field->offset + field->width, sizeof tag);
    lengths->is_mpeg = (tag[0] == 0x50 || tag[0] == 0x55) && tag[1] == 0;
    return n < 0 ? (int)n : 0;
}

static int walk_chunks(struct container_lengths *lengths, struct source *source,
                       uint64_t size_bytes, const struct chunk_style *style)
{
    uint64_t offset = style->header_bytes;
    unsigned char id[HEADER_BYTES];
    for (int i = 0; i < MAX_CHUNKS; i++) {
        struct size_field field;
        const int found = read_chunk(&field, id, source, offset, style);
        if (found <= 0)
            return found;
        if (memcmp(id, style->data, 4) == 0)
            return note_data(lengths, source, size_bytes, &field, style);
        const int error = memcmp(id, "fmt ", 4) == 0 ? note_format(lengths, source, &field) : 0;
        if (error)
            return error;
        if (field.bytes > size_bytes)
            return 0;
        offset = end_of_chunk(&field, style);
    }
    return 0;
}

/// RF64 states the size of its data in a chunk before all others (EBU Tech 3306).
static int probe_rf64(struct container_lengths *lengths, struct source *source, uint64_t size_bytes)
{
    unsigned char b[HEADER_BYTES + 8] = {0};
    const uint64_t offset = wav.header_bytes;
    const int64_t n = source_read(source, b, offset, sizeof b);
    if (n < (int64_t)sizeof b || memcmp(b, "ds64", 4) != 0)
        return n < 0 ? (int)n : 0;
    const struct size_field field = {offset + HEADER_BYTES, number(b + HEADER_BYTES, 8, false), 8,
                                     false};
    if (field.bytes > 0)
        return 0;
    const int error = walk_chunks(lengths, source, size_bytes, &wav);
    if (!error && lengths->data_offset && lengths->data_offset < size_bytes)
        state_size(lengths, &field, size_bytes - lengths->data_offset);
    return error;
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

static void probe_au(struct container_lengths *lengths, const unsigned char *b, uint64_t size_bytes)
{
    const struct size_field field = {8, number(b + 8, 4, true), 4, true};
    lengths->data_offset = number(b + 4, 4, true);
    if (!is_open_size(field.bytes))
        lengths->stated_bytes = lengths->data_offset + field.bytes;
    if (field.bytes == 0 && lengths->data_offset < size_bytes)
        state_size(lengths, &field, UINT32_MAX);
}

/// Only stream information, padding and the table of seek points are of use to libFLAC here.
static int note_block(void *context, unsigned type, uint64_t offset, uint32_t bytes)
{
    struct container_lengths *lengths = context;
    (void)bytes;
    if (type == TAGS_FLAC_COMMENTS || type == TAGS_FLAC_PICTURE || type == TAGS_FLAC_CUE_SHEET ||
        type == TAGS_FLAC_APPLICATION)
        lengths->unneeded[lengths->unneeded_count++] = offset - TAGS_FLAC_HEADER_BYTES;
    return lengths->unneeded_count == CONTAINER_UNNEEDED;
}

int container_probe(struct container_lengths *lengths, struct source *source, uint64_t size_bytes)
{
    unsigned char b[HEADER_BYTES] = {0};
    *lengths = (struct container_lengths){0};
    int64_t n = source_read(source, b, 0, sizeof b);
    if (n < (int64_t)sizeof b)
        return n < 0 ? (int)n : 0;
    if (memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WAVE", 4) == 0)
        return walk_chunks(lengths, source, size_bytes, &wav);
    if (memcmp(b, "RF64", 4) == 0 && memcmp(b + 8, "WAVE", 4) == 0)
        return probe_rf64(lengths, source, size_bytes);
    if (memcmp(b, "FORM", 4) == 0 && memcmp(b + 8, "AIF", 3) == 0)
        return walk_chunks(lengths, source, size_bytes, &aiff);
    if (memcmp(b, "caff", 4) == 0)
        return walk_chunks(lengths, source, size_bytes, &caf);
    struct tags_places places;
    const int error = tags_locate(&places, source, size_bytes);
    if (error || places.flac != TAGS_NOWHERE)
        return error ? error : tags_walk_flac(source, places.flac, note_block, lengths);
    lengths->is_ogg = memcmp(b, "OggS", 4) == 0;
    if (lengths->is_ogg)
        return find_last_page(lengths, source, size_bytes);
    if (memcmp(b, ".snd", 4) == 0)
        probe_au(lengths, b, size_bytes);
    return 0;
}
