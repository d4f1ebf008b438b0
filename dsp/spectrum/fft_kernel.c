// SPDX-License-Identifier: MIT
#include "dsp/spectrum/fft_kernel.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/spectrum/fft_variants.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

const struct fft_impl fft_impls[] = {
#ifdef __x86_64__
    {"avx512", CPU_AVX512, 16, fft_forward_avx512, fft_forward_pair_avx512,
     fft_pair_squares_avx512},
#endif
    {"c", 0, 8, fft_forward_c, fft_forward_pair_c, fft_pair_squares_c},
};
const size_t fft_impl_count = sizeof fft_impls / sizeof fft_impls[0];

const struct fft_impl *fft_select(uint32_t cpu_flags)
{
    const struct fft_impl *impl = fft_impls;
    while (impl->cpu_flags & ~cpu_flags)
        ++impl;
    return impl;
}

// Passes of radix 8, and at most two of radix 4 where the rows are no power of 8.
static void plan_passes(struct fft_tables *t)
{
    uint32_t rows = t->rows;
    while (rows > 1) {
        const uint32_t radix = rows == 4 || rows == 16 ? 4 : 8;
        assert(t->passes < FFT_PASSES_MAX && rows % radix == 0);
        t->radices[t->passes++] = radix;
        rows /= radix;
    }
}

// Decimation in frequency leaves the points in the order of their mirrored digits.
static void fill_order(struct fft_tables *t)
{
    for (uint32_t k = 0; k < t->rows; ++k) {
        uint32_t digits = k, row = 0, block = t->rows;
        for (uint32_t i = 0; i < t->passes; ++i) {
            block /= t->radices[i];
            row += digits % t->radices[i] * block;
            digits /= t->radices[i];
        }
        t->order[k] = row;
    }
}

// exp(-2 pi i step / points).
static void root_of_unity(float *re, float *im, uint64_t step, uint32_t points)
{
    const double angle = 2.0 * 3.14159265358979323846 * (double)(step % points) / points;
    *re = (float)cos(angle);
    *im = (float)-sin(angle);
}

// The last pass turns by nothing, and has no turns.
static void fill_turns(struct fft_tables *t)
{
    float *turn = t->turns;
    uint32_t block = t->rows;
    for (uint32_t i = 0; i + 1 < t->passes; ++i) {
        const uint32_t radix = t->radices[i];
        for (uint32_t p = 0; p < block / radix; ++p)
            for (uint32_t j = 1; j < radix; ++j, turn += 2)
                root_of_unity(turn, turn + 1, (uint64_t)j * p, block);
        block /= radix;
    }
}

static void fill_joints(struct fft_tables *t, uint32_t lanes)
{
    float *joint = t->joints;
    for (uint32_t at = 0; at < t->rows; at += lanes)
        for (uint32_t lane = 1; lane < lanes; ++lane, joint += 2 * (size_t)lanes)
            for (uint32_t i = 0; i < lanes; ++i)
                root_of_unity(joint + i, joint + lanes + i, (uint64_t)lane * (at + i), t->size);
}

int fft_tables_init(struct fft_tables *t, const struct fft_impl *impl, uint32_t size)
{
    assert(size >= FFT_LEAST_SIZE && size <= FFT_LARGEST_SIZE && (size & (size - 1)) == 0);
    *t = (struct fft_tables){.size = size, .rows = size / impl->lanes};
    plan_passes(t);
    t->order = aligned_zeroed(t->rows * sizeof *t->order);
    t->turns = aligned_zeroed(4 * (size_t)t->rows * sizeof *t->turns);
    t->joints = aligned_zeroed(2 * (size_t)size * sizeof *t->joints);
    if (!t->order || !t->turns || !t->joints)
        return -ENOMEM;
    fill_order(t);
    fill_turns(t);
    fill_joints(t, impl->lanes);
    return 0;
}

void fft_tables_deinit(struct fft_tables *t)
{
    free(t->order);
    free(t->turns);
    free(t->joints);
    *t = (struct fft_tables){0};
}
