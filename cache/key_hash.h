// SPDX-License-Identifier: MIT
// 64-bit hash of an opaque key. Not for untrusted keys: it has no secret.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 key_product;

enum { KEY_BLOCK_BYTES = 32 }; // what a step takes; the rest of a key is left to a function

/// 128 bits that a hash goes through. A step multiplies its halves, so that every bit of either
/// reaches half of the product at least, and keeps all of the product.
struct key_state {
    uint64_t low, high;
};

static inline uint64_t key_word(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static inline struct key_state key_step(struct key_state state, uint64_t low, uint64_t high)
{
    const key_product product = (key_product)(state.low ^ low) * (state.high ^ high);
    return (struct key_state){(uint64_t)product, (uint64_t)(product >> 64)};
}

/// Add the last `left` bytes, less than a block, to a hash.
struct key_state key_step_rest(struct key_state state, const unsigned char *bytes, size_t left);

/// All bits are usable: the cache takes its shard from the upper half and its slot from the lower.
static inline uint64_t key_hash(const void *key, size_t size)
{
    // Digits of pi and e: with no structure of their own.
    const uint64_t pi = 0x243f6a8885a308d3, e = 0xb7e151628aed2a6b;
    const unsigned char *at = key, *const rest = at + size / KEY_BLOCK_BYTES * KEY_BLOCK_BYTES;
    struct key_state state = {pi, e};
    for (; at != rest; at += KEY_BLOCK_BYTES) {
        state = key_step(state, key_word(at), key_word(at + 8));
        state = key_step(state, key_word(at + 16), key_word(at + 24));
    }
    if (size % KEY_BLOCK_BYTES)
        state = key_step_rest(state, rest, size % KEY_BLOCK_BYTES);
    state = key_step(state, e, 0); // without it counters in the last words fill homes in patterns
    return state.low ^ state.high;
}
