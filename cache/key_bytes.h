// SPDX-License-Identifier: MIT
// Hash and comparison of opaque keys. Not for untrusted ones: the hash has no secret.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 key_product;

static inline uint64_t key_word(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/// The last bytes of a key, fewer than 8 of them, as a word.
static inline uint64_t key_last_word(const unsigned char *bytes, size_t left)
{
    uint64_t word = 0;
    memcpy(&word, bytes, left);
    return word;
}

/// Both halves of a 128-bit product: every bit of either factor reaches every bit of the result.
static inline uint64_t key_mix(uint64_t a, uint64_t b)
{
    const key_product product = (key_product)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/// All bits are usable: the cache takes its shard from the top and its slot from the bottom.
static inline uint64_t key_hash(const void *key, size_t size)
{
    // Digits of pi, e and the golden ratio: odd, and with no structure of their own.
    const uint64_t pi = 0x243f6a8885a308d3, e = 0xb7e151628aed2a6b, phi = 0x9e3779b97f4a7c15;
    const unsigned char *bytes = key;
    uint64_t first = phi ^ size, second = e; // two chains, since each multiplication takes its time
    size_t left = size;
    for (; left >= 32; left -= 32, bytes += 32) {
        first = key_mix(key_word(bytes) ^ pi, key_word(bytes + 8) ^ first);
        second = key_mix(key_word(bytes + 16) ^ pi, key_word(bytes + 24) ^ second);
    }
    for (; left >= 8; left -= 8, bytes += 8)
        first = key_mix(first ^ key_word(bytes), pi);
    if (left)
        second = key_mix(second ^ key_last_word(bytes, left), pi);
    return key_mix(first ^ pi, second ^ phi);
}

/// @return 1 if the `size` bytes of `a` and `b` are the same, else 0.
static inline int key_is_equal(const void *a, const void *b, size_t size)
{
    const unsigned char *mine = a, *other = b;
    size_t left = size;
    for (; left >= 32; left -= 32, mine += 32, other += 32)
        if ((key_word(mine) ^ key_word(other)) | (key_word(mine + 8) ^ key_word(other + 8)) |
            (key_word(mine + 16) ^ key_word(other + 16)) |
            (key_word(mine + 24) ^ key_word(other + 24)))
            return 0;
    for (; left >= 8; left -= 8, mine += 8, other += 8)
        if (key_word(mine) != key_word(other))
            return 0;
    return left == 0 || memcmp(mine, other, left) == 0;
}
