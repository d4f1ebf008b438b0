// SPDX-License-Identifier: MIT
// Frame headers of MPEG audio layer III: counting them, and a tag for files that have none.
#pragma once
#include "dsp/annotate.h"
#include "io/source.h"
#include <stddef.h>
#include <stdint.h>

enum { MP3_HEADER_BYTES = 4, MP3_TAG_BYTES = 3072, MP3_DECODER_DELAY = 529 };

struct mp3_header {
    uint32_t rate_hz, channels, samples; // a frame's samples per channel
    uint32_t bytes;                      // of the whole frame
    uint32_t side_bytes;                 // of side information, after header and checksum
    uint32_t is_protected;               // 1: a checksum follows the header
};

/// @return 0; -EBADMSG: not the header of a layer III frame with a known bit rate.
MUST_CHECK int mp3_parse_header(struct mp3_header *header, const unsigned char *bytes);

struct mp3_layout {
    uint64_t first_byte;  // of the first frame
    uint64_t frames;      // MPEG frames, 0 where a tag states their number
    uint64_t size_offset; // in the file, of the size that its tag states; 0: it states none
    uint64_t stated_size; // from first_byte on
    uint32_t tag_bytes;
    uint32_t lead_frames; // PCM frames of silence that the tag adds
    // A frame that states the number, and a silent one: of a tagged file libmpg123 drops the first
    // 529 samples, which without a tag are the file's own. To be read before first_byte.
    unsigned char tag[MP3_TAG_BYTES];
};

/// Look for the first frame; where it is no Xing or Info tag count all frames, which reads the
/// whole file: only then is the length of a file with a variable bit rate known, and libsndfile stops at
/// its guess. Blocks. @return 0; -ENOTSUP: not MP3; the source's errors.
MUST_CHECK int mp3_scan(struct mp3_layout *layout, struct source *source, uint64_t size_bytes);
