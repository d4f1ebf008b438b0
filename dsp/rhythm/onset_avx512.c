// SPDX-License-Identifier: MIT
// Compiled with AVX-512; called only where the processor has it.
#include "dsp/cpu.h"
#include "dsp/rhythm/onset_body.h"
#include "dsp/rhythm/onset_variants.h"

const struct onset_impl onset_impl_avx512 = {
    .name = "avx512", .cpu_flags = CPU_AVX512, ONSET_FUNCTIONS};
