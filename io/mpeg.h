// SPDX-License-Identifier: MIT
// Frames of MPEG audio to PCM through libmpg123. libsndfile has the same library decode, but lets it print, and
// reads no further than the first kilobyte that holds no frame.
#pragma once
#include "dsp/annotate.h"
#include "dsp/pcm.h"
#include <mpg123.h>
#include <stdint.h>
#include <sys/types.h>

/// Where the bytes come from: as read() and lseek(), with `user` for the descriptor.
struct mpeg_reader {
    ssize_t (*read)(void *user, void *to, size_t bytes);
    off_t (*seek)(void *user, off_t offset, int whence);
    void *user;
};

/// Open. `*frames` is what a Xing or Info tag states, without delay and padding; else a guess, or negative.
/// @return 0; -EBADMSG; -ENOMEM. On error *out is NULL.
MUST_CHECK int mpeg_open(mpg123_handle **out, const struct mpeg_reader *reader,
                         struct pcm_format *format, int64_t *frames);
/// Close and set *mpeg to NULL. NULL is fine.
void mpeg_close(mpg123_handle **mpeg);
/// Read frames of the format that mpeg_open() told. Passed over are bytes that are no frame, and frames of another
/// format, as which damaged bytes may look. @return frames, fewer at the end.
uint32_t mpeg_read(mpg123_handle *mpeg, float *interleaved, uint32_t frames,
                   const struct pcm_format *format);
/// Go to `frame`: behind what the first frames take from those before them, samples are those of reading on; to the
/// last bit, unless the very first lacks bits of frames before it. @return 0; -EBADMSG.
MUST_CHECK int mpeg_seek(mpg123_handle *mpeg, uint64_t frame, const struct pcm_format *format);
