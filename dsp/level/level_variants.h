// SPDX-License-Identifier: MIT
// The compiled variants of level_kernel.h, for its table alone.
#pragma once
#include "dsp/level/level_kernel.h"

void level_add_c(struct level_block *block, const float *left, const float *right, uint32_t frames);
/// x86-64 only, as the next.
void level_add_avx2(struct level_block *block, const float *left, const float *right,
                    uint32_t frames);
void level_add_avx512(struct level_block *block, const float *left, const float *right,
                      uint32_t frames);
