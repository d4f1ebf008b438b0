// SPDX-License-Identifier: MIT
// Tables: ISO/IEC 11172-3 and 13818-3.
#include "io/sound/mp3.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    RESYNC_BYTES = 65536, // how far the first frame may lie from where it should
    CONFIRMING_FRAMES = 2,
    BEHIND_BYTES = (CONFIRMING_FRAMES + 1) * MP3_MOST_FRAME_BYTES,
    FREE_LEAST_BYTES = 24,                      // a frame of 8 kbit/s
    FREE_MOST_BYTES = MP3_MOST_FRAME_BYTES - 4, // and a slot of padding
    TAGS_AT_ONCE = 64,                          // more than any program puts in one place
    ID3_HEADER_BYTES = 10,
    ID3V1_BYTES = 128,
    APE_HEADER_BYTES = 32,
};

// By version (1, or 2 and 2.5) and layer.
static const uint16_t rates_kbps[2][3][16] = {
    {{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
     {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
     {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}},
    {{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
     {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
     {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}},
};
static const uint16_t sample_rates_hz[3] = {44100, 48000, 32000};

/// Length of a frame and of its padding, which are counted in slots of four bytes in layer I.
static void set_length(struct mp3_header *h, uint32_t kbps, uint32_t is_padded)
{
    const uint32_t slot_bytes = h->layer == 1 ? 4 : 1;
    h->padding_bytes = is_padded ? slot_bytes : 0;
    h->bytes = h->samples / 8 / slot_bytes * kbps * 1000 / h->rate_hz * slot_bytes;
    if (kbps)
        h->bytes += h->padding_bytes;
}

int mp3_parse_header(struct mp3_header *header, const unsigned char *bytes)
{
    const unsigned version = bytes[1] >> 3 & 3; // 0: 2.5, 2: 2, 3: 1
    const unsigned layer = 4 - (bytes[1] >> 1 & 3u);
    const unsigned rate = bytes[2] >> 4, sample_rate = bytes[2] >> 2 & 3;
    if (bytes[0] != 0xff || bytes[1] < 0xe0 || version == 1 || layer == 4 || sample_rate == 3 ||
        rate == 15)
        return -EBADMSG;
    const unsigned is_lower = version != 3;
    header->layer = layer;
    header->rate_hz = sample_rates_hz[sample_rate] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    header->channels = bytes[3] >> 6 == 3 ? 1 : 2;
    header->samples = layer == 1 ? 384 : layer == 3 && is_lower ? 576 : 1152;
    header->side_bytes = is_lower                ? (header->channels == 1 ? 9 : 17)
                         : header->channels == 1 ? 17
                                                 : 32;
    header->is_protected = (bytes[1] & 1) == 0;
    set_length(header, rates_kbps[is_lower][layer - 1][rate], bytes[2] >> 1 & 1);
    return 0;
}

uint32_t mp3_least_frame_bytes(const struct mp3_header *kind)
{
    const bool is_lower = kind->rate_hz < 32000;
    struct mp3_header least = *kind;
    set_length(&least, rates_kbps[is_lower][kind->layer - 1][1], 0);
    return least.bytes;
}

// --- Looking -------------------------------------------------------------------------------------

const unsigned char *mp3_look(struct mp3_view *v, uint64_t offset, size_t n)
{
    assert(n <= sizeof v->data - BEHIND_BYTES);
    if (v->error || offset > v->end || v->end - offset < n)
        return NULL;
    if (offset < v->offset || offset + n > v->offset + v->bytes) {
        // What lies behind the place comes with it, as looks go some frames ahead and back.
        v->offset = offset - (offset < BEHIND_BYTES ? offset : BEHIND_BYTES);
        const int64_t got = source_read(v->source, v->data, v->offset, sizeof v->data);
        v->bytes = got > 0 ? (size_t)got : 0;
        v->error = got < 0 ? (int)got : 0;
        if (v->offset + v->bytes < offset + n)
            return NULL;
    }
    return v->data + (offset - v->offset);
}

static bool is_of_kind(const struct mp3_header *header, const struct mp3_header *kind)
{
    return header->layer == kind->layer && header->rate_hz == kind->rate_hz &&
           header->samples == kind->samples && header->channels == kind->channels;
}

bool mp3_look_at_header(struct mp3_view *v, uint64_t offset, struct mp3_header *header)
{
    const unsigned char *bytes = mp3_look(v, offset, MP3_HEADER_BYTES);
    if (!bytes || mp3_parse_header(header, bytes))
        return false;
    if (header->bytes == 0 && v->free_bytes)
        header->bytes = v->free_bytes + header->padding_bytes;
    return v->kind.layer == 0 || (is_of_kind(header, &v->kind) && header->bytes > 0);
}

// --- Tags ----------------------------------------------------------------------------------------

static uint64_t id3_bytes(const unsigned char *b)
{
    const uint32_t bytes = (uint32_t)(b[6] & 127) << 21 | (uint32_t)(b[7] & 127) << 14 |
                           (uint32_t)(b[8] & 127) << 7 | (b[9] & 127);
    return ID3_HEADER_BYTES + bytes + (b[5] & 0x10 ? ID3_HEADER_BYTES : 0);
}

static bool are_digits(const unsigned char *b, int count)
{
    while (count > 0 && *b >= '0' && *b <= '9')
        b++, count--;
    return count == 0;
}

/// Lyrics3 2.00: fields of three letters, five digits that tell how much follows, and that; six tell the sum.
static uint64_t lyrics_bytes(struct mp3_view *v, uint64_t offset)
{
    enum { BEGIN = 11, FIELD = 8, END = 15, MOST = 999999, MOST_FIELDS = 64 };
    const unsigned char *b;
    uint64_t n = BEGIN;
    for (int field = 0; field <= MOST_FIELDS && n <= MOST; field++) {
        if (!(b = mp3_look(v, offset + n, END)))
            return 0;
        if (are_digits(b, 6) && memcmp(b + 6, "LYRICS200", 9) == 0)
            return n + END;
        if (!are_digits(b + 3, 5))
            return 0;
        uint32_t bytes = 0;
        for (int i = 3; i < FIELD; i++)
            bytes = 10 * bytes + (b[i] - '0');
        n += FIELD + bytes;
    }
    return 0;
}

/// Of version 1, in which only its end tells how long it is.
static uint64_t old_lyrics_bytes(struct mp3_view *v, uint64_t offset)
{
    enum { MOST = 11 + 5100, END = 9 };
    const unsigned char *b;
    for (uint64_t n = 0; n <= MOST && (b = mp3_look(v, offset + n, END)); n++)
        if (memcmp(b, "LYRICSEND", END) == 0)
            return n + END;
    return 0;
}

uint64_t mp3_tag_bytes(struct mp3_view *v, uint64_t offset)
{
    const unsigned char *b = mp3_look(v, offset, ID3_HEADER_BYTES);
    if (!b)
        return 0;
    if (memcmp(b, "ID3", 3) == 0)
        return id3_bytes(b);
    if (memcmp(b, "TAG", 3) == 0)
        return ID3V1_BYTES;
    if (memcmp(b, "LYRICSBEGI", ID3_HEADER_BYTES) == 0) {
        const uint64_t n = lyrics_bytes(v, offset);
        return n ? n : old_lyrics_bytes(v, offset);
    }
    b = mp3_look(v, offset, APE_HEADER_BYTES);
    if (!b || memcmp(b, "APETAGEX", 8) != 0)
        return 0;
    return APE_HEADER_BYTES +
           ((uint64_t)b[15] << 24 | (uint32_t)b[14] << 16 | (uint32_t)b[13] << 8 | b[12]);
}

uint64_t mp3_skip_tags(struct mp3_view *v, uint64_t offset)
{
    uint64_t n;
    for (int i = 0; i < TAGS_AT_ONCE && (n = mp3_tag_bytes(v, offset)) && n <= v->end - offset; i++)
        offset += n;
    return offset;
}

// --- Chains of frames ----------------------------------------------------------------------------

/// What a chain of frames may be cut short by.
enum chain_end { CHAIN_WHOLE, CHAIN_TO_END };

/// Whether a chain of frames of one kind, and of known length, begins at `offset`.
static bool is_chain(struct mp3_view *v, uint64_t offset, enum chain_end end)
{
    struct mp3_header first = {0}, next;
    for (int i = 0; i <= CONFIRMING_FRAMES; i++) {
        if (!mp3_look_at_header(v, offset, &next)) // a file of a frame or two
            return i > 0 && end == CHAIN_TO_END && v->end - offset < MP3_HEADER_BYTES;
        if (next.bytes == 0 || (i > 0 && !is_of_kind(&next, &first)))
            return false;
        if (next.bytes > v->end - offset)
            return i > 0 && end == CHAIN_TO_END;
        first = next;
        offset += next.bytes;
    }
    return true;
}

/// Frames of a free bit rate do not say how long they are, but all are of one length: that at which more follow.
static bool is_free_chain(struct mp3_view *v, uint64_t offset)
{
    struct mp3_header first, next;
    if (!mp3_look_at_header(v, offset, &first) || first.bytes)
        return false;
    for (uint32_t n = FREE_LEAST_BYTES; n <= FREE_MOST_BYTES && !v->error; n++) {
        if (!mp3_look_at_header(v, offset + n, &next) || next.bytes || !is_of_kind(&next, &first))
            continue;
        v->free_bytes = n - first.padding_bytes;
        if (is_chain(v, offset, CHAIN_WHOLE))
            return true;
        v->free_bytes = 0;
    }
    return false;
}

/// The same amid what is no frame, of layer III: soft PCM holds headers of layer I, such as ff ff 00 00.
static bool is_hidden_free_chain(struct mp3_view *v, uint64_t offset)
{
    struct mp3_header header;
    return mp3_look_at_header(v, offset, &header) && header.layer == 3 && is_free_chain(v, offset);
}

/// Of any kind where that will do, of a free bit rate too then.
static bool is_any_chain(struct mp3_view *v, uint64_t offset, enum chain_end end)
{
    return is_chain(v, offset, end) || (v->kind.layer == 0 && is_hidden_free_chain(v, offset));
}

/// Whether an ID3 tag is at `offset`, and behind it and other tags a chain. Among tags that were followed in vain none
/// is again: tags that lead to tags would be walked from each of them. Frames there are found without.
static bool is_tagged_chain(struct mp3_view *v, uint64_t offset, enum chain_end end)
{
    struct mp3_span *vain = &v->vain[v->kind.layer == 0];
    const unsigned char *b = mp3_look(v, offset, ID3_HEADER_BYTES);
    if (!b || memcmp(b, "ID3", 3) != 0 || (offset >= vain->from && offset < vain->end))
        return false;
    const uint64_t behind = mp3_skip_tags(v, offset);
    if (is_any_chain(v, behind, end))
        return true;
    *vain = (struct mp3_span){offset, behind};
    return false;
}

/// The next chain of frames that begins in [offset, limit), or the tag before it. @return limit where there is none.
static uint64_t find_chain(struct mp3_view *v, uint64_t offset, uint64_t limit, enum chain_end end)
{
    const unsigned char *byte;
    for (; offset < limit && (byte = mp3_look(v, offset, 1)); offset++)
        if ((*byte == 0xff && is_any_chain(v, offset, end)) ||
            (*byte == 'I' && is_tagged_chain(v, offset, end)))
            return offset;
    return limit;
}

// --- Streams -------------------------------------------------------------------------------------

/// The view forgets of what kind the frames are. @return what it knew.
static struct mp3_header forget_kind(struct mp3_view *v, uint32_t *free_bytes)
{
    const struct mp3_header kind = v->kind;
    *free_bytes = v->free_bytes;
    v->kind.layer = v->free_bytes = 0;
    return kind;
}

bool mp3_is_stream(struct mp3_view *v, uint64_t offset)
{
    uint32_t free_bytes;
    const struct mp3_header kind = forget_kind(v, &free_bytes);
    const bool is_one = is_chain(v, offset, CHAIN_TO_END) || is_free_chain(v, offset);
    v->kind = kind;
    v->free_bytes = free_bytes;
    return is_one;
}

uint64_t mp3_find_stream(struct mp3_view *v, uint64_t from, uint64_t limit)
{
    uint32_t free_bytes;
    const struct mp3_header kind = forget_kind(v, &free_bytes);
    const uint64_t at = find_chain(v, from, limit, CHAIN_WHOLE);
    v->kind = kind;
    v->free_bytes = free_bytes;
    return at < limit ? mp3_skip_tags(v, at) : limit;
}

void mp3_begin_stream(struct mp3_view *v, uint64_t at)
{
    struct mp3_header header;
    uint32_t dropped;
    (void)forget_kind(v, &dropped);
    v->vain[0] = (struct mp3_span){0}; // of another kind
    if (!is_chain(v, at, CHAIN_TO_END))
        (void)is_free_chain(v, at);
    if (mp3_look_at_header(v, at, &header))
        v->kind = header;
}

static uint64_t skip_zeros(struct mp3_view *v, uint64_t offset)
{
    const unsigned char *byte;
    while ((byte = mp3_look(v, offset, 1)) && *byte == 0)
        offset++;
    return offset;
}

bool mp3_find_first(struct mp3_view *v, uint64_t start, uint64_t *at)
{
    *at = skip_zeros(v, start);
    if (!mp3_is_stream(v, *at)) {
        const uint64_t left = v->end - *at, most = RESYNC_BYTES < left ? RESYNC_BYTES : left;
        *at = mp3_find_stream(v, *at, *at + most);
        if (!mp3_is_stream(v, *at))
            return false;
    }
    mp3_begin_stream(v, *at);
    return true;
}

/// Whether what follows a frame that ends at `offset` shows that it is one.
static bool is_confirmed(struct mp3_view *v, uint64_t offset)
{
    struct mp3_header next;
    return v->end - offset < MP3_HEADER_BYTES || mp3_look_at_header(v, offset, &next) ||
           mp3_tag_bytes(v, offset) > 0;
}

/// The frame's header is not followed by another: which of both is broken?
static void judge_unconfirmed(struct mp3_view *v, struct mp3_frame *frame)
{
    const uint64_t from = frame->at, end = from + frame->header.bytes;
    frame->at = mp3_find_stream(v, from + 1, end);
    if (frame->at != end)
        return; // this: sound ones begin within it
    frame->is_torn = find_chain(v, end, v->end, CHAIN_TO_END) < v->end;
    frame->at = from;
}

bool mp3_find_next(struct mp3_view *v, uint64_t from, struct mp3_frame *frame)
{
    from = mp3_skip_tags(v, from);
    *frame = (struct mp3_frame){.at = from};
    if (!mp3_look_at_header(v, from, &frame->header)) {
        frame->at = mp3_skip_tags(v, find_chain(v, from + 1, v->end, CHAIN_TO_END));
    } else if (frame->header.bytes > v->end - from) {
        return false;
    } else if (!is_confirmed(v, from + frame->header.bytes)) {
        judge_unconfirmed(v, frame);
    }
    frame->junk_bytes = frame->at - from;
    return frame->at < v->end && mp3_look_at_header(v, frame->at, &frame->header);
}
