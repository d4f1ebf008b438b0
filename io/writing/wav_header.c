// SPDX-License-Identifier: MIT
#include "io/writing/wav_header.h"
#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
    WAV_CHANNELS = 2,
    WAV_FORMAT_FLOAT = 3,
    WAV_JUNK_BYTES = 28, // of a ds64 chunk without a table
    WAV_FMT_BYTES = 18,  // with the empty extension that formats other than PCM must have
    WAV_FACT_BYTES = 4,
};

struct cursor {
    uint8_t *at;
};

static void put_tag(struct cursor *c, const char tag[4])
{
    memcpy(c->at, tag, 4);
    c->at += 4;
}

/// Little-endian, whatever the machine is.
static void put_number(struct cursor *c, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *c->at++ = (uint8_t)(value >> 8 * i);
}

/// What a 32-bit field of an RF64 file says: look into ds64.
static uint64_t size_or_marker(uint64_t size, bool is_long)
{
    return is_long ? UINT32_MAX : size;
}

void wav_header_write(uint8_t out[WAV_HEADER_BYTES], uint32_t rate_hz, uint64_t frames)
{
    const uint64_t data_bytes = frames * WAV_FRAME_BYTES;
    const uint64_t riff_bytes = WAV_HEADER_BYTES - 8 + data_bytes;
    const bool is_long = riff_bytes > UINT32_MAX;
    struct cursor c = {out};

    put_tag(&c, is_long ? "RF64" : "RIFF");
    put_number(&c, size_or_marker(riff_bytes, is_long), 4);
    put_tag(&c, "WAVE");

    put_tag(&c, is_long ? "ds64" : "JUNK");
    put_number(&c, WAV_JUNK_BYTES, 4);
    put_number(&c, is_long ? riff_bytes : 0, 8);
    put_number(&c, is_long ? data_bytes : 0, 8);
    put_number(&c, is_long ? frames : 0, 8);
    put_number(&c, 0, 4); // no table

    put_tag(&c, "fmt ");
    put_number(&c, WAV_FMT_BYTES, 4);
    put_number(&c, WAV_FORMAT_FLOAT, 2);
    put_number(&c, WAV_CHANNELS, 2);
    put_number(&c, rate_hz, 4);
    put_number(&c, (uint64_t)rate_hz * WAV_FRAME_BYTES, 4);
    put_number(&c, WAV_FRAME_BYTES, 2);
    put_number(&c, 8 * sizeof(float), 2);
    put_number(&c, 0, 2);

    put_tag(&c, "fact");
    put_number(&c, WAV_FACT_BYTES, 4);
    put_number(&c, size_or_marker(frames, is_long), 4);

    put_tag(&c, "data");
    put_number(&c, size_or_marker(data_bytes, is_long), 4);
    assert(c.at == out + WAV_HEADER_BYTES);
}
