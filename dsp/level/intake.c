// SPDX-License-Identifier: MIT
#include "dsp/level/intake.h"
#include "dsp/cpu.h"
#include "dsp/level/intake_variants.h"

const struct intake_impl intake_impls[] = {
#ifdef __x86_64__
    {"avx512", CPU_AVX512, intake_clean_avx512, intake_split_avx512},
    {"avx2", CPU_AVX2, intake_clean_avx2, intake_split_avx2},
#endif
    {"c", 0, intake_clean_c, intake_split_c},
};
const size_t intake_impl_count = sizeof intake_impls / sizeof intake_impls[0];

const struct intake_impl *intake_select(uint32_t cpu_flags)
{
    const struct intake_impl *impl = intake_impls;
    while (impl->cpu_flags & ~cpu_flags)
        ++impl;
    return impl;
}
