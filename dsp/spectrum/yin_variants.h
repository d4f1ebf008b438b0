// SPDX-License-Identifier: MIT
// The compiled variants of yin_kernel.h, for its table alone.
#pragma once
#include "dsp/spectrum/yin_kernel.h"

void yin_differences_c(double *out, const float *x, uint32_t lags);
/// x86-64 only.
void yin_differences_avx2(double *out, const float *x, uint32_t lags);
