// SPDX-License-Identifier: MIT
#include "sealed.h"
#include "io/store/track_checksum.h"
#include "support/rng.h"
#include <stdio.h>
#include <string.h>

static const char head[] = "\"checksum\": \"", tail[] = "\"}\n";
enum {
    HEAD_BYTES = sizeof(head) - 1,
    SEAL_BYTES = HEAD_BYTES + TRACK_CHECKSUM_HEX_BYTES - 1 + sizeof(tail) - 1,
    BROKEN_ONE_IN = 16,
};

// What a reader of JSON may stumble over in the place of a value.
static const char *const values[] = {
    "null",        "true",  "-1",       "0",           "4294967296", "9223372036854775807",
    "1.5",         "-0.0",  "1e308",    "-1e999",      "1e-320",     "18446744073709551615",
    "\"\"",        "\"x\"", "\"a/b\"",  "\"\\u0000\"", "[]",         "[1,2,3]",
    "\"\\ud800\"", "{}",    "[[[[]]]]", "{\"a\":1}",   "\"\xff\"",   "",
};
enum { VALUES = sizeof(values) / sizeof(values[0]) };

// @return the end of the string, or of the word or number, that begins here.
static size_t value_end(const uint8_t *text, size_t bytes, size_t at)
{
    if (text[at] == '"') {
        do
            ++at;
        while (at < bytes && (text[at] != '"' || text[at - 1] == '\\'));
        return at < bytes ? at + 1 : bytes;
    }
    while (at < bytes && !strchr(",:]}", text[at]))
        ++at;
    return at;
}

// Put another value in the place of one. @return the new length.
static size_t swap_value(uint8_t *text, size_t bytes, size_t most, uint64_t seed)
{
    size_t at = bytes ? rng_next(&seed) % bytes : 0;
    while (at < bytes && !strchr(":[,", text[at]))
        ++at;
    at += at < bytes;
    at += at < bytes && text[at] == ' ';
    const size_t end = at < bytes ? value_end(text, bytes, at) : at;
    const char *value = values[rng_next(&seed) % VALUES];
    const size_t length = strlen(value);
    if (at >= bytes || bytes - (end - at) + length > most)
        return bytes;
    memmove(text + at + length, text + end, bytes - end);
    memcpy(text + at, value, length);
    return bytes - (end - at) + length;
}

size_t sealed_mutate(uint8_t *line, size_t bytes, size_t most, unsigned seed)
{
    const int is_sealed =
        bytes >= SEAL_BYTES && memcmp(line + bytes - SEAL_BYTES, head, HEAD_BYTES) == 0;
    size_t body = is_sealed ? bytes - SEAL_BYTES : bytes;
    if (body + SEAL_BYTES > most || seed % BROKEN_ONE_IN == 0)
        return LLVMFuzzerMutate(line, bytes, most);
    body = seed % 2 ? swap_value(line, body, most - SEAL_BYTES, seed)
                    : LLVMFuzzerMutate(line, body, most - SEAL_BYTES);
    char seal[SEAL_BYTES + 1], hex[TRACK_CHECKSUM_HEX_BYTES];
    const struct track_checksum checksum = track_checksum_of_bytes(line, body);
    track_checksum_print(hex, &checksum);
    snprintf(seal, sizeof(seal), "%s%s%s", head, hex, tail);
    memcpy(line + body, seal, SEAL_BYTES);
    return body + SEAL_BYTES;
}
