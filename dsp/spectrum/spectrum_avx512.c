// SPDX-License-Identifier: MIT
// Compiled with AVX-512; called only where the processor has it.
#include "dsp/cpu.h"
#include "dsp/spectrum/spectrum_body.h"
#include "dsp/spectrum/spectrum_variants.h"

const struct spectrum_impl spectrum_impl_avx512 = {
    .name = "avx512", .cpu_flags = CPU_AVX512, SPECTRUM_FUNCTIONS};
