// SPDX-License-Identifier: MIT
#include "dsp/spectrum/median31.h"
#include "dsp/cpu.h"
#include "dsp/spectrum/median31_variants.h"

const struct median31_impl median31_impls[] = {
#ifdef __x86_64__
    {"avx512", CPU_AVX512, median31_deal_avx512, median31_sort_avx512, median31_octet_avx512},
    {"avx2", CPU_AVX2, median31_deal_avx2, median31_sort_avx2, median31_octet_avx2},
#endif
    {"c", 0, median31_deal_c, median31_sort_c, median31_octet_c},
};
const size_t median31_impl_count = sizeof median31_impls / sizeof median31_impls[0];

const struct median31_impl *median31_select(uint32_t cpu_flags)
{
    const struct median31_impl *impl = median31_impls;
    while (impl->cpu_flags & ~cpu_flags)
        ++impl;
    return impl;
}
