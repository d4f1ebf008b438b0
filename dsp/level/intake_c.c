// SPDX-License-Identifier: MIT
#include "dsp/level/intake_body.h"
#include "dsp/level/intake_variants.h"

struct intake intake_clean_c(float *out, const float *in, size_t samples)
{
    return intake_clean(out, in, samples);
}

void intake_split_c(float *left, float *right, float *mono, const float *stereo, size_t frames)
{
    intake_split(left, right, mono, stereo, frames);
}
