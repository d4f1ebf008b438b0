// SPDX-License-Identifier: MIT
// The compiled variants of interpolate.h, for its table alone.
#pragma once
#include "dsp/level/interpolate.h"

float interpolate_peak_c(const struct interpolate_bank *bank, const float line[INTERPOLATE_LINE]);
float interpolate_sample_peak_c(const float *samples, uint32_t count);
uint32_t interpolate_quiet_c(const float *samples, uint32_t blocks, float limit);
/// x86-64 only, as the next.
float interpolate_peak_avx2(const struct interpolate_bank *bank,
                            const float line[INTERPOLATE_LINE]);
float interpolate_sample_peak_avx2(const float *samples, uint32_t count);
uint32_t interpolate_quiet_avx2(const float *samples, uint32_t blocks, float limit);
float interpolate_peak_avx512(const struct interpolate_bank *bank,
                              const float line[INTERPOLATE_LINE]);
float interpolate_sample_peak_avx512(const float *samples, uint32_t count);
uint32_t interpolate_quiet_avx512(const float *samples, uint32_t blocks, float limit);
