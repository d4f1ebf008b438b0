// SPDX-License-Identifier: MIT
// FLAC's metadata blocks: RFC 9639, section 8. libsndfile writes a stream information block, then one of
// comments, of which one is long enough for ours to take its place.
#include "io/writing/audio_tags.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    MARKER_BYTES = 4,
    BLOCK_HEADER_BYTES = 4,
    STREAM_INFORMATION_BYTES = 34,
    COMMENTS_AT = MARKER_BYTES + BLOCK_HEADER_BYTES + STREAM_INFORMATION_BYTES,
    BLOCK_COMMENTS = 4,
    BLOCK_PADDING = 1,
    BLOCK_PICTURE = 6,
    BLOCK_IS_LAST = 0x80,
    CHUNK_HEADER_BYTES = 8,
    RIFF_HEADER_BYTES = 8,
    RIFF_BYTES_AT = 4,
    DS64_RIFF_BYTES_AT = 20,
};

static int write_at(int fd, const unsigned char *b, size_t bytes, off_t at)
{
    while (bytes > 0) {
        const ssize_t n = pwrite(fd, b, bytes, at);
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        b += n;
        bytes -= (size_t)n;
        at += n;
    }
    return 0;
}

// --- WAV -----------------------------------------------------------------------------------------

// The mark that keeps a file from being mastered twice has no field of its own in INFO.
static int set_comment(SNDFILE *file, const struct tags *tags)
{
    const char *comment = tags_get(tags, "COMMENT"), *mark = tags_get(tags, "SEGUE_MASTERED");
    if (!comment && !mark)
        return 0;
    char *text;
    if (asprintf(&text, "%s%s%s%s", comment ? comment : "", comment && mark ? "; " : "",
                 mark ? "SEGUE_MASTERED=" : "", mark ? mark : "") < 0)
        return -ENOMEM;
    const int failed = sf_set_string(file, SF_STR_COMMENT, text);
    free(text);
    return failed ? -ENOMEM : 0;
}

int audio_tags_set(SNDFILE *file, const struct audio_tags *tags)
{
    static const struct {
        int which;
        const char *name;
    } strings[] = {{SF_STR_TITLE, "TITLE"},        {SF_STR_ARTIST, "ARTIST"},
                   {SF_STR_ALBUM, "ALBUM"},        {SF_STR_TRACKNUMBER, "TRACKNUMBER"},
                   {SF_STR_DATE, "DATE"},          {SF_STR_GENRE, "GENRE"},
                   {SF_STR_COPYRIGHT, "COPYRIGHT"}};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; ++i) {
        const char *value = tags_get(tags->tags, strings[i].name);
        if (value && sf_set_string(file, strings[i].which, value))
            return -ENOMEM;
    }
    return set_comment(file, tags->tags);
}

static void put_little(unsigned char *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; ++i)
        to[i] = (unsigned char)(value >> (8 * i));
}

// The header says how long the file is, RF64's in a chunk of 64-bit sizes that comes first (EBU Tech 3306).
static int set_riff_bytes(int fd, uint64_t bytes)
{
    unsigned char id[4], size[8];
    if (pread(fd, id, sizeof id, 0) != sizeof id)
        return -EIO;
    const bool is_long = memcmp(id, "RF64", sizeof id) == 0;
    const unsigned n = is_long ? 8 : 4;
    put_little(size, bytes, n);
    return write_at(fd, size, n, is_long ? DS64_RIFF_BYTES_AT : RIFF_BYTES_AT);
}

// A chunk begins at an even place and is padded to one.
static unsigned char *format_chunk(const struct audio_tags *tags, size_t *bytes)
{
    size_t body_bytes;
    unsigned char *body = tags_format_id3(tags->tags, tags->pictures, &body_bytes);
    *bytes = CHUNK_HEADER_BYTES + body_bytes + (body_bytes & 1);
    unsigned char *chunk = body ? calloc(1, *bytes) : NULL;
    if (chunk) {
        memcpy(chunk, "id3 ", 4);
        put_little(chunk + 4, body_bytes, 4);
        memcpy(chunk + CHUNK_HEADER_BYTES, body, body_bytes);
    }
    free(body);
    return chunk;
}

int audio_tags_append(int fd, const struct audio_tags *tags)
{
    size_t bytes;
    const off_t end = lseek(fd, 0, SEEK_END);
    unsigned char *chunk = end < 0 ? NULL : format_chunk(tags, &bytes);
    if (!chunk)
        return end < 0 ? -EIO : -ENOMEM;
    const off_t at = end + (end & 1);
    const int error = write_at(fd, chunk, bytes, at);
    free(chunk);
    return error ? error : set_riff_bytes(fd, (uint64_t)at + bytes - RIFF_HEADER_BYTES);
}

// --- FLAC ----------------------------------------------------------------------------------------

static void put_header(unsigned char *to, unsigned type, size_t bytes)
{
    to[0] = (unsigned char)type;
    for (unsigned i = 0; i < 3; ++i)
        to[1 + i] = (unsigned char)(bytes >> (16 - 8 * i));
}

static unsigned char *put_block(unsigned char *to, unsigned type, const unsigned char *body,
                                size_t bytes)
{
    put_header(to, type, bytes);
    memcpy(to + BLOCK_HEADER_BYTES, body, bytes);
    return to + BLOCK_HEADER_BYTES + bytes;
}

// Comments, then pictures, each with its header.
static unsigned char *format_blocks(const struct audio_tags *tags, size_t *bytes)
{
    size_t comments_bytes;
    unsigned char *comments = tags_format_vorbis(tags->tags, &comments_bytes);
    *bytes = BLOCK_HEADER_BYTES + comments_bytes;
    for (uint32_t i = 0; i < tags->pictures->count; ++i)
        *bytes += BLOCK_HEADER_BYTES + tags->pictures->items[i].bytes;
    unsigned char *blocks = comments ? malloc(*bytes) : NULL;
    if (blocks) {
        unsigned char *to = put_block(blocks, BLOCK_COMMENTS, comments, comments_bytes);
        for (uint32_t i = 0; i < tags->pictures->count; ++i)
            to = put_block(to, BLOCK_PICTURE, tags->pictures->items[i].block,
                           tags->pictures->items[i].bytes);
    }
    free(comments);
    return blocks;
}

int audio_tags_reserve(SNDFILE *file, const struct audio_tags *tags)
{
    size_t bytes;
    unsigned char *blocks = format_blocks(tags, &bytes);
    if (!blocks)
        return -ENOMEM;
    // Longer than ours by what libFLAC puts around it, more than the header of the padding behind them.
    memset(blocks, 'x', bytes);
    blocks[bytes - 1] = 0;
    const int failed = sf_set_string(file, SF_STR_COMMENT, (const char *)blocks);
    free(blocks);
    return failed ? -ENOMEM : 0;
}

// The blocks, then zeros as padding up to the end of the block of `room` bytes that was there.
static int replace_block(int fd, const unsigned char *blocks, size_t bytes, size_t room,
                         unsigned last)
{
    const size_t all = BLOCK_HEADER_BYTES + room;
    unsigned char *out = calloc(1, all);
    if (!out)
        return -ENOMEM;
    memcpy(out, blocks, bytes);
    put_header(out + bytes, BLOCK_PADDING | last, all - bytes - BLOCK_HEADER_BYTES);
    const int error = write_at(fd, out, all, COMMENTS_AT);
    free(out);
    return error;
}

int audio_tags_fill(int fd, const struct audio_tags *tags)
{
    unsigned char b[BLOCK_HEADER_BYTES];
    if (pread(fd, b, sizeof b, COMMENTS_AT) != sizeof b ||
        (b[0] & ~BLOCK_IS_LAST) != BLOCK_COMMENTS)
        return -EIO;
    const size_t room = (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    size_t bytes;
    unsigned char *blocks = format_blocks(tags, &bytes);
    if (!blocks)
        return -ENOMEM;
    const int error =
        bytes <= room ? replace_block(fd, blocks, bytes, room, b[0] & BLOCK_IS_LAST) : -EIO;
    free(blocks);
    return error;
}
