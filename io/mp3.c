// SPDX-License-Identifier: MIT
// Tables: ISO/IEC 11172-3 and 13818-3; the Xing tag as the LAME tag specification describes it.
#include "io/mp3.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    CHUNK_BYTES = 65536,
    RESYNC_BYTES = 65536, // how far the first frame may lie from where it should
    ID3_HEADER_BYTES = 10,
    CONFIRMING_FRAMES = 2,
    XING_BYTES = 16, // name, flags, frames, bytes
};

static const uint16_t rates_kbps[2][16] = {
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0}, // MPEG 1
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},     // MPEG 2 and 2.5
};
static const uint16_t sample_rates_hz[3] = {44100, 48000, 32000};

int mp3_parse_header(struct mp3_header *header, const unsigned char *bytes)
{
    unsigned version = bytes[1] >> 3 & 3; // 0: 2.5, 2: 2, 3: 1
    unsigned layer = bytes[1] >> 1 & 3;   // 1: III
    unsigned rate = bytes[2] >> 4, sample_rate = bytes[2] >> 2 & 3;
    if (bytes[0] != 0xff || bytes[1] < 0xe0 || version == 1 || layer != 1 || sample_rate == 3)
        return -EBADMSG;
    unsigned is_lower = version != 3;
    uint32_t kbps = rates_kbps[is_lower][rate];
    if (kbps == 0)
        return -EBADMSG;
    header->rate_hz = sample_rates_hz[sample_rate] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    header->channels = bytes[3] >> 6 == 3 ? 1 : 2;
    header->samples = is_lower ? 576 : 1152;
    header->bytes = header->samples / 8 * kbps * 1000 / header->rate_hz + (bytes[2] >> 1 & 1);
    header->side_bytes = is_lower                ? (header->channels == 1 ? 9 : 17)
                         : header->channels == 1 ? 17
                                                 : 32;
    header->is_protected = !(bytes[1] & 1);
    return 0;
}

/// A window of the file for byte-wise looks at it.
struct view {
    struct source *source;
    uint64_t size_bytes, offset;
    size_t bytes;
    unsigned char data[CHUNK_BYTES];
};

/// @return `n` bytes at `offset`, NULL: not there, or *error.
static const unsigned char *look(struct view *v, uint64_t offset, size_t n, int *error)
{
    assert(n <= CHUNK_BYTES);
    if (offset > v->size_bytes || v->size_bytes - offset < n)
        return NULL;
    if (offset < v->offset || offset + n > v->offset + v->bytes) {
        int64_t got = source_read(v->source, v->data, offset, CHUNK_BYTES);
        v->offset = offset;
        v->bytes = got > 0 ? (size_t)got : 0;
        if (got < 0)
            *error = (int)got;
        if (v->bytes < n)
            return NULL;
    }
    return v->data + (offset - v->offset);
}

/// What a chain of frames may be cut short by.
enum chain_end { CHAIN_WHOLE, CHAIN_TO_END_OF_FILE };

/// Whether a chain of frames of one kind begins at `offset`.
static int is_chain(struct view *v, uint64_t offset, enum chain_end end, int *error)
{
    struct mp3_header first = {0}, next;
    for (int i = 0; i <= CONFIRMING_FRAMES; i++) {
        const unsigned char *bytes = look(v, offset, MP3_HEADER_BYTES, error);
        if (!bytes)
            return i > 0 && end == CHAIN_TO_END_OF_FILE; // a file of a frame or two
        if (mp3_parse_header(&next, bytes))
            return 0;
        if (i > 0 && (next.rate_hz != first.rate_hz || next.samples != first.samples))
            return 0;
        first = next;
        offset += next.bytes;
    }
    return 1;
}

/// The next chain of frames from `offset` on. @return size_bytes where there is none.
static uint64_t find_chain(struct view *v, uint64_t offset, uint64_t limit, int *error)
{
    for (; offset < limit && !*error; offset++) {
        const unsigned char *bytes = look(v, offset, MP3_HEADER_BYTES, error);
        if (!bytes)
            break;
        if (bytes[0] == 0xff && is_chain(v, offset, CHAIN_WHOLE, error))
            return offset;
    }
    return v->size_bytes;
}

/// The first chain: where it should begin, or a little farther, behind what other programs put there.
static uint64_t find_first(struct view *v, uint64_t start, int *error)
{
    const unsigned char *bytes = look(v, start, MP3_HEADER_BYTES, error);
    if (bytes && is_chain(v, start, CHAIN_TO_END_OF_FILE, error))
        return start;
    const uint64_t left = v->size_bytes - start;
    return find_chain(v, start, start + (RESYNC_BYTES < left ? RESYNC_BYTES : left), error);
}

static uint64_t skip_id3(struct view *v, int *error)
{
    uint64_t offset = 0;
    const unsigned char *b;
    while ((b = look(v, offset, ID3_HEADER_BYTES, error)) && memcmp(b, "ID3", 3) == 0) {
        uint32_t bytes = (uint32_t)(b[6] & 127) << 21 | (uint32_t)(b[7] & 127) << 14 |
                         (uint32_t)(b[8] & 127) << 7 | (b[9] & 127);
        offset += ID3_HEADER_BYTES + bytes + (b[5] & 0x10 ? ID3_HEADER_BYTES : 0);
    }
    return offset;
}

static uint32_t get32(const unsigned char *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/// The Xing or Info tag in the frame at `at`, if it is one. @return its bytes; NULL: it is none, or *error.
static const unsigned char *find_tag(struct view *v, uint64_t at, const struct mp3_header *header,
                                     int *error)
{
    at += MP3_HEADER_BYTES + header->side_bytes;
    // LAME writes the tag where it would lie without a checksum even if there is one.
    for (uint32_t shift = 0; shift <= 2; shift += 2) {
        const unsigned char *b = look(v, at + shift, XING_BYTES, error);
        if (b && (memcmp(b, "Xing", 4) == 0 || memcmp(b, "Info", 4) == 0))
            return b;
    }
    return NULL;
}

/// PCM frames of a run of MPEG frames; what lies between them is passed over.
static uint64_t count_frames(struct view *v, uint64_t offset, int *error)
{
    uint64_t n = 0;
    struct mp3_header header;
    while (offset < v->size_bytes && !*error) {
        const unsigned char *bytes = look(v, offset, MP3_HEADER_BYTES, error);
        if (!bytes)
            break;
        if (mp3_parse_header(&header, bytes)) {
            offset = find_chain(v, offset + 1, v->size_bytes, error);
            continue;
        }
        if (header.bytes > v->size_bytes - offset)
            break; // cut: it cannot be decoded
        offset += header.bytes;
        n += header.samples;
    }
    return n;
}

int mp3_scan(struct mp3_layout *layout, struct source *source, uint64_t size_bytes)
{
    struct view v = {.source = source, .size_bytes = size_bytes};
    int error = 0;
    *layout = (struct mp3_layout){0};
    const uint64_t start = skip_id3(&v, &error);
    if (error || start > size_bytes)
        return error ? error : -EBADMSG;
    layout->first_byte = find_first(&v, start, &error);
    const unsigned char *b = look(&v, layout->first_byte, MP3_HEADER_BYTES, &error);
    struct mp3_header header;
    if (error || !b || mp3_parse_header(&header, b))
        return error ? error : -ENOTSUP;
    const unsigned char *tag = find_tag(&v, layout->first_byte, &header, &error);
    const uint32_t flags = tag ? get32(tag + 4) : 0;
    if (flags & 1 && get32(tag + 8) > 0) {
        layout->stated_bytes = flags & 2 ? get32(tag + 12) : 0;
        return error;
    }
    layout->first_byte += tag ? header.bytes : 0; // it is no sound
    layout->frames = count_frames(&v, layout->first_byte, &error);
    return error || layout->frames ? error : -ENOTSUP;
}
