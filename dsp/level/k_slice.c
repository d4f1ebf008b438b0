// SPDX-License-Identifier: MIT
#include "dsp/level/k_slice.h"
#include "dsp/cpu.h"
#include "dsp/level/k_slice_variants.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER = K_SLICE_ORDER };
static_assert(sizeof(struct k_state) == ORDER * sizeof(double),
              "the filter's memory is moved as a vector");

// One step of the filter, as k_weighting_energy() takes it.
static void step(const struct k_coefficients *k, double memory[ORDER], double x)
{
    const double y = k->shelf_b[0] * x + memory[0];
    memory[0] = k->shelf_b[1] * x - k->shelf_a[1] * y + memory[1];
    memory[1] = k->shelf_b[2] * x - k->shelf_a[2] * y;
    const double z = y + memory[2];
    memory[2] = -2.0 * y - k->high_pass_a[1] * z + memory[3];
    memory[3] = y - k->high_pass_a[2] * z;
}

// The factor of the sample before is negative at every rate: both of the shelf's gains are over 1.
static void fill_factors(struct k_slice_factors *f, const struct k_coefficients *k)
{
    const double scale = k->shelf_b[1] - k->shelf_a[1] * k->shelf_b[0];
    assert(scale < 0);
    *f = (struct k_slice_factors){
        .shelf_0 = k->shelf_b[0] / scale,
        .shelf_2 = k->shelf_b[2] / scale,
        .shelf_a1 = k->shelf_a[1],
        .shelf_a2 = k->shelf_a[2],
        .pass_1 = -2.0 - k->high_pass_a[1],
        .pass_a1 = k->high_pass_a[1],
        .pass_a2 = k->high_pass_a[2],
        .scale = scale,
        .unscale = 1.0 / scale,
    };
}

static void fill_weights(struct k_slice_plan *plan)
{
    double memory[ORDER] = {0};
    for (uint32_t t = plan->segment_frames; t-- > 0;) {
        step(&plan->coefficients, memory, t + 1 == plan->segment_frames ? 1.0 : 0.0);
        for (uint32_t k = 0; k < ORDER; ++k)
            plan->weights[k * plan->stride + 2 * (size_t)t] =
                plan->weights[k * plan->stride + 2 * (size_t)t + 1] = memory[k];
    }
}

static void fill_advance(struct k_slice_plan *plan)
{
    for (uint32_t from = 0; from < ORDER; ++from) {
        double memory[ORDER] = {0};
        memory[from] = 1.0;
        for (uint32_t t = 0; t < plan->segment_frames; ++t)
            step(&plan->coefficients, memory, 0.0);
        for (uint32_t to = 0; to < ORDER; ++to)
            plan->advance[to][from] = memory[to];
    }
}

int k_slice_plan_init(struct k_slice_plan *plan, const struct k_slice_impl *impl, uint32_t rate_hz,
                      uint32_t least_frames)
{
    assert(impl->segments <= K_SLICE_SEGMENTS_MAX && least_frames >= impl->segments);
    memset(plan, 0, sizeof *plan);
    k_weighting_design(&plan->coefficients, rate_hz);
    fill_factors(&plan->factors, &plan->coefficients);
    plan->segments = impl->segments;
    plan->segment_frames = least_frames / impl->segments;
    plan->stride = 2 * (size_t)plan->segment_frames;
    plan->weights = calloc(ORDER * plan->stride, sizeof *plan->weights);
    if (!plan->weights)
        return -ENOMEM;
    fill_weights(plan);
    fill_advance(plan);
    return 0;
}

void k_slice_plan_deinit(struct k_slice_plan *plan)
{
    free(plan->weights);
    plan->weights = NULL;
}

const struct k_slice_impl k_slice_impls[] = {
#ifdef __x86_64__
    {"avx512", CPU_AVX512, 4, k_slice_energies_avx512},
    {"avx2", CPU_AVX2 | CPU_FMA, 2, k_slice_energies_avx2},
#endif
    {"c", 0, 1, k_slice_energies_c},
};
const size_t k_slice_impl_count = sizeof k_slice_impls / sizeof k_slice_impls[0];

const struct k_slice_impl *k_slice_select(uint32_t cpu_flags)
{
    const struct k_slice_impl *impl = k_slice_impls;
    while (impl->cpu_flags & ~cpu_flags)
        ++impl;
    return impl;
}
