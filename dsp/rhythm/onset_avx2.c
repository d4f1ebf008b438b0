// SPDX-License-Identifier: MIT
// Compiled with -mavx2 -mfma; called only where the processor has both.
#include "dsp/cpu.h"
#include "dsp/rhythm/onset_body.h"
#include "dsp/rhythm/onset_variants.h"

const struct onset_impl onset_impl_avx2 = {
    .name = "avx2", .cpu_flags = CPU_AVX2 | CPU_FMA, ONSET_FUNCTIONS};
