// SPDX-License-Identifier: MIT
#include "dsp/spectrum/yin_kernel.h"
#include "dsp/cpu.h"
#include "dsp/spectrum/yin_variants.h"

const struct yin_impl *const yin_impls[] = {
#ifdef __x86_64__
    &yin_impl_avx512,
    &yin_impl_avx2,
#endif
    &yin_impl_c,
};
const size_t yin_impl_count = sizeof yin_impls / sizeof yin_impls[0];

const struct yin_impl *yin_select(uint32_t cpu_flags)
{
    const struct yin_impl *const *impl = yin_impls;
    while ((*impl)->cpu_flags & ~cpu_flags)
        ++impl;
    return *impl;
}
