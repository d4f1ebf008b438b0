// SPDX-License-Identifier: MIT
// The compiled variants of onset_kernel.h, for its table alone.
#pragma once
#include "dsp/rhythm/onset_kernel.h"

extern const struct onset_impl onset_impl_c;
extern const struct onset_impl onset_impl_avx2, onset_impl_avx512; // x86-64 only
