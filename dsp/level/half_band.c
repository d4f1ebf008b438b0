// SPDX-License-Identifier: MIT
#include "dsp/level/half_band.h"
#include "dsp/cpu.h"
#include "dsp/level/half_band_variants.h"

const struct half_band_impl half_band_impls[] = {
#ifdef __x86_64__
    {"avx512", CPU_AVX512, half_band_filter_avx512},
    {"avx2", CPU_AVX2 | CPU_FMA, half_band_filter_avx2},
#endif
    {"c", 0, half_band_filter_c},
};
const size_t half_band_impl_count = sizeof half_band_impls / sizeof half_band_impls[0];

const struct half_band_impl *half_band_select(uint32_t cpu_flags)
{
    const struct half_band_impl *impl = half_band_impls;
    while (impl->cpu_flags & ~cpu_flags)
        ++impl;
    return impl;
}
