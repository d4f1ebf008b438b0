// SPDX-License-Identifier: MIT
// Compiled with -mavx512f; called only where the processor has it.
#include "dsp/cpu.h"
#include "dsp/mastering/peak_kernel.h"
#include "dsp/mastering/peak_variants.h"

const struct peak_impl peak_impl_avx512 = {"avx512", CPU_AVX512, peak_raise};
