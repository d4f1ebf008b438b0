// SPDX-License-Identifier: MIT
#include "dsp/median31.h"
#include "dsp/cpu.h"
#include "dsp/median31_variants.h"
#include <assert.h>

const struct median31_impl median31_impls[] = {
#ifdef __x86_64__
    {"avx2", CPU_AVX2, median31_quad_avx2},
#endif
    {"c", 0, median31_quad_c},
};
const size_t median31_impl_count = sizeof median31_impls / sizeof median31_impls[0];

void median31_init(struct median31 *network)
{
    const uint32_t flags = cpu_flags();
    network->impl = median31_impls;
    while (network->impl->cpu_flags & ~flags)
        ++network->impl;
}

void median31_quad(const struct median31 *network, const float *const rows[MEDIAN31_ROWS],
                   float *const out[4], uint32_t lanes)
{
    assert(lanes % MEDIAN31_LANES == 0);
    network->impl->quad(rows, out, lanes);
}
