// SPDX-License-Identifier: MIT
// Compiled with -mavx2 -mfma; called only where the processor has both.
#include "dsp/cpu.h"
#include "dsp/spectrum/yin_tiles.h"
#include "dsp/spectrum/yin_variants.h"

const struct yin_impl yin_impl_avx2 = {.name = "avx2",
                                       .cpu_flags = CPU_AVX2 | CPU_FMA,
                                       .differences = differences,
                                       .expand = yin_expand,
                                       .sum_squares = yin_sum_squares,
                                       .accumulate = yin_accumulate,
                                       .first_under = yin_first_under};
