// SPDX-License-Identifier: MIT
// Compiled with AVX-512; called only where the processor has it.
#include "dsp/level/level_body.h"
#include "dsp/level/level_variants.h"

void level_add_avx512(struct level_block *block, const float *left, const float *right,
                      uint32_t frames)
{
    level_add(block, left, right, frames);
}
