// SPDX-License-Identifier: MIT
#include "dsp/level/interpolate.h"
#include "dsp/cpu.h"
#include "dsp/level/interpolate_variants.h"

const struct interpolate_impl interpolate_impls[] = {
#ifdef __x86_64__
    {"avx512", CPU_AVX512, interpolate_peak_avx512, interpolate_sample_peak_avx512,
     interpolate_quiet_avx512},
    {"avx2", CPU_AVX2 | CPU_FMA, interpolate_peak_avx2, interpolate_sample_peak_avx2,
     interpolate_quiet_avx2},
#endif
    {"c", 0, interpolate_peak_c, interpolate_sample_peak_c, interpolate_quiet_c},
};
const size_t interpolate_impl_count = sizeof interpolate_impls / sizeof interpolate_impls[0];

const struct interpolate_impl *interpolate_select(uint32_t cpu_flags)
{
    const struct interpolate_impl *impl = interpolate_impls;
    while (impl->cpu_flags & ~cpu_flags)
        ++impl;
    return impl;
}
