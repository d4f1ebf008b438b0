// SPDX-License-Identifier: MIT
// The formats of tags, for tags.c.
#pragma once
#include "dsp/annotate.h"
#include "io/tags.h"
#include <stddef.h>
#include <stdint.h>

enum { TAGS_ID3_HEADER_BYTES = 10 };

/// Little- and big-endian numbers of `n` bytes.
uint32_t tags_little(const unsigned char *b, unsigned n);
uint32_t tags_big(const unsigned char *b, unsigned n);

/// Add the text frames of the ID3v2 tag at `offset`, whose header is there. @return 0; -ENOMEM; the source's errors.
MUST_CHECK int tags_read_id3(struct tags *tags, struct source *source, uint64_t offset);
/// Add what an ID3v1 tag, the last 128 bytes of a file, says.
MUST_CHECK int tags_read_id3v1(struct tags *tags, struct source *source, uint64_t size_bytes);
/// Bytes of the ID3v2 tag that begins with `header`, itself included; 0: it is none.
uint64_t tags_id3_bytes(const unsigned char header[TAGS_ID3_HEADER_BYTES]);
/// Add the Vorbis comments of a native FLAC stream whose marker is at `offset`.
MUST_CHECK int tags_read_flac(struct tags *tags, struct source *source, uint64_t offset);
/// Add those of the first stream of an Ogg file.
MUST_CHECK int tags_read_ogg(struct tags *tags, struct source *source);
