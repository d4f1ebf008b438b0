// SPDX-License-Identifier: MIT
// Compiled with AVX-512; called only where the processor has it.
#include "dsp/level/interpolate_body.h"
#include "dsp/level/interpolate_variants.h"

float interpolate_peak_avx512(const struct interpolate_bank *bank,
                              const float line[INTERPOLATE_LINE])
{
    return interpolate_peak(bank, line);
}

float interpolate_sample_peak_avx512(const float *samples, uint32_t count)
{
    return interpolate_sample_peak(samples, count);
}

uint32_t interpolate_quiet_avx512(const float *samples, uint32_t blocks, float limit)
{
    return interpolate_quiet(samples, blocks, limit);
}
