// SPDX-License-Identifier: MIT
// The compiled variants of yin_kernel.h, for its table alone.
#pragma once
#include "dsp/spectrum/yin_kernel.h"

extern const struct yin_impl yin_impl_c;
// x86-64 only
extern const struct yin_impl yin_impl_avx2;
extern const struct yin_impl yin_impl_avx512;
