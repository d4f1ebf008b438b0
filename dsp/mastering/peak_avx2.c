// SPDX-License-Identifier: MIT
// Compiled with -mavx2 -mfma; called only where the processor has it.
#include "dsp/cpu.h"
#include "dsp/mastering/peak_kernel.h"
#include "dsp/mastering/peak_variants.h"

const struct peak_impl peak_impl_avx2 = {"avx2", CPU_AVX2 | CPU_FMA, peak_raise};
