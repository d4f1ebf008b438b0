// SPDX-License-Identifier: MIT
// The compiled variants of peaks.h, for its table alone.
#pragma once
#include "dsp/tonality/peaks.h"

extern const struct peaks_impl peaks_impl_c;
extern const struct peaks_impl peaks_impl_avx2, peaks_impl_avx512; // x86-64 only
