// SPDX-License-Identifier: MIT
// Compiled with -mavx2 -mfma; called only where the processor has both.
#include "dsp/level/half_band_body.h"
#include "dsp/level/half_band_variants.h"

void half_band_filter_avx2(float *out, const float *line, const float taps[HALF_BAND_PAIRS],
                           float *even, uint32_t outputs)
{
    half_band_filter(out, line, taps, even, outputs);
}
