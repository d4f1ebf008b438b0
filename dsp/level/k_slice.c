// SPDX-License-Identifier: MIT
#include "dsp/level/k_slice.h"
#include "dsp/cpu.h"
#include "dsp/level/k_slice_variants.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER = K_SLICE_ORDER };
// -400 dB, far below any figure: what is less would end in denormal numbers, which cost a hundred times as much.
static const float LEAST_MEMORY = 1e-20F;

static void fill_factors(struct k_slice_factors *f, const struct k_coefficients *k)
{
    *f = (struct k_slice_factors){
        .shelf_keep = (float)(-1.0 - k->shelf_a[1]),
        .shelf_pull = (float)(1.0 + k->shelf_a[1] + k->shelf_a[2]),
        .shelf_now = (float)(k->shelf_b[0] - 1.0),
        .shelf_before = (float)(k->shelf_b[0] + k->shelf_b[1] - 1.0 - k->shelf_a[1]),
        .pass_keep = (float)(-1.0 - k->high_pass_a[1]),
        .pass_pull = (float)(1.0 + k->high_pass_a[1] + k->high_pass_a[2]),
    };
}

float k_slice_step(const struct k_slice_factors *f, float memory[ORDER], float difference)
{
    const float shelf = f->shelf_keep * memory[0] + (difference - f->shelf_pull * memory[1]);
    const float shelved = (difference + f->shelf_now * shelf) + f->shelf_before * memory[0];
    const float pass = f->pass_keep * memory[2] + (shelved - f->pass_pull * memory[3]);
    memory[1] += memory[0];
    memory[3] += memory[2];
    memory[0] = shelf;
    memory[2] = pass;
    return pass;
}

void k_slice_settle(struct k_slice_state *state)
{
    for (uint32_t k = 0; k < ORDER; ++k)
        if (fabsf(state->memory[k]) < LEAST_MEMORY)
            state->memory[k] = 0;
}

// The same step in double precision, as what it gives is used time and again.
static void step(const struct k_coefficients *k, double memory[ORDER], double difference)
{
    const double before = memory[0];
    memory[0] = difference - (1.0 + k->shelf_a[1]) * before -
                (1.0 + k->shelf_a[1] + k->shelf_a[2]) * memory[1];
    const double shelved = difference + (k->shelf_b[0] - 1.0) * memory[0] +
                           (k->shelf_b[0] + k->shelf_b[1] - 1.0 - k->shelf_a[1]) * before;
    memory[1] += before;
    const double pass = memory[2];
    memory[2] = shelved - (1.0 + k->high_pass_a[1]) * pass -
                (1.0 + k->high_pass_a[1] + k->high_pass_a[2]) * memory[3];
    memory[3] += pass;
}

static void fill_weights(struct k_slice_plan *plan, const struct k_coefficients *k)
{
    double memory[ORDER] = {0};
    for (uint32_t t = plan->segment_frames; t-- > 0;) {
        step(k, memory, t + 1 == plan->segment_frames ? 1.0 : 0.0);
        for (uint32_t i = 0; i < ORDER; ++i)
            plan->weights[(size_t)t * ORDER + i] = (float)memory[i];
    }
}

static void fill_advance(struct k_slice_plan *plan, const struct k_coefficients *k)
{
    for (uint32_t from = 0; from < ORDER; ++from) {
        double memory[ORDER] = {0};
        memory[from] = 1.0;
        uint32_t t = 0;
        for (uint32_t power = 0; power < K_SLICE_POWERS; ++power) {
            for (; t < plan->segment_frames << power; ++t)
                step(k, memory, 0.0);
            for (uint32_t to = 0; to < ORDER; ++to)
                plan->advance[power][to][from] = (float)memory[to];
        }
    }
}

int k_slice_plan_init(struct k_slice_plan *plan, const struct k_slice_impl *impl, uint32_t rate_hz,
                      uint32_t least_frames)
{
    assert(impl->segments <= K_SLICE_SEGMENTS_MAX && least_frames >= impl->segments);
    struct k_coefficients coefficients;
    k_weighting_design(&coefficients, rate_hz);
    memset(plan, 0, sizeof *plan);
    fill_factors(&plan->factors, &coefficients);
    plan->segments = impl->segments;
    plan->segment_frames = least_frames / impl->segments;
    plan->weights = calloc((size_t)plan->segment_frames * ORDER, sizeof *plan->weights);
    if (!plan->weights)
        return -ENOMEM;
    fill_weights(plan, &coefficients);
    fill_advance(plan, &coefficients);
    return 0;
}

void k_slice_plan_deinit(struct k_slice_plan *plan)
{
    free(plan->weights);
    plan->weights = NULL;
}

const struct k_slice_impl k_slice_impls[] = {
#ifdef __x86_64__
    {"avx512", CPU_AVX512, 8, k_slice_energies_avx512},
    {"avx2", CPU_AVX2 | CPU_FMA, 4, k_slice_energies_avx2},
#endif
    {"c", 0, 4, k_slice_energies_c},
};
const size_t k_slice_impl_count = sizeof k_slice_impls / sizeof k_slice_impls[0];

const struct k_slice_impl *k_slice_select(uint32_t cpu_flags)
{
    const struct k_slice_impl *impl = k_slice_impls;
    while (impl->cpu_flags & ~cpu_flags)
        ++impl;
    return impl;
}
