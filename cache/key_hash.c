// SPDX-License-Identifier: MIT
#include "cache/key_hash.h"
#include <assert.h>

struct key_state key_step_rest(struct key_state state, const unsigned char *bytes, size_t left)
{
    assert(left < KEY_BLOCK_BYTES);
    uint64_t words[KEY_BLOCK_BYTES / sizeof(uint64_t)] = {0};
    memcpy(words, bytes, left);
    state = key_step(state, words[0] ^ left, words[1]); // zeros at the end count too
    return left <= 16 ? state : key_step(state, words[2], words[3]);
}
