// SPDX-License-Identifier: MIT
// Compiled with AVX-512 and FMA; called only where the processor has them.
#include "dsp/cpu.h"
#include "dsp/spectrum/yin_tiles.h"
#include "dsp/spectrum/yin_variants.h"

const struct yin_impl yin_impl_avx512 = {.name = "avx512",
                                         .cpu_flags = CPU_AVX512 | CPU_FMA,
                                         .differences = differences,
                                         .expand = yin_expand,
                                         .sum_squares = yin_sum_squares,
                                         .accumulate = yin_accumulate,
                                         .first_under = yin_first_under};
