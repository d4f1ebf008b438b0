// SPDX-License-Identifier: MIT
// The compiled variants of spectrum_kernel.h, for its table alone.
#pragma once
#include "dsp/spectrum/spectrum_kernel.h"

extern const struct spectrum_impl spectrum_impl_c;
extern const struct spectrum_impl spectrum_impl_avx2, spectrum_impl_avx512; // x86-64 only
