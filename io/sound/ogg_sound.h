// SPDX-License-Identifier: MIT
// The Vorbis or Opus stream of a part of an Ogg file to PCM, among other streams perhaps. Where it is is told by
// granule positions, so that what follows a lost page keeps its time, and any place is found to the frame; but by
// counting where these cannot be true. What else there is in Ogg is left to libsndfile, which refuses most of it.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/source.h"
#include "io/sound/ogg_codec.h"
#include "io/sound/ogg_pages.h"
#include <stdint.h>

/// Thread-safety: one thread at a time.
struct ogg_sound;

/// Where the stream is.
struct ogg_part {
    uint64_t from, to; // of the file's bytes
    // --- found by opening
    bool is_known;         // the rest is
    bool has_mark, is_cut; // there is a last mark; a broken page follows it
    bool is_counted;       // granules cannot be true: sound is where counting has it
    struct ogg_mark last;
};

struct ogg_sound_info {
    struct ogg_format format;
    const struct ogg_codec *codec;
    uint64_t frames;     // by the last page; 0: it does not say
    uint64_t junk_bytes; // before the first page
};

/// Open at the first frame, and look for the part's end if that is not known. `source` is borrowed. Blocks. @return 0;
/// -ENOTSUP: neither Vorbis nor Opus is in it; -EBADMSG: broken headers; -ENOMEM; the source's errors. On error *out is
/// NULL.
MUST_CHECK int ogg_sound_open(struct ogg_sound **out, struct source *source, struct ogg_part *part,
                              struct ogg_sound_info *info);
/// Close and set *sound to NULL. NULL is fine.
void ogg_sound_close(struct ogg_sound **sound);
/// Read frames; blocks. @return frames, fewer at the end, at an error, or before a hole.
uint32_t ogg_sound_read(struct ogg_sound *sound, float *interleaved, uint32_t frames);
/// Pass over a hole that reading has come to. @return its frames; 0: there is none.
uint64_t ogg_sound_pass_hole(struct ogg_sound *sound);
/// Go to `frame`; blocks. @return 0; -EBADMSG: the stream does not reach so far; -ENOMEM; the source's errors.
MUST_CHECK int ogg_sound_seek(struct ogg_sound *sound, uint64_t frame);
/// The error that ended reading, of the source, or -ENOMEM; 0: none.
int ogg_sound_error(const struct ogg_sound *sound);
/// What is wrong with the stream's end, in words that a time can follow; NULL: nothing is known. A static string.
const char *ogg_sound_flaw(const struct ogg_sound *sound);
