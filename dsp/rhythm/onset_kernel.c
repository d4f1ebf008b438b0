// SPDX-License-Identifier: MIT
#include "dsp/rhythm/onset_kernel.h"
#include "dsp/rhythm/onset_variants.h"

const struct onset_impl *const onset_impls[] = {
#ifdef __x86_64__
    &onset_impl_avx512,
    &onset_impl_avx2,
#endif
    &onset_impl_c,
};
const size_t onset_impl_count = sizeof onset_impls / sizeof onset_impls[0];

const struct onset_impl *onset_select(uint32_t cpu_flags)
{
    size_t i = 0;
    while (onset_impls[i]->cpu_flags & ~cpu_flags)
        ++i;
    return onset_impls[i];
}
