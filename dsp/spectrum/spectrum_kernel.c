// SPDX-License-Identifier: MIT
#include "dsp/spectrum/spectrum_kernel.h"
#include "dsp/spectrum/spectrum_variants.h"

const struct spectrum_impl *const spectrum_impls[] = {
#ifdef __x86_64__
    &spectrum_impl_avx512,
    &spectrum_impl_avx2,
#endif
    &spectrum_impl_c,
};
const size_t spectrum_impl_count = sizeof spectrum_impls / sizeof spectrum_impls[0];

const struct spectrum_impl *spectrum_select(uint32_t cpu_flags)
{
    size_t i = 0;
    while (spectrum_impls[i]->cpu_flags & ~cpu_flags)
        ++i;
    return spectrum_impls[i];
}
