// SPDX-License-Identifier: MIT
// Encoded bytes of a source to PCM: sample-exact length, encoder delay and padding removed.
#pragma once
#include "dsp/annotate.h"
#include "dsp/pcm.h"
#include "io/bytes/source.h"
#include <stdint.h>

/// Thread-safety: one thread at a time.
struct decoder;

struct decoder_info {
    struct pcm_format format;
    uint64_t frames;       // by the container; what is read can be less in a damaged file
    uint32_t depth_bits;   // 16, 24, 32 .. of an integer source; 0: float or lossy
    const char *codec;     // "wav", "flac", "vorbis", "opus", "mp3", "aiff" ..: a static string
    const char *container; // likewise
};

/// Damage met so far. What was delivered is sound; holes are delivered as silence with 5 ms fades at
/// their edges.
/// A broken FLAC frame becomes silence of its length or little more, a lost Ogg page of Vorbis or Opus silence of
/// its length; where a stream claims more than its bytes can hold, or its pages' times stand still, sound is
/// counted, and that is told. MP3 frames that are known to be lost, by a tag's count or a constant bit rate, are
/// silent; else what follows is shifted, and the junk told. "Truncated" is said only where a header states more.
/// Ogg streams that follow one another are played in turn, at the rate of most of them; one that cannot be is told.
enum decoder_damage { DECODER_SOUND, DECODER_TRUNCATED, DECODER_CORRUPT, DECODER_IO_ERROR };

/// Open a stream over `source` (borrowed; must outlive the decoder). Blocks for its bytes.
/// @return 0; -ENODATA: empty file; -EBADMSG: corrupt or lying header; -ENOTSUP: not an audio format we
/// read, too many channels, a rate out of range; the source's errors. On error *out is NULL.
MUST_CHECK int decoder_open(struct decoder **out, struct source *source, struct decoder_info *info);
/// Close and set *decoder to NULL. NULL is fine.
void decoder_close(struct decoder **decoder);
/// Read up to `frames` frames. Integer samples are scaled by 2^-(depth-1). NaN, infinity and magnitudes over
/// 1024 are delivered as 0. Blocks for bytes. @return frames read, 0 at the end (see decoder_damage()),
/// -ECANCELED, -ENOMEM.
MUST_CHECK int64_t decoder_read(struct decoder *decoder, float *interleaved, uint32_t frames);
/// Go to `frame`, sample-exact; MP3, Vorbis and Opus are decoded from some way before it, so that the samples equal
/// those of reading on (in sound files). Only in Opus not everywhere: after a run-up of 3 s 2 of 1700 places differed
/// in music of CELT packets, but 8 of 10 in SILK and hybrid ones (speech, low bit rates), whose long-term prediction
/// does not forget in 20 s; by -63 dBFS RMS, at most -50 dBFS.
/// Blocks for bytes. After an error only another seek or decoder_close() helps; reads give 0.
/// @return 0; -EINVAL: past the end; -EBADMSG ..
MUST_CHECK int decoder_seek(struct decoder *decoder, uint64_t frame);
enum decoder_damage decoder_damage(const struct decoder *decoder);
/// One line's worth of cause for the damage or the failed open: "truncated: 12.3 of 60.0 s are there". A
/// string of the decoder's, NULL if sound.
const char *decoder_damage_text(const struct decoder *decoder);
/// Samples that were NaN, infinite or over 1024 in magnitude.
uint64_t decoder_replaced_samples(const struct decoder *decoder);
/// Clear words for an error of decoder_open() or source_wait_open(), such as "no such file", "is a
/// directory", "not a known audio format". A static string, never NULL.
const char *decoder_error_text(int error);
