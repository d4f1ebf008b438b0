// SPDX-License-Identifier: MIT
// Frames of MPEG audio to PCM through libmpg123, which is given nothing but frames: streams joined to one file play one
// behind another, in the layout's format. libsndfile has the same library decode, but lets it print, and it takes
// damaged bytes for frames of other kinds.
#pragma once
#include "dsp/annotate.h"
#include "io/sound/mp3_layout.h"

/// Thread-safety: one thread at a time.
struct mpeg;

/// Open at the first frame. `source` and `layout` are borrowed. Blocks. @return 0; -EBADMSG; -ENOMEM; the source's
/// errors. On error *out is NULL.
MUST_CHECK int mpeg_open(struct mpeg **out, struct source *source, const struct mp3_layout *layout);
/// Close and set *mpeg to NULL. NULL is fine.
void mpeg_close(struct mpeg **mpeg);
/// Read frames; blocks. What was lost of a damaged file is silent, where it can be known to have been. @return frames,
/// fewer at the end or at an error.
uint32_t mpeg_read(struct mpeg *mpeg, float *interleaved, uint32_t frames);
/// Go to `frame`, from which on samples are those of reading on, to the last bit; blocks. Only behind a frame whose
/// broken bits nothing but its decoding shows they can be 1e-7 off: the library leaves it out without a word, and adds
/// in another order from there. @return 0; -EBADMSG: the frames do not reach so far; -ENOMEM; the source's errors.
MUST_CHECK int mpeg_seek(struct mpeg *mpeg, uint64_t frame);
/// The source's error that ended reading; 0: none.
int mpeg_error(const struct mpeg *mpeg);

/// A place where frames were lost.
struct mpeg_hole {
    uint64_t at, frames; // of PCM; 0 frames: there is none
};
/// The first of those met so far.
struct mpeg_hole mpeg_hole(const struct mpeg *mpeg);
