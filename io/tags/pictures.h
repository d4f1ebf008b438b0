// SPDX-License-Identifier: MIT
// The pictures that a file carries: its cover, mostly.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/source.h"
#include <stddef.h>
#include <stdint.h>

enum { PICTURES_MOST_BYTES = 12 << 20 }; // of all: FLAC's metadata blocks end at 16 MiB

/// A picture as the body of FLAC's picture block (RFC 9639, 8.8), with its kind, media type and description before
/// its bytes. Vorbis comments hold the same.
struct picture {
    unsigned char *block;
    size_t bytes;
};

/// In the file's order. Plain data; zero-initialised: none. Thread-safety: one thread at a time.
struct pictures {
    struct picture *items;
    uint32_t count;
    size_t bytes;      // of all
    uint32_t left_out; // that went over the limit
};

/// Read those of a FLAC, Ogg (Vorbis, Opus, FLAC), MP3, WAV or AIFF file. What is malformed is passed over. Blocks
/// for the file's bytes. @return 0, with *pictures empty where there are none; -ENOMEM; the source's errors.
MUST_CHECK int pictures_read(struct pictures *pictures, struct source *source, uint64_t size_bytes);
/// Free all. Empty is fine.
void pictures_deinit(struct pictures *pictures);
/// Add one; a copy is made. What is no such block is passed over. @return 0; -ENOMEM.
MUST_CHECK int pictures_add(struct pictures *pictures, const unsigned char *block, size_t bytes);
/// Write the body of its ID3v2.4 frame, or, where `to` is NULL, only count it. @return its bytes.
size_t picture_put_apic(unsigned char *to, const struct picture *picture);
