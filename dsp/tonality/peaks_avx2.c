// SPDX-License-Identifier: MIT
// Compiled with -mavx2 -mfma; called only where the processor has both.
#include "dsp/cpu.h"
#include "dsp/tonality/peaks_body.h"
#include "dsp/tonality/peaks_variants.h"

const struct peaks_impl peaks_impl_avx2 = {
    .name = "avx2", .cpu_flags = CPU_AVX2 | CPU_FMA, PEAKS_FUNCTIONS};
