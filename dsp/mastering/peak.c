// SPDX-License-Identifier: MIT
#include "dsp/mastering/peak.h"
#include "dsp/cpu.h"
#include "dsp/mastering/peak_variants.h"
#include <assert.h>
#include <math.h>
#include <string.h>

static const double SHARP_BETA = 9.0;

static void set_pair(struct peak_bank *bank, uint32_t pair, const double *taps)
{
    const uint32_t n = bank->taps;
    double norm = 0;
    for (uint32_t k = 0; k < n / 2; ++k) {
        bank->even[k][pair] = (float)(0.5 * (taps[k] + taps[n - 1 - k]));
        bank->odd[k][pair] = (float)(0.5 * (taps[k] - taps[n - 1 - k]));
        norm += fabs(taps[k]) + fabs(taps[n - 1 - k]);
    }
    // A little more than the norm covers the rounding of both the weights and the sums.
    bank->bound = fmaxf(bank->bound, (float)(norm * 1.00001));
}

void peak_bank_itu(struct peak_bank *bank)
{
    // Table of ITU-R BS.1770-5 Annex 2; phases 2 and 3 are these two reversed.
    static const double phases[PEAK_ITU_PAIRS][PEAK_ITU_TAPS] = {
        {0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875,
         0.1373291015625, 0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250,
         0.0148925781250, -0.0083007812500},
        {-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500,
         0.4650878906250, 0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625,
         0.0330810546875, -0.0189208984375},
    };
    memset(bank, 0, sizeof *bank);
    bank->taps = PEAK_ITU_TAPS;
    bank->pairs = PEAK_ITU_PAIRS;
    set_pair(bank, 0, phases[0]);
    set_pair(bank, 1, phases[1]);
}

/// Modified Bessel function of the first kind, order 0, by its power series.
static double bessel_i0(double x)
{
    double sum = 1.0, term = 1.0;
    for (int k = 1; k < 40; ++k) {
        term *= 0.25 * x * x / ((double)k * k);
        sum += term;
    }
    return sum;
}

static void sharp_phase(double taps[PEAK_MAX_TAPS], double phase)
{
    const double half = 0.5 * PEAK_MAX_TAPS;
    for (int k = 0; k < PEAK_MAX_TAPS; ++k) {
        const double t = k - (half - 1.0) - phase;
        const double u = t / half;
        taps[k] = sin(M_PI * t) / (M_PI * t) * bessel_i0(SHARP_BETA * sqrt(1.0 - u * u)) /
                  bessel_i0(SHARP_BETA);
    }
}

void peak_bank_sharp(struct peak_bank *bank)
{
    memset(bank, 0, sizeof *bank);
    bank->taps = PEAK_MAX_TAPS;
    bank->pairs = PEAK_MAX_PAIRS;
    double taps[PEAK_MAX_TAPS], norm = 0;
    for (uint32_t pair = 0; pair < PEAK_MAX_PAIRS; ++pair) {
        sharp_phase(taps, (pair + 1) / 8.0);
        set_pair(bank, pair, taps);
    }
    sharp_phase(taps, 0.5);
    for (int k = 0; k < PEAK_MAX_TAPS / 2; ++k) {
        bank->middle[k] = (float)taps[k];
        norm += 2.0 * fabs(taps[k]);
    }
    bank->bound = fmaxf(bank->bound, (float)(norm * 1.00001));
}

const struct peak_impl *const peak_impls[] = {
#ifdef __x86_64__
    &peak_impl_avx512,
    &peak_impl_avx2,
#endif
    &peak_impl_c,
};
const size_t peak_impl_count = sizeof peak_impls / sizeof peak_impls[0];

const struct peak_impl *peak_select(uint32_t cpu_flags)
{
    const struct peak_impl *const *impl = peak_impls;
    while ((*impl)->cpu_flags & ~cpu_flags)
        ++impl;
    return *impl;
}
