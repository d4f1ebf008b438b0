// SPDX-License-Identifier: MIT
#include "dsp/mastering/width.h"
#include "dsp/cpu.h"
#include "dsp/mastering/width_variants.h"
#include <math.h>

static const double CROSSOVER_HZ = 150.0;

double width_coefficient(double rate_hz)
{
    return 1.0 - exp(-2.0 * M_PI * CROSSOVER_HZ / rate_hz);
}

const struct width_impl width_impls[] = {
#ifdef __x86_64__
    {"avx2", CPU_AVX2 | CPU_FMA, width_process_avx2, width_glide_avx2},
#endif
    {"c", 0, width_process_c, width_glide_c},
};
const size_t width_impl_count = sizeof width_impls / sizeof width_impls[0];

const struct width_impl *width_select(uint32_t cpu_flags)
{
    const struct width_impl *impl = width_impls;
    while (impl->cpu_flags & ~cpu_flags)
        ++impl;
    return impl;
}
