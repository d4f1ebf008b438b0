// SPDX-License-Identifier: MIT
// The formats of tags, for tags.c.
#pragma once
#include "dsp/annotate.h"
#include "io/tags/tags.h"
#include <stddef.h>
#include <stdint.h>

enum { TAGS_ID3_HEADER_BYTES = 10 };

/// Little- and big-endian numbers of `n` bytes.
uint32_t tags_little(const unsigned char *b, unsigned n);
uint32_t tags_big(const unsigned char *b, unsigned n);

/// Where a file's tags lie; TAGS_NOWHERE: it has none of the kind.
struct tags_places {
    uint64_t id3, flac, ogg, info, mpeg; // flac: the marker; info: the body of RIFF's list
    uint32_t info_bytes;
};
static const uint64_t TAGS_NOWHERE = UINT64_MAX;
/// Look where they would be read. @return 0; the source's errors.
MUST_CHECK int tags_locate(struct tags_places *places, struct source *source, uint64_t size_bytes);

/// A string being read: of Latin-1, UTF-16 with a mark, UTF-16BE or UTF-8 (encodings 0 to 3).
struct tags_text {
    const unsigned char *b;
    size_t bytes;
    unsigned encoding;
};
enum { TAGS_TEXT_BYTES = TAGS_VALUE_BYTES + 1 };
/// Take one string, up to its NUL or the end, as UTF-8; too long ones are cut. @return its bytes.
size_t tags_take_text(struct tags_text *text, char out[TAGS_TEXT_BYTES]);

/// A frame of an ID3v2 tag, neither compressed nor encrypted, as it was before it was unsynchronised.
struct tags_frame {
    unsigned version;        // 2 to 4
    const unsigned char *id; // of 3 bytes in version 2, of 4 after it
    const unsigned char *body;
    size_t bytes;
};
/// @return 0 to go on; -errno.
typedef int (*tags_frame_fn)(void *context, const struct tags_frame *frame);
/// Visit the frames within the first `most_bytes` of the ID3v2 tag at `offset`. @return 0; -ENOMEM; the source's
/// errors; the visitor's.
MUST_CHECK int tags_walk_id3(struct source *source, uint64_t offset, size_t most_bytes,
                             tags_frame_fn visit, void *context);
/// Add the text frames of the ID3v2 tag at `offset`, whose header is there. @return 0; -ENOMEM; the source's errors.
MUST_CHECK int tags_read_id3(struct tags *tags, struct source *source, uint64_t offset);
/// Add what an ID3v1 tag, the last 128 bytes of a file, says.
MUST_CHECK int tags_read_id3v1(struct tags *tags, struct source *source, uint64_t size_bytes);
/// Bytes of the ID3v2 tag that begins with `header`, itself included; 0: it is none.
uint64_t tags_id3_bytes(const unsigned char header[TAGS_ID3_HEADER_BYTES]);

enum {
    TAGS_FLAC_APPLICATION = 2,
    TAGS_FLAC_COMMENTS = 4,
    TAGS_FLAC_CUE_SHEET = 5,
    TAGS_FLAC_PICTURE = 6,
    TAGS_FLAC_HEADER_BYTES = 4, // of a block
};
/// A metadata block of FLAC, by where its body lies. @return 0 to go on; 1: enough; -errno.
typedef int (*tags_block_fn)(void *context, unsigned type, uint64_t offset, uint32_t bytes);
/// Visit the metadata blocks of a native FLAC stream whose marker is at `offset`.
MUST_CHECK int tags_walk_flac(struct source *source, uint64_t offset, tags_block_fn visit,
                              void *context);
/// A Vorbis comment, which may be written into, and has a zero behind it. @return 0 to go on; -errno.
typedef int (*tags_comment_fn)(void *context, char *comment, uint32_t bytes);
/// Visit the comments of the first stream of an Ogg file; those over `most_bytes` are passed over.
MUST_CHECK int tags_walk_ogg(struct source *source, uint32_t most_bytes, tags_comment_fn visit,
                             void *context);
/// Add the Vorbis comments of a native FLAC stream whose marker is at `offset`.
MUST_CHECK int tags_read_flac(struct tags *tags, struct source *source, uint64_t offset);
/// Add those of the first stream of an Ogg file.
MUST_CHECK int tags_read_ogg(struct tags *tags, struct source *source);
