// SPDX-License-Identifier: MIT
// Frames of MPEG audio, of all three layers: their headers, and the way from one to the next, past what is none.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/source.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MP3_HEADER_BYTES = 4,
    MP3_MOST_FRAME_BYTES = 5760, // of 640 kbit/s and 8 kHz, more than decoders take
};

struct mp3_header {
    uint32_t layer, rate_hz, channels, samples; // a frame's samples per channel
    uint32_t bytes;                             // of the whole frame; 0: its bit rate is free
    uint32_t padding_bytes;                     // of these
    uint32_t side_bytes; // of layer III's side information, after header and checksum
    bool is_protected;   // a checksum follows the header
};

/// @return 0; -EBADMSG: not the header of a frame.
MUST_CHECK int mp3_parse_header(struct mp3_header *header, const unsigned char *bytes);

/// Of the shortest frame of that kind, whose bit rate is not free.
uint32_t mp3_least_frame_bytes(const struct mp3_header *kind);

/// A window of the file, and what is known of its frames. All that looks through it blocks for bytes, and finds nothing
/// once `error` is set. Thread-safety: one thread at a time. 64 KiB.
struct mp3_view {
    struct source *source;  // borrowed
    uint64_t end;           // of what may be looked at
    struct mp3_header kind; // of the stream's frames; its layer 0: not known
    uint32_t free_bytes;    // of a frame whose bit rate is free, without padding; 0: not known
    int error;              // of the source, the first; nothing is seen after it
    struct mp3_span {
        uint64_t from, end;
    } vain[2]; // tags last followed that no frames come behind, of the stream's kind and of any
    uint64_t offset;
    size_t bytes;
    unsigned char data[65536];
};

/// @return `bytes` bytes at `offset`, at most the window's; NULL: not there, or view->error. Valid until the next look.
const unsigned char *mp3_look(struct mp3_view *view, uint64_t offset, size_t bytes);
/// The header of a frame of the stream's kind, with the length of one of a free bit rate. @return whether it is there.
bool mp3_look_at_header(struct mp3_view *view, uint64_t offset, struct mp3_header *header);
/// Bytes of the tag that begins at `offset`: ID3v2, ID3v1, APEv2 or Lyrics3; 0: none does.
uint64_t mp3_tag_bytes(struct mp3_view *view, uint64_t offset);
/// @return where no further tag begins, from `offset` on, or 64 have passed. A tag that says it reaches beyond the
/// view's end is none.
uint64_t mp3_skip_tags(struct mp3_view *view, uint64_t offset);

/// Find the first stream, at `start` or a little farther, behind what other programs put there, and note its kind.
/// @return whether there is one.
bool mp3_find_first(struct mp3_view *view, uint64_t start, uint64_t *at);
/// Whether a stream of any kind begins at `offset`.
bool mp3_is_stream(struct mp3_view *view, uint64_t offset);
/// @return the first place in [from, limit) where a stream of any kind begins, tags before it left out; `limit`: none.
/// Of those of a free bit rate only layer III's are found so.
uint64_t mp3_find_stream(struct mp3_view *view, uint64_t from, uint64_t limit);
/// Note the kind of the stream that begins at `at`, as one of the three above found.
void mp3_begin_stream(struct mp3_view *view, uint64_t at);

struct mp3_frame {
    struct mp3_header header;
    uint64_t at; // its place; if there is none, where one begins that is cut off, or the end
    uint64_t junk_bytes; // before it, neither frame nor tag
    bool is_torn;        // what follows it is junk, and may begin within it
};

/// Find the next frame from `from` on, whose header may lie: others follow it, or no chain of frames begins within it.
/// @return whether there is one.
bool mp3_find_next(struct mp3_view *view, uint64_t from, struct mp3_frame *frame);
