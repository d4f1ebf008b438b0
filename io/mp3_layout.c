// SPDX-License-Identifier: MIT
// The Xing tag as the LAME tag specification describes it. What of a stream is sound is as libmpg123 has it, whose
// decoder is 529 samples late.
#include "io/mp3_layout.h"
#include <errno.h>
#include <string.h>

enum {
    XING_BYTES = 8, // name, flags
    XING_FRAMES = 1,
    XING_SIZE = 2,
    XING_TOC = 4,
    XING_QUALITY = 8,
    TOC_BYTES = 100,
    LAME_BYTES = 24,
    LAME_DELAYS_AT = 21,
    DECODER_DELAY = 529,
};

/// What a Xing or Info tag says.
struct xing {
    uint64_t frames, bytes;  // of MPEG frames, and of the stream with the tag; 0: not said
    uint32_t delay, padding; // of the encoder, in PCM frames
};

static uint32_t get32(const unsigned char *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/// Its place in the frame at `at`; 0: the frame is none.
static uint64_t find_xing(struct mp3_view *v, uint64_t at, const struct mp3_header *header)
{
    at += MP3_HEADER_BYTES + header->side_bytes;
    // LAME writes the tag where it would lie without a checksum even if there is one.
    for (uint32_t shift = 0; header->layer == 3 && shift <= 2; shift += 2) {
        const unsigned char *b = mp3_look(v, at + shift, XING_BYTES);
        if (b && (memcmp(b, "Xing", 4) == 0 || memcmp(b, "Info", 4) == 0))
            return at + shift;
    }
    return 0;
}

/// Take the number at *b if the flag says that it is there.
static uint32_t take(const unsigned char **b, const unsigned char *end, uint32_t flag)
{
    if (!flag || end - *b < 4)
        return 0;
    *b += 4;
    return get32(*b - 4);
}

/// @return whether the frame at `at` is such a tag.
static bool read_xing(struct mp3_view *v, uint64_t at, const struct mp3_header *header,
                      struct xing *xing)
{
    *xing = (struct xing){0};
    const uint64_t place = find_xing(v, at, header);
    const unsigned char *frame = place ? mp3_look(v, at, header->bytes) : NULL;
    if (!frame)
        return false;
    const unsigned char *b = frame + (place - at), *const end = frame + header->bytes;
    const uint32_t flags = get32(b + 4);
    b += XING_BYTES;
    xing->frames = take(&b, end, flags & XING_FRAMES);
    xing->bytes = take(&b, end, flags & XING_SIZE);
    const int left = (int)(end - b), toc = flags & XING_TOC ? TOC_BYTES : 0;
    const int lame_at = toc + (flags & XING_QUALITY ? 4 : 0);
    if (left < lame_at + LAME_BYTES || b[lame_at] == 0)
        return true;
    b += lame_at + LAME_DELAYS_AT;
    xing->delay = (uint32_t)b[0] << 4 | b[1] >> 4;
    xing->padding = (b[1] & 15U) << 8 | b[2];
    return true;
}

static void set_length(struct mp3_piece *piece, const struct xing *xing, uint32_t samples)
{
    const uint64_t all = xing->frames * samples;
    const uint64_t padding = xing->padding > DECODER_DELAY ? xing->padding - DECODER_DELAY : 0;
    const uint64_t skipped = xing->delay + DECODER_DELAY;
    piece->skipped = skipped + padding < all ? skipped : 0;
    piece->frames = skipped + padding < all ? all - skipped - padding : all;
}

/// Count the frames of the only piece.
static void count_frames(struct mp3_view *v, struct mp3_layout *layout)
{
    struct mp3_piece *piece = &layout->pieces[0];
    struct mp3_frame frame;
    uint64_t at = piece->first_byte;
    for (; mp3_find_next(v, at, &frame); at = frame.at + frame.header.bytes) {
        if (frame.junk_bytes && !layout->junk_bytes)
            layout->junk_at = piece->frames;
        layout->junk_bytes += frame.junk_bytes;
        piece->frames += frame.header.samples;
    }
    if (mp3_look_at_header(v, frame.at, &frame.header)) // all of it is not there
        layout->cut_frames = frame.header.samples;
}

/// Of joined files each has its tag. @return whether another stream with one begins at `at`, or behind tags of others.
static bool begins_stream(struct mp3_view *v, uint64_t *at, struct mp3_header *header,
                          struct xing *xing)
{
    for (uint64_t n; (n = mp3_tag_bytes(v, *at)) > 0;)
        *at += n;
    return mp3_look_at_header(v, *at, header) && header->bytes > 0 &&
           read_xing(v, *at, header, xing) && xing->frames > 0;
}

/// The pieces of a file whose first frame, at `at`, is a tag.
static void list_pieces(struct mp3_view *v, struct mp3_layout *layout, uint64_t at,
                        struct mp3_header header, struct xing xing)
{
    do {
        struct mp3_piece *piece = &layout->pieces[layout->piece_count++];
        const uint64_t end = at + xing.bytes;
        *piece = (struct mp3_piece){.first_byte = at + header.bytes, .end_byte = v->end};
        set_length(piece, &xing, header.samples);
        layout->frames += piece->frames;
        layout->may_be_cut = !xing.bytes || end > v->end;
        at = end;
        if (layout->may_be_cut || !begins_stream(v, &at, &header, &xing))
            return;
        piece->end_byte = end;
    } while (layout->piece_count < MP3_MOST_PIECES);
}

static void lay_out(struct mp3_view *v, struct mp3_layout *layout, uint64_t at)
{
    struct mp3_header header = v->kind;
    struct xing xing;
    const bool is_xing = read_xing(v, at, &header, &xing);
    layout->kind = header;
    layout->free_bytes = v->free_bytes;
    layout->is_tagged = is_xing && xing.frames > 0;
    if (layout->is_tagged) {
        list_pieces(v, layout, at, header, xing);
        return;
    }
    layout->piece_count = 1;
    layout->pieces[0].first_byte = at + (is_xing ? header.bytes : 0); // it is no sound
    layout->pieces[0].end_byte = v->end;
    count_frames(v, layout);
    layout->frames = layout->pieces[0].frames;
    layout->may_be_cut = layout->cut_frames > 0;
}

/// Whether a file of less than a frame begins with layer III's header; of the others', bytes of text look like them.
static bool is_cut_first(struct mp3_view *v, uint64_t start)
{
    struct mp3_header header;
    return mp3_look_at_header(v, start, &header) && header.layer == 3 &&
           header.bytes > v->end - start;
}

int mp3_layout_scan(struct mp3_layout *layout, struct source *source, uint64_t start,
                    uint64_t size_bytes)
{
    struct mp3_view v = {.source = source, .end = size_bytes};
    uint64_t at;
    *layout = (struct mp3_layout){0};
    for (uint64_t n; (n = mp3_tag_bytes(&v, start)) > 0; start += n)
        if (n > size_bytes - start)
            return memcmp(mp3_look(&v, start, 3), "ID3", 3) == 0 ? -EBADMSG : -ENOTSUP;
    const unsigned char *b = mp3_look(&v, start, 2);
    layout->is_alike = b && b[0] == 0xff && b[1] >= 0xe0;
    const bool is_found = mp3_find_first(&v, start, &at);
    if (is_found)
        lay_out(&v, layout, at);
    if (v.error || layout->frames)
        return v.error;
    return layout->cut_frames || (!is_found && is_cut_first(&v, start)) ? -ENOMSG : -ENOTSUP;
}
