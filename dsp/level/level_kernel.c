// SPDX-License-Identifier: MIT
#include "dsp/level/level_kernel.h"
#include "dsp/cpu.h"
#include "dsp/level/level_variants.h"

const struct level_impl level_impls[] = {
#ifdef __x86_64__
    {"avx512", CPU_AVX512, level_add_avx512},
    {"avx2", CPU_AVX2 | CPU_FMA, level_add_avx2},
#endif
    {"c", 0, level_add_c},
};
const size_t level_impl_count = sizeof level_impls / sizeof level_impls[0];

const struct level_impl *level_select(uint32_t cpu_flags)
{
    const struct level_impl *impl = level_impls;
    while (impl->cpu_flags & ~cpu_flags)
        ++impl;
    return impl;
}
