// SPDX-License-Identifier: MIT
#include "io/mpeg.h"
#include <errno.h>
#include <mpg123.h>
#include <stdlib.h>
#include <string.h>

enum {
    // Frames decoded and dropped before the first that is wanted: one may take its bits from the 511 bytes of sound
    // before it, 255 in versions 2 and 2.5, and these from two dozen frames.
    RUN_UP_FRAMES = 32,
    CHECKSUM_BYTES = 2,
    // The synthesis filter's sums have sixteen orders, which take turns 12, 18 or 36 times a frame: from every eighth
    // frame on they come as if played from the start.
    TURNING_FRAMES = 8,
    PIECE_FRAMES = 512,
    INDEX_ENTRIES = 1024,
};

struct mpeg {
    mpg123_handle *handle;
    const struct mp3_layout *layout;
    struct mp3_view view;
    uint32_t piece;
    uint64_t at,
        number; // of the next MPEG frame: its place, if none is lost, and how many are before it
    uint64_t to_skip, left; // PCM frames of the piece: to drop, and to read behind these
    // Every step-th MPEG frame's place, as far as it is known: entry i is of frame i * step.
    uint64_t index[INDEX_ENTRIES], step;
    uint32_t index_count;
    // What the library is being given.
    unsigned char frame[MP3_MOST_FRAME_BYTES];
    size_t frame_bytes, given;
    size_t reservoir_bytes; // of sound before the next frame that the library has kept
};

// --- The way through the frames ------------------------------------------------------------------

static void begin_piece(struct mpeg *m, uint32_t piece)
{
    const struct mp3_piece *p = &m->layout->pieces[piece];
    m->piece = piece;
    m->view.end = p->end_byte;
    m->at = m->index[0] = p->first_byte;
    m->number = 0;
    m->index_count = 1;
    m->step = 1;
    m->to_skip = p->skipped;
    m->left = p->frames;
}

static void note_place(struct mpeg *m)
{
    if (m->number != m->index_count * m->step)
        return;
    if (m->index_count == INDEX_ENTRIES) {
        for (uint32_t i = 0; i < INDEX_ENTRIES / 2; ++i)
            m->index[i] = m->index[2 * i];
        m->index_count = INDEX_ENTRIES / 2;
        m->step *= 2;
    }
    if (m->number == m->index_count * m->step)
        m->index[m->index_count++] = m->at;
}

/// Pass over one frame. @return whether there is one.
static bool next_frame(struct mpeg *m, struct mp3_frame *frame)
{
    if (!mp3_find_next(&m->view, m->at, frame))
        return false;
    m->at = frame->at;
    note_place(m);
    m->at += frame->header.bytes;
    ++m->number;
    return true;
}

/// @return whether the frame is there.
static bool go_to_frame(struct mpeg *m, uint64_t number)
{
    uint64_t entry = number / m->step;
    entry = entry < m->index_count ? entry : m->index_count - 1;
    m->at = m->index[entry];
    m->number = entry * m->step;
    struct mp3_frame frame;
    while (m->number < number)
        if (!next_frame(m, &frame))
            return false;
    return true;
}

// --- What the library calls ----------------------------------------------------------------------

/// Bits of layer III lie in frames before their own too. A frame that is torn, or lacks some, is made one of silence,
/// which hands on what there is: the library would leave out what it cannot decode, and with it the filter's turn.
static void silence_unless_whole(struct mpeg *m, const struct mp3_frame *frame)
{
    const struct mp3_header *header = &frame->header;
    const size_t side_at = MP3_HEADER_BYTES + (header->is_protected ? CHECKSUM_BYTES : 0);
    const size_t sound_at = side_at + header->side_bytes;
    if (header->layer != 3 || sound_at >= m->frame_bytes)
        return;
    if (frame->junk_bytes)
        m->reservoir_bytes = 0;
    unsigned char *side = m->frame + side_at;
    const unsigned shift = header->samples == 1152 ? 7 : 8; // 9 bits, or 8
    size_t before = ((size_t)side[0] << 8 | side[1]) >> shift;
    if (before > m->reservoir_bytes || frame->is_torn) {
        before = before < m->reservoir_bytes ? before : m->reservoir_bytes;
        memset(side, 0, header->side_bytes);
        side[0] = (unsigned char)(before << shift >> 8);
        side[1] = (unsigned char)(before << shift & 0xff);
    }
    m->reservoir_bytes = before + m->frame_bytes - sound_at;
}

static bool take_frame(struct mpeg *m)
{
    struct mp3_frame frame;
    if (!next_frame(m, &frame) || frame.header.bytes > sizeof m->frame)
        return false;
    const unsigned char *bytes = mp3_look(&m->view, frame.at, frame.header.bytes);
    if (!bytes)
        return false;
    memcpy(m->frame, bytes, frame.header.bytes);
    m->frame_bytes = frame.header.bytes;
    m->given = 0;
    silence_unless_whole(m, &frame);
    return true;
}

static ssize_t give(void *user, void *to, size_t bytes)
{
    struct mpeg *m = user;
    if (m->given == m->frame_bytes && !take_frame(m))
        return 0;
    const size_t left = m->frame_bytes - m->given, n = bytes < left ? bytes : left;
    memcpy(to, m->frame + m->given, n);
    m->given += n;
    return (ssize_t)n;
}

static off_t refuse_seek(void *user, off_t offset, int whence)
{
    (void)user;
    (void)offset;
    (void)whence;
    return -1;
}

// --- Decoding ------------------------------------------------------------------------------------

static int set_up(struct mpeg *m)
{
    const long flags = MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_NO_READAHEAD |
                       MPG123_NO_PEEK_END | MPG123_IGNORE_INFOFRAME | MPG123_SKIP_ID3V2;
    const long unwanted = MPG123_AUTO_RESAMPLE | MPG123_GAPLESS | MPG123_SEEKBUFFER;
    const long free_bytes = (long)m->layout->free_bytes - MP3_HEADER_BYTES;
    int error = mpg123_param(m->handle, MPG123_ADD_FLAGS, flags, 0);
    if (!error)
        error = mpg123_param(m->handle, MPG123_REMOVE_FLAGS, unwanted, 0);
    if (!error && free_bytes > 0)
        error = mpg123_param(m->handle, MPG123_FREEFORMAT_SIZE, free_bytes, 0);
    return error ? error : mpg123_replace_reader_handle(m->handle, give, refuse_seek, NULL);
}

/// Decode from the next frame on, as if nothing had been before it.
static int start(struct mpeg *m)
{
    long rate_hz = 0;
    int channels = 0, encoding = 0;
    m->given = m->frame_bytes = m->reservoir_bytes = 0;
    (void)mpg123_close(m->handle); // of what was open, if anything was
    int error = mpg123_open_handle(m->handle, m);
    if (!error)
        error = mpg123_getformat(m->handle, &rate_hz, &channels, &encoding);
    if (m->view.error)
        return m->view.error;
    const bool is_fit = rate_hz == (long)m->layout->kind.rate_hz &&
                        channels == (int)m->layout->kind.channels &&
                        encoding == MPG123_ENC_FLOAT_32;
    return error || !is_fit ? -EBADMSG : 0;
}

int mpeg_open(struct mpeg **out, struct source *source, const struct mp3_layout *layout)
{
    *out = NULL;
    struct mpeg *m = calloc(1, sizeof *m);
    if (!m)
        return -ENOMEM;
    m->layout = layout;
    m->view.source = source;
    m->view.kind = layout->kind;
    m->view.free_bytes = layout->free_bytes;
    m->handle = mpg123_new(NULL, NULL);
    begin_piece(m, 0);
    int error = m->handle ? 0 : -ENOMEM;
    if (!error)
        error = set_up(m) ? -EBADMSG : start(m);
    if (error)
        mpeg_close(&m);
    *out = m;
    return error;
}

void mpeg_close(struct mpeg **mpeg)
{
    struct mpeg *m = *mpeg;
    *mpeg = NULL;
    if (!m)
        return;
    mpg123_delete(m->handle);
    free(m);
}

/// @return frames, fewer where no more of this piece can be decoded.
static uint32_t decode(struct mpeg *m, float *interleaved, uint32_t frames)
{
    const size_t frame_bytes = m->layout->kind.channels * sizeof *interleaved;
    const size_t wanted = frames * frame_bytes;
    size_t done = 0, part = 1;
    for (int error = MPG123_OK; done < wanted && part > 0 && error == MPG123_OK; done += part)
        error = mpg123_read(m->handle, (unsigned char *)interleaved + done, wanted - done, &part);
    return (uint32_t)(done / frame_bytes);
}

static bool skip(struct mpeg *m)
{
    float dropped[PIECE_FRAMES * 2];
    while (m->to_skip > 0) {
        const uint32_t wanted = m->to_skip < PIECE_FRAMES ? (uint32_t)m->to_skip : PIECE_FRAMES;
        const uint32_t n = decode(m, dropped, wanted);
        m->to_skip -= n;
        if (n < wanted)
            return false;
    }
    return true;
}

/// Read of the piece at hand.
static uint32_t read_piece(struct mpeg *m, float *interleaved, uint32_t frames)
{
    const uint32_t wanted = m->left < frames ? (uint32_t)m->left : frames;
    const uint32_t n = skip(m) ? decode(m, interleaved, wanted) : 0;
    m->left = n < wanted ? 0 : m->left - n;
    return n;
}

uint32_t mpeg_read(struct mpeg *m, float *interleaved, uint32_t frames)
{
    uint32_t done = 0;
    for (;;) {
        done += read_piece(m, interleaved + (size_t)done * m->layout->kind.channels, frames - done);
        if (done == frames || m->view.error || m->piece + 1 == m->layout->piece_count)
            return done;
        begin_piece(m, m->piece + 1);
        if (start(m))
            return done;
    }
}

int mpeg_seek(struct mpeg *m, uint64_t frame)
{
    uint32_t piece = 0;
    while (piece + 1 < m->layout->piece_count && frame >= m->layout->pieces[piece].frames)
        frame -= m->layout->pieces[piece++].frames;
    if (piece != m->piece)
        begin_piece(m, piece);
    const struct mp3_piece *p = &m->layout->pieces[piece];
    const uint64_t from = p->skipped + frame, number = from / m->layout->kind.samples;
    const uint64_t run_up = number < RUN_UP_FRAMES ? number : RUN_UP_FRAMES;
    const uint64_t first = (number - run_up) / TURNING_FRAMES * TURNING_FRAMES;
    m->view.error = 0;
    m->left = p->frames - frame;
    int error = go_to_frame(m, first) ? start(m) : -EBADMSG;
    m->to_skip = from - first * m->layout->kind.samples;
    if (!error && !skip(m))
        error = -EBADMSG;
    return m->view.error ? m->view.error : error;
}

int mpeg_error(const struct mpeg *m)
{
    return m->view.error;
}
