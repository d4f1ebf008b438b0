// SPDX-License-Identifier: MIT
// The compiled variants of peak.h's kernels, for its selection alone.
#pragma once
#include "dsp/mastering/peak.h"

extern const struct peak_impl peak_impl_c;
extern const struct peak_impl peak_impl_avx2;   // x86-64 only
extern const struct peak_impl peak_impl_avx512; // likewise
