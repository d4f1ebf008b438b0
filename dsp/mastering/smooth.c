// SPDX-License-Identifier: MIT
#include "dsp/mastering/smooth.h"
#include "dsp/cpu.h"
#include "dsp/mastering/smooth_variants.h"

const struct smooth_impl *const smooth_impls[] = {
#ifdef __x86_64__
    &smooth_impl_avx512,
    &smooth_impl_avx2,
#endif
    &smooth_impl_c,
};
const size_t smooth_impl_count = sizeof smooth_impls / sizeof smooth_impls[0];

const struct smooth_impl *smooth_select(uint32_t cpu_flags)
{
    const struct smooth_impl *const *impl = smooth_impls;
    while ((*impl)->cpu_flags & ~cpu_flags)
        ++impl;
    return *impl;
}
