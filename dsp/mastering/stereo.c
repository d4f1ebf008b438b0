// SPDX-License-Identifier: MIT
#include "dsp/mastering/stereo.h"
#include "dsp/cpu.h"
#include "dsp/mastering/stereo_variants.h"

const struct stereo_impl *const stereo_impls[] = {
#ifdef __x86_64__
    &stereo_impl_avx512,
    &stereo_impl_avx2,
#endif
    &stereo_impl_c,
};
const size_t stereo_impl_count = sizeof stereo_impls / sizeof stereo_impls[0];

const struct stereo_impl *stereo_select(uint32_t cpu_flags)
{
    const struct stereo_impl *const *impl = stereo_impls;
    while ((*impl)->cpu_flags & ~cpu_flags)
        ++impl;
    return *impl;
}
