// SPDX-License-Identifier: MIT
#include "io/container.h"
#include <stdbool.h>
#include <string.h>

enum { MAX_CHUNKS = 1000, HEADER_BYTES = 16 };

static uint64_t number(const unsigned char *b, unsigned n, bool is_big)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < n; i++)
        value = value << 8 | b[is_big ? i : n - 1 - i];
    return value;
}

/// Sizes that writers to a pipe leave behind: 0, all ones, and just under 2 or 4 GiB.
static bool is_open_size(uint64_t bytes)
{
    return bytes == 0 || bytes >= 0xffffff00u || (bytes >= 0x7ffff000u && bytes <= 0x7fffffffu);
}

static int walk_chunks(struct source *source, uint64_t size_bytes, bool is_big,
                       uint64_t *stated_bytes, uint64_t *data_offset)
{
    uint64_t offset = 12;
    unsigned char b[HEADER_BYTES];
    for (int i = 0; i < MAX_CHUNKS && offset + 8 <= size_bytes; i++) {
        int64_t n = source_read(source, b, offset, 8);
        if (n < 8)
            return n < 0 ? (int)n : 0;
        uint64_t bytes = number(b + 4, 4, is_big);
        if (memcmp(b, is_big ? "SSND" : "data", 4) == 0) {
            *data_offset = offset + 8;
            if (!is_open_size(bytes))
                *stated_bytes = offset + 8 + bytes;
            return 0;
        }
        offset += 8 + bytes + (bytes & 1);
    }
    return 0;
}

int container_stated_bytes(struct source *source, uint64_t size_bytes, uint64_t *stated_bytes,
                           uint64_t *data_offset)
{
    unsigned char b[HEADER_BYTES] = {0};
    *stated_bytes = *data_offset = 0;
    int64_t n = source_read(source, b, 0, sizeof b);
    if (n < (int64_t)sizeof b)
        return n < 0 ? (int)n : 0;
    if (memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WAVE", 4) == 0)
        return walk_chunks(source, size_bytes, false, stated_bytes, data_offset);
    if (memcmp(b, "FORM", 4) == 0 && memcmp(b + 8, "AIF", 3) == 0)
        return walk_chunks(source, size_bytes, true, stated_bytes, data_offset);
    if (memcmp(b, ".snd", 4) == 0 && !is_open_size(number(b + 8, 4, true))) {
        *data_offset = number(b + 4, 4, true);
        *stated_bytes = *data_offset + number(b + 8, 4, true);
    }
    return 0;
}
