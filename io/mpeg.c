// SPDX-License-Identifier: MIT
#include "io/mpeg.h"
#include <errno.h>
#include <stdio.h>

enum {
    PREFRAMES = 4, // decoded and dropped before the first that is wanted
    TURNING_FRAMES = 8,
    PIECE_FRAMES = 512,
};

// All but quietness and limit are as libsndfile sets them.
static int set_up(mpg123_handle *mpeg)
{
    const long flags = MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS;
    int error = mpg123_param(mpeg, MPG123_RESYNC_LIMIT, -1, 0); // -1: to the end
    if (!error)
        error = mpg123_param(mpeg, MPG123_ADD_FLAGS, flags, 0);
    if (!error)
        error = mpg123_param(mpeg, MPG123_PREFRAMES, PREFRAMES, 0);
    return error ? error : mpg123_param(mpeg, MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0);
}

static int open_reader(mpg123_handle *mpeg, const struct mpeg_reader *reader,
                       struct pcm_format *format)
{
    long rate_hz = 0;
    int channels = 0, encoding = 0, error = set_up(mpeg);
    if (!error)
        error = mpg123_replace_reader_handle(mpeg, reader->read, reader->seek, NULL);
    if (!error)
        error = mpg123_open_handle(mpeg, reader->user);
    if (!error)
        error = mpg123_getformat(mpeg, &rate_hz, &channels, &encoding);
    *format = (struct pcm_format){.rate_hz = (uint32_t)rate_hz, .channels = (uint32_t)channels};
    return error || encoding != MPG123_ENC_FLOAT_32 ? -EBADMSG : 0;
}

int mpeg_open(mpg123_handle **out, const struct mpeg_reader *reader, struct pcm_format *format,
              int64_t *frames)
{
    *out = mpg123_new(NULL, NULL);
    if (!*out)
        return -ENOMEM;
    const int error = open_reader(*out, reader, format);
    if (error)
        mpeg_close(out);
    else
        *frames = mpg123_length(*out);
    return error;
}

void mpeg_close(mpg123_handle **mpeg)
{
    mpg123_delete(*mpeg);
    *mpeg = NULL;
}

static int has_format(mpg123_handle *mpeg, const struct pcm_format *format)
{
    long rate_hz = 0;
    int channels = 0, encoding = 0;
    return !mpg123_getformat(mpeg, &rate_hz, &channels, &encoding) &&
           rate_hz == (long)format->rate_hz && channels == (int)format->channels;
}

uint32_t mpeg_read(mpg123_handle *mpeg, float *interleaved, uint32_t frames,
                   const struct pcm_format *format)
{
    const size_t frame_bytes = format->channels * sizeof *interleaved;
    const size_t wanted = frames * frame_bytes;
    unsigned char foreign[4096];
    size_t done = 0, part = 1;
    int is_own = has_format(mpeg, format), error = MPG123_OK;
    while (done < wanted && (error == MPG123_NEW_FORMAT || (error == MPG123_OK && part > 0))) {
        error = is_own
                    ? mpg123_read(mpeg, (unsigned char *)interleaved + done, wanted - done, &part)
                    : mpg123_read(mpeg, foreign, sizeof foreign, &part);
        done += is_own ? part : 0;
        if (error == MPG123_NEW_FORMAT) // of what is read next
            is_own = has_format(mpeg, format);
    }
    return (uint32_t)(done / frame_bytes);
}

// A seek starts the synthesis filter anew, and the order of its sums, of which sixteen take turns, with it. A frame is
// 36 or 18 turns: from every eighth frame on they come in the order of playing from the start.
static off_t seek_near(mpg123_handle *mpeg, off_t frame)
{
    if (mpg123_seek(mpeg, frame, SEEK_SET) != frame)
        return -1;
    const off_t first = mpg123_tellframe(mpeg) - PREFRAMES;
    if (first <= 0)
        return frame; // it decodes from the start
    const off_t start = first / TURNING_FRAMES * TURNING_FRAMES + PREFRAMES;
    return mpg123_seek_frame(mpeg, start, SEEK_SET) == start ? mpg123_tell(mpeg) : -1;
}

/// Decode and drop what lies between. @return whether there is a way.
static int go_on_to(mpg123_handle *mpeg, off_t at, off_t frame, const struct pcm_format *format)
{
    float dropped[PIECE_FRAMES * 2];
    while (at >= 0 && at < frame) {
        const off_t left = frame - at;
        const uint32_t wanted = left < PIECE_FRAMES ? (uint32_t)left : PIECE_FRAMES;
        const uint32_t n = mpeg_read(mpeg, dropped, wanted, format);
        at = n ? at + n : -1;
    }
    return at == frame;
}

int mpeg_seek(mpg123_handle *mpeg, uint64_t frame, const struct pcm_format *format)
{
    const off_t wanted = (off_t)frame;
    if (go_on_to(mpeg, seek_near(mpeg, wanted), wanted, format))
        return 0;
    // Where it would have begun there is damage, which it finds its way through from the start.
    const int is_there = go_on_to(mpeg, mpg123_seek(mpeg, 0, SEEK_SET), wanted, format);
    return is_there ? 0 : -EBADMSG;
}
