// SPDX-License-Identifier: MIT
// Where the sound of an MP3 file lies and how long it is: one stream, or several joined to one file.
#pragma once
#include "dsp/annotate.h"
#include "io/sound/mp3_walk.h"
#include <stdbool.h>

/// What the layout shows to be amiss, of these the first.
struct mp3_flaw {
    enum { MP3_NO_FLAW, MP3_JUNK, MP3_MISSING } kind;
    uint64_t at; // PCM frames before it
    // MP3_JUNK: bytes, of all, that stand for no frame; MP3_MISSING: frames, of a stream before another
    uint64_t amount;
};

struct mp3_layout {
    uint32_t rate_hz;  // of the streams the one of which most is played; others are converted to it
    uint32_t channels; // the most of any
    uint32_t piece_count;
    struct mp3_piece *pieces; // in turn; owned
    uint64_t frames;          // of PCM, of all, at that rate
    bool may_be_cut;          // a last tag states more bytes than there are, or none
    bool is_alike; // set where it is not MP3 too: the first bytes behind tags look like a frame's
    // PCM that a last stream without tag, or its cut last frame, says to go on for
    uint64_t cut_frames;
    struct mp3_flaw flaw;
};

/// Look for the first frame from `start` on, of a file of `size_bytes`, and for the streams. Where a Xing or Info tag
/// tells how long its stream is, and at its end is another or the file's, it is believed; else all frames are looked
/// at, which reads the whole: only then is the length of a stream with a variable bit rate known. Blocks.
/// @return 0; -ENOTSUP: not MP3, with layout->is_alike; -EBADMSG: an ID3 tag reaches beyond the file; -ENOMSG: it
/// ends within its first frame; -ENOMEM; the source's errors. On error there is nothing to free.
MUST_CHECK int mp3_layout_scan(struct mp3_layout *layout, struct source *source, uint64_t start,
                               uint64_t size_bytes);
/// Free what it owns. A zeroed one is fine.
void mp3_layout_deinit(struct mp3_layout *layout);
