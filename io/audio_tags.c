// SPDX-License-Identifier: MIT
// FLAC's metadata blocks: RFC 9639, section 8. libsndfile writes a stream information block, then one of
// comments, of which one is long enough for ours to take its place.
#include "io/audio_tags.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MARKER_BYTES = 4,
    BLOCK_HEADER_BYTES = 4,
    STREAM_INFORMATION_BYTES = 34,
    COMMENTS_AT = MARKER_BYTES + BLOCK_HEADER_BYTES + STREAM_INFORMATION_BYTES,
    BLOCK_COMMENTS = 4,
    BLOCK_PADDING = 1,
    BLOCK_IS_LAST = 0x80,
};

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

static int set_id3(SNDFILE *file, const struct tags *tags)
{
    size_t bytes;
    unsigned char *tag = tags_format_id3(tags, &bytes);
    if (!tag)
        return -ENOMEM;
    const SF_CHUNK_INFO chunk = {
        .id = "id3 ", .id_size = 4, .datalen = (unsigned)bytes, .data = tag};
    const int failed = sf_set_chunk(file, &chunk);
    free(tag);
    return failed ? -ENOMEM : 0;
}

int audio_tags_set(SNDFILE *file, const struct tags *tags)
{
    static const struct {
        int which;
        const char *name;
    } strings[] = {{SF_STR_TITLE, "TITLE"},        {SF_STR_ARTIST, "ARTIST"},
                   {SF_STR_ALBUM, "ALBUM"},        {SF_STR_TRACKNUMBER, "TRACKNUMBER"},
                   {SF_STR_DATE, "DATE"},          {SF_STR_GENRE, "GENRE"},
                   {SF_STR_COPYRIGHT, "COPYRIGHT"}};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; ++i) {
        const char *value = tags_get(tags, strings[i].name);
        if (value && sf_set_string(file, strings[i].which, value))
            return -ENOMEM;
    }
    const int error = set_comment(file, tags);
    return error ? error : set_id3(file, tags);
}

// --- FLAC ----------------------------------------------------------------------------------------

int audio_tags_reserve(SNDFILE *file, const struct tags *tags)
{
    size_t bytes;
    unsigned char *comments = tags_format_vorbis(tags, &bytes);
    if (!comments)
        return -ENOMEM;
    // Longer than ours by what libFLAC puts around it, more than the header of the padding behind them.
    memset(comments, 'x', bytes);
    comments[bytes - 1] = 0;
    const int failed = sf_set_string(file, SF_STR_COMMENT, (const char *)comments);
    free(comments);
    return failed ? -ENOMEM : 0;
}

static void put_header(unsigned char *to, unsigned type, size_t bytes)
{
    to[0] = (unsigned char)type;
    for (unsigned i = 0; i < 3; ++i)
        to[1 + i] = (unsigned char)(bytes >> (16 - 8 * i));
}

// Comments, then zeros as padding up to `room`, the length of the block that was there.
static int replace_block(int fd, const unsigned char *comments, size_t bytes, size_t room,
                         unsigned last)
{
    unsigned char *blocks = calloc(1, BLOCK_HEADER_BYTES + room);
    if (!blocks)
        return -ENOMEM;
    put_header(blocks, BLOCK_COMMENTS, bytes);
    memcpy(blocks + BLOCK_HEADER_BYTES, comments, bytes);
    put_header(blocks + BLOCK_HEADER_BYTES + bytes, BLOCK_PADDING | last,
               room - bytes - BLOCK_HEADER_BYTES);
    const ssize_t n = pwrite(fd, blocks, BLOCK_HEADER_BYTES + room, COMMENTS_AT);
    free(blocks);
    return n == (ssize_t)(BLOCK_HEADER_BYTES + room) ? 0 : -EIO;
}

int audio_tags_fill(int fd, const struct tags *tags)
{
    unsigned char b[BLOCK_HEADER_BYTES];
    if (pread(fd, b, sizeof b, COMMENTS_AT) != sizeof b ||
        (b[0] & ~BLOCK_IS_LAST) != BLOCK_COMMENTS)
        return -EIO;
    const size_t room = (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    size_t bytes;
    unsigned char *comments = tags_format_vorbis(tags, &bytes);
    if (!comments)
        return -ENOMEM;
    const int error = bytes + BLOCK_HEADER_BYTES <= room
                          ? replace_block(fd, comments, bytes, room, b[0] & BLOCK_IS_LAST)
                          : -EIO;
    free(comments);
    return error;
}
