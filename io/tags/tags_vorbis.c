// SPDX-License-Identifier: MIT
// Vorbis comments (xiph.org/vorbis/doc/v-comment.html) in FLAC and in Ogg (RFC 3533, 5334, 7845).
#include "io/tags/tags_impl.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_HEADER_BYTES = 27,
    PAGE_BYTES = 65307,
    MAX_BLOCKS = 128,
    MAX_PAGES = 1024, // of comments with pictures among them: 64 MiB
    NAME_BYTES = 64,
    COMMENT_BYTES = NAME_BYTES + 1 + TAGS_VALUE_BYTES,
};

/// Bytes of a comment header in order: a plain run of the file, or the bodies of Ogg pages.
struct run {
    struct source *source;
    uint64_t offset; // of the next byte
    uint64_t left;   // of the block, or of the page
    int pages_left;  // 0: no page follows
    int error;
};

// To the body of the page at offset. @return whether there is one.
static bool next_page(struct run *r)
{
    unsigned char b[PAGE_HEADER_BYTES + 255];
    if (r->pages_left == 0)
        return false;
    --r->pages_left;
    const int64_t n = source_read(r->source, b, r->offset, sizeof b);
    r->error = n < 0 ? (int)n : 0;
    if (n < PAGE_HEADER_BYTES || memcmp(b, "OggS", 4) != 0 || n < PAGE_HEADER_BYTES + b[26])
        return false;
    r->left = 0;
    for (unsigned i = 0; i < b[26]; ++i)
        r->left += b[PAGE_HEADER_BYTES + i];
    r->offset += PAGE_HEADER_BYTES + b[26];
    return true;
}

// @return whether all were there; `to` may be NULL: pass over.
static bool take(struct run *r, void *to, uint64_t bytes)
{
    while (bytes > 0) {
        if (r->left == 0 && !next_page(r))
            return false;
        const uint64_t n = bytes < r->left ? bytes : r->left;
        const int64_t got = to && n ? source_read(r->source, to, r->offset, (size_t)n) : (int64_t)n;
        if (got < (int64_t)n) {
            r->error = got < 0 ? (int)got : 0;
            return false;
        }
        r->offset += n;
        r->left -= n;
        bytes -= n;
        to = to ? (char *)to + n : NULL;
    }
    return true;
}

static bool take_length(struct run *r, uint32_t *length)
{
    unsigned char b[4];
    if (!take(r, b, sizeof b))
        return false;
    *length = tags_little(b, 4);
    return true;
}

// Visit each comment of at most `most` bytes.
static int walk_comments(struct run *r, uint32_t most, tags_comment_fn visit, void *context)
{
    uint32_t bytes, count;
    if (!take_length(r, &bytes) || !take(r, NULL, bytes) || !take_length(r, &count))
        return r->error;
    char *comment = malloc((size_t)most + 1);
    int error = comment ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < count && !error && take_length(r, &bytes); ++i) {
        if (!take(r, bytes <= most ? comment : NULL, bytes))
            break;
        if (bytes <= most) {
            comment[bytes] = 0;
            error = visit(context, comment, bytes);
        }
    }
    free(comment);
    return error ? error : r->error;
}

static int add_comment(void *tags, char *comment, uint32_t bytes)
{
    char *equals = memchr(comment, '=', bytes);
    if (!equals || equals - comment >= NAME_BYTES)
        return 0;
    *equals = 0;
    return tags_add(tags, comment, equals + 1, bytes - (size_t)(equals + 1 - comment));
}

int tags_walk_flac(struct source *source, uint64_t offset, tags_block_fn visit, void *context)
{
    offset += 4;
    int status = 0;
    for (int i = 0; i < MAX_BLOCKS && !status; ++i) {
        unsigned char b[4];
        const int64_t n = source_read(source, b, offset, sizeof b);
        if (n < (int64_t)sizeof b)
            return n < 0 ? (int)n : 0;
        const uint32_t bytes = tags_big(b + 1, 3);
        status = visit(context, b[0] & 0x7f, offset + 4, bytes);
        if (!status && b[0] & 0x80)
            return 0;
        offset += 4 + (uint64_t)bytes;
    }
    return status < 0 ? status : 0;
}

/// Tags being read from a FLAC stream.
struct flac_reading {
    struct tags *tags;
    struct source *source;
};

static int read_if_comments(void *context, unsigned type, uint64_t offset, uint32_t bytes)
{
    const struct flac_reading *reading = context;
    if (type != TAGS_FLAC_COMMENTS)
        return 0;
    tags_deinit(reading->tags); // what another tag before the stream said
    struct run run = {.source = reading->source, .offset = offset, .left = bytes};
    const int error = walk_comments(&run, COMMENT_BYTES, add_comment, reading->tags);
    return error ? error : 1;
}

int tags_read_flac(struct tags *tags, struct source *source, uint64_t offset)
{
    return tags_walk_flac(source, offset, read_if_comments,
                          &(struct flac_reading){.tags = tags, .source = source});
}

// The comments are the second packet, which begins a page. FLAC's has a block header before them.
static bool take_packet_head(struct run *r)
{
    unsigned char b[8];
    if (!take(r, b, 4))
        return false;
    if ((b[0] & 0x7f) == TAGS_FLAC_COMMENTS)
        return true;
    if (b[0] == 3)
        return take(r, b + 4, 3) && memcmp(b + 1, "vorbis", 6) == 0;
    return take(r, b + 4, 4) && memcmp(b, "OpusTags", 8) == 0;
}

int tags_walk_ogg(struct source *source, uint32_t most_bytes, tags_comment_fn visit, void *context)
{
    struct run r = {.source = source, .pages_left = MAX_PAGES};
    if (!next_page(&r))
        return r.error;
    r.offset += r.left;
    r.left = 0;
    return take_packet_head(&r) ? walk_comments(&r, most_bytes, visit, context) : r.error;
}

int tags_read_ogg(struct tags *tags, struct source *source)
{
    return tags_walk_ogg(source, COMMENT_BYTES, add_comment, tags);
}

// --- Writing -------------------------------------------------------------------------------------

static unsigned char *put(unsigned char *to, const char *text)
{
    const size_t bytes = strlen(text);
    for (unsigned i = 0; i < 4; ++i)
        *to++ = (unsigned char)(bytes >> (8 * i));
    memcpy(to, text, bytes);
    return to + bytes;
}

unsigned char *tags_format_vorbis(const struct tags *tags, size_t *bytes)
{
    static const char vendor[] = "Segue";
    *bytes = 4 + strlen(vendor) + 4;
    for (uint32_t i = 0; i < tags->count; ++i)
        *bytes += 4 + strlen(tags->entries[i]);
    unsigned char *block = malloc(*bytes);
    if (!block)
        return NULL;
    unsigned char *to = put(block, vendor);
    for (unsigned i = 0; i < 4; ++i)
        *to++ = (unsigned char)(tags->count >> (8 * i));
    for (uint32_t i = 0; i < tags->count; ++i)
        to = put(to, tags->entries[i]);
    return block;
}
