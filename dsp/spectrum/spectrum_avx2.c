// SPDX-License-Identifier: MIT
// Compiled with -mavx2 -mfma; called only where the processor has both.
#include "dsp/cpu.h"
#include "dsp/spectrum/spectrum_body.h"
#include "dsp/spectrum/spectrum_variants.h"

const struct spectrum_impl spectrum_impl_avx2 = {
    .name = "avx2", .cpu_flags = CPU_AVX2 | CPU_FMA, SPECTRUM_FUNCTIONS};
