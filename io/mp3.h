// SPDX-License-Identifier: MIT
// Frame headers of MPEG audio layer III: where they begin, and how many there are.
#pragma once
#include "dsp/annotate.h"
#include "io/source.h"
#include <stddef.h>
#include <stdint.h>

enum { MP3_HEADER_BYTES = 4 };

struct mp3_header {
    uint32_t rate_hz, channels, samples; // a frame's samples per channel
    uint32_t bytes;                      // of the whole frame
    uint32_t side_bytes;                 // of side information, after header and checksum
    uint32_t is_protected;               // 1: a checksum follows the header
};

/// @return 0; -EBADMSG: not the header of a layer III frame with a known bit rate.
MUST_CHECK int mp3_parse_header(struct mp3_header *header, const unsigned char *bytes);

struct mp3_layout {
    uint64_t first_byte;   // of the first frame, or of the one behind a tag that states nothing
    uint64_t frames;       // of PCM, 0 where a tag states their number
    uint64_t stated_bytes; // of the stream from first_byte on, by its tag; 0: it does not say
};

/// Look for the first frame; where it is no Xing or Info tag count all frames, which reads the whole file: only then
/// is the length of a file with a variable bit rate known. Blocks.
/// @return 0; -ENOTSUP: not MP3; -EBADMSG: an ID3 tag reaches beyond the file; the source's errors.
MUST_CHECK int mp3_scan(struct mp3_layout *layout, struct source *source, uint64_t size_bytes);
