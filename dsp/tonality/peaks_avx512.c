// SPDX-License-Identifier: MIT
// Compiled with AVX-512; called only where the processor has it.
#include "dsp/cpu.h"
#include "dsp/tonality/peaks_body.h"
#include "dsp/tonality/peaks_variants.h"

const struct peaks_impl peaks_impl_avx512 = {
    .name = "avx512", .cpu_flags = CPU_AVX512, PEAKS_FUNCTIONS};
