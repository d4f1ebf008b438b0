// SPDX-License-Identifier: MIT
// Compiled with -mavx2 -mfma; called only where the processor has both.
#include "dsp/level/level_body.h"
#include "dsp/level/level_variants.h"

void level_add_avx2(struct level_block *block, const float *left, const float *right,
                    uint32_t frames)
{
    level_add(block, left, right, frames);
}
