// SPDX-License-Identifier: MIT
// The Xing tag as the LAME tag specification describes it, and VBRI as Fraunhofer's SDK does.
#include "io/sound/mp3_info.h"
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
    VBRI_AT = MP3_HEADER_BYTES + 32, // whatever the side information's length
    VBRI_BYTES = 18,                 // up to the count of frames
    VBRI_SIZE_AT = 10,
    VBRI_FRAMES_AT = 14,
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

/// Delay and padding, if the encoder's name is there.
static void read_lame(struct mp3_info *info, const unsigned char *b, const unsigned char *end)
{
    if (end - b < LAME_BYTES || b[0] == 0)
        return;
    b += LAME_DELAYS_AT;
    info->delay = (uint32_t)b[0] << 4 | b[1] >> 4;
    info->padding = (b[1] & 15U) << 8 | b[2];
}

static bool read_xing(struct mp3_view *v, uint64_t at, const struct mp3_header *header,
                      struct mp3_info *info)
{
    const uint64_t place = find_xing(v, at, header);
    const unsigned char *frame = place ? mp3_look(v, at, header->bytes) : NULL;
    if (!frame)
        return false;
    const unsigned char *b = frame + (place - at), *const end = frame + header->bytes;
    const uint32_t flags = get32(b + 4);
    b += XING_BYTES;
    info->frames = take(&b, end, flags & XING_FRAMES);
    info->bytes = take(&b, end, flags & XING_SIZE);
    info->is_exact = info->frames > 0;
    const int toc = flags & XING_TOC ? TOC_BYTES : 0, quality = flags & XING_QUALITY ? 4 : 0;
    if (end - b > toc + quality)
        read_lame(info, b + toc + quality, end);
    return true;
}

static bool read_vbri(struct mp3_view *v, uint64_t at, const struct mp3_header *header,
                      struct mp3_info *info)
{
    const bool has_room = header->layer == 3 && header->bytes >= VBRI_AT + VBRI_BYTES;
    const unsigned char *b = has_room ? mp3_look(v, at + VBRI_AT, VBRI_BYTES) : NULL;
    if (!b || memcmp(b, "VBRI", 4) != 0)
        return false;
    info->bytes = get32(b + VBRI_SIZE_AT);
    info->frames = get32(b + VBRI_FRAMES_AT);
    return true;
}

bool mp3_read_info(struct mp3_view *v, uint64_t at, const struct mp3_header *header,
                   struct mp3_info *info)
{
    *info = (struct mp3_info){.frames = 0};
    return read_xing(v, at, header, info) || read_vbri(v, at, header, info);
}
