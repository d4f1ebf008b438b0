// SPDX-License-Identifier: MIT
// Where the streams of an Ogg file lie that follow one another (RFC 3533, 4: chaining), and how long they are.
#pragma once
#include "dsp/annotate.h"
#include "io/sound/ogg_sound.h"

/// One that can be played.
struct ogg_link {
    struct ogg_part part;
    struct ogg_format format;
    uint64_t own_frames; // at its own rate
    uint64_t at, frames; // in the whole, at the layout's
};

struct ogg_layout {
    const struct ogg_codec *codec; // of the first
    uint32_t rate_hz;              // that of which most is played; others are converted to it
    uint32_t channels;             // likewise; where that is one, two if any has two
    uint32_t count;
    struct ogg_link *links; // in turn; owned
    uint64_t frames;        // of all, at that rate; 0: a single stream does not say
    uint64_t junk_bytes;    // before the first page
    const char *flaw; // the first thing amiss before the end; a time can follow it; NULL: none
    uint64_t flaw_at; // frames before it
};

/// Look for the streams. A stream's end is looked for by ever wider steps and then halves, so that little of the file
/// is read: of a single one its first 64 KiB, a page at each doubling of that, and the last. Two of one serial number
/// are told apart by the numbers of pages. Blocks. @return 0; -ENOTSUP: the first is neither
/// Vorbis nor Opus; -EBADMSG: none can be played; -ENOMEM; the source's errors. On error there is nothing to free.
MUST_CHECK int ogg_layout_scan(struct ogg_layout *layout, struct source *source,
                               uint64_t size_bytes);
/// Free what it owns. A zeroed one is fine.
void ogg_layout_deinit(struct ogg_layout *layout);
