// SPDX-License-Identifier: MIT
// Where the sound of an MP3 file lies and how long it is.
#pragma once
#include "dsp/annotate.h"
#include "io/mp3.h"
#include <stdbool.h>

/// A stream with its tag. A file can hold several, one behind another; a stream without a tag, or of another kind than
/// the first, ends what is played of it.
struct mp3_piece {
    uint64_t first_byte, end_byte; // of its frames of sound
    uint64_t skipped;              // PCM frames of the encoder's and decoder's delay
    uint64_t frames;               // of PCM, behind these
};

enum { MP3_MOST_PIECES = 64 }; // what lies behind them is not played

struct mp3_layout {
    struct mp3_header kind; // of all frames
    uint32_t free_bytes;    // as in a view
    uint32_t piece_count;   // at least 1
    struct mp3_piece pieces[MP3_MOST_PIECES];
    uint64_t frames; // of PCM, of all
    bool is_tagged;  // else the frames were counted
    bool may_be_cut; // a tag states more bytes than there are, or none
    bool is_alike;   // set where it is not MP3 too: the first bytes behind tags look like a frame's
    // Of frames that were counted:
    uint32_t cut_frames; // PCM of a last one that is cut off
    uint64_t junk_bytes; // between them that are neither frame nor tag
    uint64_t junk_at;    // PCM frames before the first of these
};

/// Look for the first frame from `start` on, of a file of `size_bytes`; where it is no Xing or Info tag count all
/// frames, which reads the whole file: only then is the length of a file with a variable bit rate known. Blocks.
/// @return 0; -ENOTSUP: not MP3, with layout->is_alike; -EBADMSG: an ID3 tag reaches beyond the file; -ENOMSG: it
/// ends within its first frame; the source's errors.
MUST_CHECK int mp3_layout_scan(struct mp3_layout *layout, struct source *source, uint64_t start,
                               uint64_t size_bytes);
