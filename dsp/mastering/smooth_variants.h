// SPDX-License-Identifier: MIT
// The compiled variants of smooth.h's loops, for its selection alone.
#pragma once
#include "dsp/mastering/smooth.h"

extern const struct smooth_impl smooth_impl_c;
extern const struct smooth_impl smooth_impl_avx2;   // x86-64 only
extern const struct smooth_impl smooth_impl_avx512; // likewise
