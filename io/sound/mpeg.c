// SPDX-License-Identifier: MIT
#include "io/sound/mpeg.h"
#include "io/sound/rate_bridge.h"
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
    PART_FRAMES = 512,
};

struct mpeg {
    mpg123_handle *handle;
    const struct mp3_layout *layout;
    struct mp3_view view;
    struct mp3_walk walk;
    uint32_t piece;    // of which is read
    uint64_t piece_at; // PCM frames of the pieces before it
    uint64_t to_skip,
        left; // PCM frames of the piece, at its rate: to drop, and to read behind these
    struct rate_bridge *bridge; // from pieces of that rate to the layout's; NULL: none was met
    uint32_t bridged_hz;
    bool is_bridged; // the piece is of that rate
    struct mpeg_hole hole;
    // What the library is being given.
    unsigned char frame[MP3_MOST_FRAME_BYTES];
    size_t frame_bytes, given;
    size_t reservoir_bytes; // of sound before the next frame that the library has kept
};

// --- What the library calls ----------------------------------------------------------------------

static const struct mp3_piece *piece_of(const struct mpeg *m)
{
    return &m->layout->pieces[m->piece];
}

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

/// A frame of silence in the place of one that was lost, so that the filter goes on.
static void make_silent_frame(struct mpeg *m)
{
    const struct mp3_piece *piece = piece_of(m);
    struct mp3_header header;
    m->frame_bytes = 0;
    if (mp3_parse_header(&header, piece->head))
        return;
    m->frame_bytes = header.bytes ? header.bytes : piece->free_bytes + header.padding_bytes;
    memset(m->frame, 0, m->frame_bytes);
    memcpy(m->frame, piece->head, sizeof piece->head);
    m->reservoir_bytes = 0;
}

static uint64_t to_layout_rate(const struct mpeg *m, uint64_t frames)
{
    return frames * m->layout->rate_hz / piece_of(m)->kind.rate_hz;
}

/// Note that `frames` from `from` on of the piece, at its rate, are silent, if they are the first.
static void note_hole(struct mpeg *m, uint64_t from, uint64_t frames)
{
    if (m->hole.frames)
        return;
    m->hole.at = piece_of(m)->at + to_layout_rate(m, from);
    m->hole.frames = to_layout_rate(m, frames);
}

static void take_lost_frame(struct mpeg *m, const struct mp3_step *step)
{
    const struct mp3_piece *piece = piece_of(m);
    const uint64_t from = step->number * piece->kind.samples;
    note_hole(m, from > piece->skipped ? from - piece->skipped : 0,
              step->lost * piece->kind.samples);
    make_silent_frame(m);
}

static bool take_frame(struct mpeg *m)
{
    struct mp3_step step;
    const struct mp3_frame *frame = &step.frame;
    if (!mp3_walk_next(&m->walk, &step))
        return false;
    m->given = 0;
    if (step.lost) {
        take_lost_frame(m, &step);
        return m->frame_bytes > 0;
    }
    if (frame->header.bytes > sizeof m->frame)
        return false;
    const unsigned char *bytes = mp3_look(&m->view, frame->at, frame->header.bytes);
    if (!bytes)
        return false;
    memcpy(m->frame, bytes, frame->header.bytes);
    m->frame_bytes = frame->header.bytes;
    silence_unless_whole(m, frame);
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
    int error = mpg123_param(m->handle, MPG123_ADD_FLAGS, flags, 0);
    if (!error)
        error = mpg123_param(m->handle, MPG123_REMOVE_FLAGS, unwanted, 0);
    return error ? error : mpg123_replace_reader_handle(m->handle, give, refuse_seek, NULL);
}

/// Decode from the next frame on, as if nothing had been before it.
static int start(struct mpeg *m)
{
    const struct mp3_piece *piece = piece_of(m);
    const long free_bytes = piece->free_bytes ? (long)piece->free_bytes - MP3_HEADER_BYTES : -1;
    long rate_hz = 0;
    int channels = 0, encoding = 0;
    m->given = m->frame_bytes = m->reservoir_bytes = 0;
    (void)mpg123_close(m->handle); // of what was open, if anything was
    int error = mpg123_param(m->handle, MPG123_FREEFORMAT_SIZE, free_bytes, 0);
    if (!error)
        error = mpg123_open_handle(m->handle, m);
    if (!error)
        error = mpg123_getformat(m->handle, &rate_hz, &channels, &encoding);
    if (m->view.error)
        return m->view.error;
    const bool is_fit = rate_hz == (long)piece->kind.rate_hz &&
                        channels == (int)piece->kind.channels && encoding == MPG123_ENC_FLOAT_32;
    return error || !is_fit ? -EBADMSG : 0;
}

/// @return frames of the piece, fewer where no more of it can be decoded.
static uint32_t decode(struct mpeg *m, float *interleaved, uint32_t frames)
{
    const size_t frame_bytes = piece_of(m)->kind.channels * sizeof *interleaved;
    const size_t wanted = frames * frame_bytes;
    size_t done = 0, part = 1;
    for (int error = MPG123_OK; done < wanted && part > 0 && error == MPG123_OK; done += part)
        error = mpg123_read(m->handle, (unsigned char *)interleaved + done, wanted - done, &part);
    return (uint32_t)(done / frame_bytes);
}

static bool skip(struct mpeg *m)
{
    float dropped[PART_FRAMES * 2];
    while (m->to_skip > 0) {
        const uint32_t wanted = m->to_skip < PART_FRAMES ? (uint32_t)m->to_skip : PART_FRAMES;
        const uint32_t n = decode(m, dropped, wanted);
        m->to_skip -= n;
        if (n < wanted)
            return false;
    }
    return true;
}

/// Mono among stereo, to both sides.
static void double_mono(float *samples, uint32_t frames)
{
    for (uint32_t i = frames; i-- > 0;)
        samples[2 * i] = samples[2 * i + 1] = samples[i];
}

/// Where the library does not go on, and another piece follows, so that the place of that is kept.
static void be_silent(struct mpeg *m, float *interleaved, uint32_t frames)
{
    memset(interleaved, 0, (size_t)frames * m->layout->channels * sizeof *interleaved);
    note_hole(m, piece_of(m)->own_frames - m->left, m->left);
}

/// Read at the piece's own rate.
static uint32_t read_own(void *user, float *interleaved, uint32_t frames)
{
    struct mpeg *m = user;
    const uint32_t wanted = m->left < frames ? (uint32_t)m->left : frames;
    uint32_t n = skip(m) ? decode(m, interleaved, wanted) : 0;
    if (piece_of(m)->kind.channels < m->layout->channels)
        double_mono(interleaved, n);
    m->left -= n;
    if (n < wanted && piece_of(m)->is_padded && !m->view.error) {
        be_silent(m, interleaved + (size_t)n * m->layout->channels, wanted - n);
        m->left -= wanted - n;
        n = wanted;
    }
    m->left = n < wanted ? 0 : m->left;
    return n;
}

// --- From piece to piece -------------------------------------------------------------------------

/// To a frame of the layout's rate from the piece's, if they differ; what was built for the last one may serve again.
static int build_bridge(struct mpeg *m)
{
    const uint32_t own_hz = piece_of(m)->kind.rate_hz;
    m->is_bridged = own_hz != m->layout->rate_hz;
    if (!m->is_bridged)
        return 0;
    if (m->bridge && m->bridged_hz == own_hz) {
        (void)rate_bridge_seek(m->bridge, 0);
        return 0;
    }
    m->bridged_hz = own_hz;
    rate_bridge_destroy(&m->bridge);
    return rate_bridge_create(&m->bridge, own_hz, m->layout->rate_hz, m->layout->channels, read_own,
                              m);
}

/// Go to the begin of a piece; nothing is decoded yet. @return 0; -ENOMEM.
static int begin_piece(struct mpeg *m, uint32_t piece)
{
    m->piece = piece;
    const struct mp3_piece *p = piece_of(m);
    mp3_walk_begin(&m->walk, &m->view, p);
    m->to_skip = p->skipped;
    m->left = p->own_frames;
    return build_bridge(m);
}

int mpeg_open(struct mpeg **out, struct source *source, const struct mp3_layout *layout)
{
    *out = NULL;
    struct mpeg *m = calloc(1, sizeof *m);
    if (!m)
        return -ENOMEM;
    m->layout = layout;
    m->view.source = source;
    m->handle = mpg123_new(NULL, NULL);
    int error = m->handle ? begin_piece(m, 0) : -ENOMEM;
    if (!error)
        error = set_up(m) ? -EBADMSG : start(m);
    if (error && !(error == -EBADMSG && piece_of(m)->is_padded)) // else it is silent
        mpeg_close(&m);
    *out = m;
    return m ? 0 : error;
}

void mpeg_close(struct mpeg **mpeg)
{
    struct mpeg *m = *mpeg;
    *mpeg = NULL;
    if (!m)
        return;
    rate_bridge_destroy(&m->bridge);
    mpg123_delete(m->handle);
    free(m);
}

uint32_t mpeg_read(struct mpeg *m, float *interleaved, uint32_t frames)
{
    uint32_t done = 0;
    for (;;) {
        float *to = interleaved + (size_t)done * m->layout->channels;
        done += m->is_bridged ? rate_bridge_read(m->bridge, to, frames - done)
                              : read_own(m, to, frames - done);
        if (done == frames || m->view.error || m->piece + 1 == m->layout->piece_count)
            return done;
        const int error = begin_piece(m, m->piece + 1);
        if (error || (start(m) && m->view.error))
            return done; // of frames that the library refuses nothing can be read, but behind them
    }
}

/// Go to the piece's frame `to`, at its own rate.
static int seek_own(struct mpeg *m, uint64_t to)
{
    const struct mp3_piece *p = piece_of(m);
    const uint64_t from = p->skipped + to, number = from / p->kind.samples;
    const uint64_t run_up = number < RUN_UP_FRAMES ? number : RUN_UP_FRAMES;
    const uint64_t first = (number - run_up) / TURNING_FRAMES * TURNING_FRAMES;
    m->left = p->own_frames - to;
    int error = mp3_walk_go_to(&m->walk, first) ? start(m) : -EBADMSG;
    m->to_skip = from - first * p->kind.samples;
    if (!error && !skip(m))
        error = -EBADMSG;
    if (m->view.error)
        return m->view.error;
    return p->is_padded ? 0 : error; // silence can be read
}

int mpeg_seek(struct mpeg *m, uint64_t frame)
{
    uint32_t piece = 0;
    while (piece + 1 < m->layout->piece_count && frame >= m->layout->pieces[piece].frames)
        frame -= m->layout->pieces[piece++].frames;
    m->view.error = 0;
    const int error = piece == m->piece ? 0 : begin_piece(m, piece);
    if (error)
        return error;
    return seek_own(m, m->is_bridged ? rate_bridge_seek(m->bridge, frame) : frame);
}

int mpeg_error(const struct mpeg *m)
{
    return m->view.error;
}

struct mpeg_hole mpeg_hole(const struct mpeg *m)
{
    return m->hole;
}
