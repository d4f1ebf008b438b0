// SPDX-License-Identifier: MIT
#include "io/tags/pictures.h"
#include "io/tags/tags_impl.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TAG_MOST_BYTES = PICTURES_MOST_BYTES + (2 << 20), // of an ID3 tag: text as well
    SIZES_BYTES = 4 * 4,                              // width, height, depth, colours
    LEAST_BYTES = 3 * 4 + SIZES_BYTES + 4,
};

static const char COMMENT_NAME[] = "METADATA_BLOCK_PICTURE=";

/// What a block says, within its bytes.
struct parts {
    uint32_t kind; // 3: the front cover (ID3v2.4 frames, 4.14)
    const unsigned char *mime, *description, *data;
    size_t mime_bytes, description_bytes, data_bytes;
};

// Take a length and as many bytes after it. @return whether they are there.
static bool take_run(const unsigned char **b, size_t *left, const unsigned char **run,
                     size_t *bytes)
{
    if (*left < 4 || tags_big(*b, 4) > *left - 4)
        return false;
    *bytes = tags_big(*b, 4);
    *run = *b + 4;
    *b += 4 + *bytes;
    *left -= 4 + *bytes;
    return true;
}

static bool split(const unsigned char *b, size_t left, struct parts *parts)
{
    if (left < LEAST_BYTES)
        return false;
    parts->kind = tags_big(b, 4);
    b += 4;
    left -= 4;
    if (!take_run(&b, &left, &parts->mime, &parts->mime_bytes) ||
        !take_run(&b, &left, &parts->description, &parts->description_bytes) || left < SIZES_BYTES)
        return false;
    b += SIZES_BYTES;
    left -= SIZES_BYTES;
    return take_run(&b, &left, &parts->data, &parts->data_bytes) && parts->data_bytes > 0;
}

// --- The list ------------------------------------------------------------------------------------

void pictures_deinit(struct pictures *pictures)
{
    for (uint32_t i = 0; i < pictures->count; ++i)
        free(pictures->items[i].block);
    free(pictures->items);
    *pictures = (struct pictures){0};
}

// Make room for one more of `bytes`. @return NULL without memory, or, counting it, where it is too long.
static struct picture *add_room(struct pictures *p, size_t bytes)
{
    struct picture *items = realloc(p->items, (p->count + 1) * sizeof(*items));
    if (!items)
        return NULL;
    p->items = items;
    items[p->count] = (struct picture){.block = malloc(bytes), .bytes = bytes};
    return items[p->count].block ? &items[p->count] : NULL;
}

static bool is_over_limit(struct pictures *p, size_t bytes)
{
    const bool is_over = bytes > PICTURES_MOST_BYTES - p->bytes;
    p->left_out += is_over;
    return is_over;
}

int pictures_add(struct pictures *pictures, const unsigned char *block, size_t bytes)
{
    struct parts parts;
    if (!split(block, bytes, &parts) || is_over_limit(pictures, bytes))
        return 0;
    struct picture *picture = add_room(pictures, bytes);
    if (!picture)
        return -ENOMEM;
    memcpy(picture->block, block, bytes);
    pictures->bytes += bytes;
    ++pictures->count;
    return 0;
}

// --- FLAC and Ogg --------------------------------------------------------------------------------

/// Pictures being read from a FLAC stream.
struct reading {
    struct pictures *pictures;
    struct source *source;
};

static int read_block(void *context, unsigned type, uint64_t offset, uint32_t bytes)
{
    const struct reading *reading = context;
    if (type != TAGS_FLAC_PICTURE || is_over_limit(reading->pictures, bytes))
        return 0;
    unsigned char *block = malloc(bytes + 1U);
    if (!block)
        return -ENOMEM;
    const int64_t n = source_read(reading->source, block, offset, bytes);
    int error = n < 0 ? (int)n : 0;
    if (n == (int64_t)bytes)
        error = pictures_add(reading->pictures, block, bytes);
    free(block);
    return error;
}

static int digit_of(unsigned char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

// From base64, in place. @return bytes, up to what is none.
static size_t decode(unsigned char *b, size_t bytes)
{
    uint32_t word = 0;
    size_t to = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < bytes; ++i) {
        const int digit = digit_of(b[i]);
        if (digit < 0)
            break;
        word = word << 6 | (uint32_t)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            b[to++] = (unsigned char)(word >> bits);
        }
    }
    return to;
}

static int read_comment(void *context, char *comment, uint32_t bytes)
{
    const size_t name = sizeof COMMENT_NAME - 1;
    if (bytes < name || strncasecmp(comment, COMMENT_NAME, name) != 0)
        return 0;
    unsigned char *block = (unsigned char *)comment + name;
    return pictures_add(context, block, decode(block, bytes - name));
}

// --- ID3 -----------------------------------------------------------------------------------------

static unsigned char *put_number(unsigned char *to, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *to++ = (unsigned char)(value >> shift);
    return to;
}

static unsigned char *put_run(unsigned char *to, const void *bytes, size_t count)
{
    to = put_number(to, (uint32_t)count);
    memcpy(to, bytes, count);
    return to + count;
}

// A block says of sizes that are not known that they are 0.
static int add_parts(struct pictures *pictures, const struct parts *p)
{
    const size_t bytes = LEAST_BYTES + p->mime_bytes + p->description_bytes + p->data_bytes;
    unsigned char *block = calloc(1, bytes);
    if (!block)
        return -ENOMEM;
    unsigned char *to = put_number(block, p->kind);
    to = put_run(to, p->mime, p->mime_bytes);
    to = put_run(to, p->description, p->description_bytes) + SIZES_BYTES;
    (void)put_run(to, p->data, p->data_bytes);
    const int error = pictures_add(pictures, block, bytes);
    free(block);
    return error;
}

// Version 2.2 knows kinds of files by three letters.
static const char *old_mime(const unsigned char letters[3])
{
    return memcmp(letters, "PNG", 3) == 0   ? "image/png"
           : memcmp(letters, "-->", 3) == 0 ? "-->"
                                            : "image/jpeg";
}

static int add_frame(struct pictures *pictures, const struct tags_frame *frame, char *description)
{
    char mime[64];
    const unsigned char *b = frame->body + 1;
    const size_t most = frame->bytes - 1;
    size_t mime_bytes = frame->version == 2 ? 3 : strnlen((const char *)b, most) + 1;
    if (mime_bytes > sizeof mime || mime_bytes + 1 > most)
        return 0;
    strcpy(mime, frame->version == 2 ? old_mime(b) : (const char *)b);
    struct tags_text text = {
        .b = b + mime_bytes + 1, .bytes = most - mime_bytes - 1, .encoding = frame->body[0]};
    struct parts parts = {.kind = b[mime_bytes],
                          .mime = (const unsigned char *)mime,
                          .mime_bytes = strlen(mime),
                          .description = (const unsigned char *)description};
    parts.description_bytes = tags_take_text(&text, description);
    parts.data = text.b;
    parts.data_bytes = text.bytes;
    return parts.data_bytes ? add_parts(pictures, &parts) : 0;
}

static int read_frame(void *pictures, const struct tags_frame *frame)
{
    const bool is_picture =
        frame->version == 2 ? memcmp(frame->id, "PIC", 3) == 0 : memcmp(frame->id, "APIC", 4) == 0;
    if (!is_picture || frame->bytes < 6 || frame->body[0] > 3)
        return 0;
    char *description = malloc(TAGS_TEXT_BYTES);
    const int error = description ? add_frame(pictures, frame, description) : -ENOMEM;
    free(description);
    return error;
}

size_t picture_put_apic(unsigned char *to, const struct picture *picture)
{
    struct parts p;
    if (!split(picture->block, picture->bytes, &p))
        return 0; // never: it was looked at when it was added
    if (to) {
        *to++ = 3; // UTF-8
        memcpy(to, p.mime, p.mime_bytes);
        to += p.mime_bytes;
        *to++ = 0;
        *to++ = (unsigned char)p.kind;
        memcpy(to, p.description, p.description_bytes);
        to += p.description_bytes;
        *to++ = 0;
        memcpy(to, p.data, p.data_bytes);
    }
    return 4 + p.mime_bytes + p.description_bytes + p.data_bytes;
}

int pictures_read(struct pictures *pictures, struct source *source, uint64_t size_bytes)
{
    enum { COMMENT_BYTES = sizeof COMMENT_NAME + (PICTURES_MOST_BYTES + 2) / 3 * 4 };
    struct tags_places places;
    *pictures = (struct pictures){0};
    int error = tags_locate(&places, source, size_bytes);
    if (!error && places.flac != TAGS_NOWHERE)
        error = tags_walk_flac(source, places.flac, read_block,
                               &(struct reading){.pictures = pictures, .source = source});
    else if (!error && places.ogg != TAGS_NOWHERE)
        error = tags_walk_ogg(source, COMMENT_BYTES, read_comment, pictures);
    else if (!error && places.id3 != TAGS_NOWHERE)
        error = tags_walk_id3(source, places.id3, TAG_MOST_BYTES, read_frame, pictures);
    if (error)
        pictures_deinit(pictures);
    return error;
}
