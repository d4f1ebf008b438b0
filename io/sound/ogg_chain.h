// SPDX-License-Identifier: MIT
// The Vorbis and Opus streams of an Ogg file, of which there can be any number one behind another, to PCM of one
// format.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/source.h"
#include "io/sound/ogg_codec.h"
#include <stdint.h>

/// Thread-safety: one thread at a time.
struct ogg_chain;

struct ogg_chain_info {
    uint32_t rate_hz, channels;
    const struct ogg_codec *codec; // of the first
    uint64_t frames;               // by the last pages; 0: a single stream does not say
    uint64_t junk_bytes;           // before the first page
};

/// Open at the first frame. `source` is borrowed. Blocks. @return 0; -ENOTSUP: the first stream is neither Vorbis nor
/// Opus; -EBADMSG: broken headers; -ENOMEM; the source's errors. On error *out is NULL.
MUST_CHECK int ogg_chain_open(struct ogg_chain **out, struct source *source, uint64_t size_bytes,
                              struct ogg_chain_info *info);
/// Close and set *chain to NULL. NULL is fine.
void ogg_chain_close(struct ogg_chain **chain);
/// Read frames; blocks. @return frames, fewer at the end, at an error, or before a hole.
uint32_t ogg_chain_read(struct ogg_chain *chain, float *interleaved, uint32_t frames);
/// Pass over a hole that reading has come to. @return its frames; 0: there is none.
uint64_t ogg_chain_pass_hole(struct ogg_chain *chain);
/// Go to `frame`; blocks. @return 0; -EBADMSG: the sound does not reach so far; -ENOMEM; the source's errors.
MUST_CHECK int ogg_chain_seek(struct ogg_chain *chain, uint64_t frame);
/// The error that ended reading, of the source, or -ENOMEM; 0: none.
int ogg_chain_error(const struct ogg_chain *chain);
/// What is wrong before the end, in words that a time can follow, and the frame it is found at; NULL: nothing is
/// known. A static string.
const char *ogg_chain_flaw_before_end(const struct ogg_chain *chain, uint64_t *at);
/// What is wrong with the end, likewise.
const char *ogg_chain_flaw(const struct ogg_chain *chain);
