// SPDX-License-Identifier: MIT
// The compiled variants of stereo.h's loops, for its selection alone.
#pragma once
#include "dsp/mastering/stereo.h"

extern const struct stereo_impl stereo_impl_c;
extern const struct stereo_impl stereo_impl_avx2;   // x86-64 only
extern const struct stereo_impl stereo_impl_avx512; // x86-64 only
