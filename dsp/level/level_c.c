// SPDX-License-Identifier: MIT
#include "dsp/level/level_body.h"
#include "dsp/level/level_variants.h"

void level_add_c(struct level_block *block, const float *left, const float *right, uint32_t frames)
{
    level_add(block, left, right, frames);
}
