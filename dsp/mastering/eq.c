// SPDX-License-Identifier: MIT
#include "dsp/mastering/eq.h"
#include "dsp/cpu.h"
#include "dsp/mastering/eq_variants.h"
#include <assert.h>

static const struct eq_band bands[EQ_BAND_COUNT] = {
    {EQ_LOW_SHELF, 120.0, 0.7071067811865476},
    {EQ_BELL, 300.0, 0.7},
    {EQ_BELL, 1200.0, 0.8},
    {EQ_BELL, 3500.0, 0.9},
    {EQ_HIGH_SHELF, 9000.0, 0.7071067811865476},
};

const struct eq_band *eq_band_of(int band)
{
    assert(band >= 0 && band < EQ_BAND_COUNT);
    return &bands[band];
}

void eq_numbers(double numbers[EQ_NUMBERS], const double gains_db[EQ_BAND_COUNT], double rate_hz)
{
    numbers[0] = 1.0;
    for (int band = 0; band < EQ_BAND_COUNT; ++band) {
        struct biquad biquad;
        eq_design(&biquad, &bands[band], gains_db[band], rate_hz);
        double *n = numbers + 1 + band * EQ_BAND_NUMBERS;
        numbers[0] *= biquad.b0;
        n[0] = biquad.b1 / biquad.b0;
        n[1] = biquad.b2 / biquad.b0;
        n[2] = biquad.a1;
        n[3] = biquad.a2;
    }
}

const struct eq_impl eq_impls[] = {
#ifdef __x86_64__
    {"avx2", CPU_AVX2 | CPU_FMA, eq_process_avx2, eq_glide_avx2},
#endif
    {"c", 0, eq_process_c, eq_glide_c},
};
const size_t eq_impl_count = sizeof eq_impls / sizeof eq_impls[0];

const struct eq_impl *eq_select(uint32_t cpu_flags)
{
    const struct eq_impl *impl = eq_impls;
    while (impl->cpu_flags & ~cpu_flags)
        ++impl;
    return impl;
}
