// SPDX-License-Identifier: MIT
#include "dsp/tonality/peaks.h"
#include "dsp/tonality/peaks_variants.h"

const struct peaks_impl *const peaks_impls[] = {
#ifdef __x86_64__
    &peaks_impl_avx512,
    &peaks_impl_avx2,
#endif
    &peaks_impl_c,
};
const size_t peaks_impl_count = sizeof peaks_impls / sizeof peaks_impls[0];

const struct peaks_impl *peaks_select(uint32_t cpu_flags)
{
    size_t i = 0;
    while (peaks_impls[i]->cpu_flags & ~cpu_flags)
        ++i;
    return peaks_impls[i];
}
