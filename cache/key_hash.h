// SPDX-License-Identifier: MIT
// 64-bit hash of an opaque key. Not for untrusted keys: it has no secret.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 key_hash_wide;

static inline uint64_t key_hash_word(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/// Both halves of a 128-bit product: every bit of either factor reaches every bit of the result.
static inline uint64_t key_hash_mix(uint64_t a, uint64_t b)
{
    const key_hash_wide product = (key_hash_wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/// All bits are usable: the cache takes its shard from the top and its bucket from the bottom.
static inline uint64_t key_hash(const void *key, size_t size)
{
    // Digits of pi and of the golden ratio: odd, and with no structure of their own.
    const uint64_t pi = 0x243f6a8885a308d3, phi = 0x9e3779b97f4a7c15;
    const unsigned char *bytes = key;
    uint64_t hash = phi ^ size;
    size_t left = size;
    for (; left >= 16; left -= 16, bytes += 16)
        hash = key_hash_mix(key_hash_word(bytes) ^ pi, key_hash_word(bytes + 8) ^ hash);
    if (left) {
        unsigned char tail[16] = {0};
        memcpy(tail, bytes, left);
        hash = key_hash_mix(key_hash_word(tail) ^ pi, key_hash_word(tail + 8) ^ hash);
    }
    return key_hash_mix(hash ^ pi, phi);
}
