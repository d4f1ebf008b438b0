// SPDX-License-Identifier: MIT
#include "dsp/mastering/peak.h"
#include "dsp/cpu.h"
#include "dsp/mastering/peak_variants.h"
#include <assert.h>
#include <math.h>
#include <string.h>

static const double SHARP_BETA = 9.0;
static const double QUICK_BETA = 5.0; // gives the smallest bound for so many taps
static const double ROUNDING = 1.00001;

enum { CENTRE = PEAK_MAX_TAPS / 2 - 1, STEPS = PEAK_SHARP_PHASES + 1 };

/// A filter of at most PEAK_MAX_TAPS, those of a shorter one in the middle.
struct phase {
    double taps[PEAK_MAX_TAPS];
};

// A filter is a straight line between its middle taps, of the same sum and centre, and a rest that any straight line of
// samples passes without a trace: that is the second difference of another filter q. So the output is at most the sum
// of the line's weights times the larger middle sample, and the sum of |q| times the largest second difference, or, by
// Cauchy and Schwarz, the root of the sum of q^2 times that of the sum of the differences' squares. Where a phase
// is what another has beyond the mean of two that are known already, the line comes on top of these: `known`.
static void widen(struct peak_bound *bound, const struct phase *phase, double known)
{
    double sum = 0, moment = 0;
    for (int k = 0; k < PEAK_MAX_TAPS; ++k) {
        sum += phase->taps[k];
        moment += (k - CENTRE) * phase->taps[k];
    }
    double slope = 0, q = 0, bent = 0, rough = 0;
    for (int k = 0; k < PEAK_MAX_TAPS; ++k) {
        slope += phase->taps[k] - (k == CENTRE ? sum - moment : k == CENTRE + 1 ? moment : 0);
        q += slope;
        bent += fabs(q);
        rough += q * q;
    }
    const double straight = known + fabs(sum - moment) + fabs(moment);
    // A little more covers the rounding of the weights and of the sums.
    bound->straight = fmaxf(bound->straight, (float)(ROUNDING * straight));
    bound->bent = fmaxf(bound->bent, (float)(ROUNDING * bent));
    bound->rough = fmaxf(bound->rough, (float)(ROUNDING * sqrt(rough)));
}

static void set_pair(struct peak_bank *bank, const struct phase *phase)
{
    const double *taps = phase->taps + (PEAK_MAX_TAPS - bank->taps) / 2;
    for (uint32_t k = 0; k < bank->taps / 2; ++k) {
        bank->even[k][bank->pairs] = (float)(0.5 * (taps[k] + taps[bank->taps - 1 - k]));
        bank->odd[k][bank->pairs] = (float)(0.5 * (taps[k] - taps[bank->taps - 1 - k]));
    }
    ++bank->pairs;
}

/// Put a phase and its mirror image, `step` eighths behind the middle and before the end.
static void set_single(struct peak_reader *reader, const struct phase *phase, int step)
{
    for (int k = 0; k < PEAK_MAX_TAPS; ++k) {
        reader->single[step - 1][k] = (float)phase->taps[k];
        reader->single[PEAK_SHARP_PHASES - step][PEAK_MAX_TAPS - 1 - k] = (float)phase->taps[k];
    }
}

static void set_middle(struct peak_bank *bank, const struct phase *phase)
{
    const double *taps = phase->taps + (PEAK_MAX_TAPS - bank->taps) / 2;
    for (uint32_t k = 0; k < bank->taps / 2; ++k)
        bank->middle[k] = (float)taps[k];
}

void peak_reader_init_itu(struct peak_reader *reader)
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
    *reader = (struct peak_reader){.taps = PEAK_ITU_TAPS, .itu.taps = PEAK_ITU_TAPS};
    for (int i = 0; i < PEAK_ITU_PAIRS; ++i) {
        struct phase phase = {{0}};
        memcpy(phase.taps + (PEAK_MAX_TAPS - PEAK_ITU_TAPS) / 2, phases[i], sizeof phases[i]);
        set_pair(&reader->itu, &phase);
        widen(&reader->known, &phase, 0);
    }
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

/// A sinc of so many taps, `step` eighths behind the middle.
struct sinc {
    int taps;
    double beta, scale;
};

static void set_phase(struct phase *phase, const struct sinc *sinc, int step)
{
    memset(phase, 0, sizeof *phase);
    const int half = sinc->taps / 2;
    for (int k = CENTRE + 1 - half; k <= CENTRE + half; ++k) {
        const double t = k - CENTRE - step / (double)STEPS, u = t / half;
        const double weight = t == 0 ? 1 : sin(M_PI * t) / (M_PI * t);
        const double window = fabs(u) < 1 ? bessel_i0(sinc->beta * sqrt(1.0 - u * u)) : 1;
        phase->taps[k] = sinc->scale * weight * window / bessel_i0(sinc->beta);
    }
}

/// Leave in *phase what it has beyond the mean of two quick phases, at the quarters before and behind it.
static void take_off_quick(struct phase *phase, const struct sinc *quick, int step)
{
    struct phase before, behind;
    set_phase(&before, quick, step / 2 * 2);
    set_phase(&behind, quick, (step + 1) / 2 * 2);
    for (int k = 0; k < PEAK_MAX_TAPS; ++k)
        phase->taps[k] -= 0.5 * (before.taps[k] + behind.taps[k]);
}

void peak_reader_init_sharp(struct peak_reader *reader, double scale)
{
    const struct sinc sharp = {PEAK_MAX_TAPS, SHARP_BETA, scale};
    const struct sinc plain = {PEAK_QUICK_TAPS, QUICK_BETA, 1},
                      quick = {PEAK_QUICK_TAPS, QUICK_BETA, scale};
    assert(scale >= 1);
    peak_reader_init_itu(reader);
    reader->taps = reader->sharp.taps = PEAK_MAX_TAPS;
    reader->quick.taps = PEAK_QUICK_TAPS;
    struct phase phase;
    for (int step = 1; step <= STEPS / 2; ++step) { // the others mirror these
        set_phase(&phase, &sharp, step);
        set_single(reader, &phase, step);
        if (step < STEPS / 2)
            set_pair(&reader->sharp, &phase);
        else
            set_middle(&reader->sharp, &phase);
        widen(&reader->known, &phase, 0);
        take_off_quick(&phase, &quick, step);
        widen(&reader->near, &phase, scale);
    }
    set_phase(&phase, &plain, STEPS / 4);
    set_pair(&reader->quick, &phase);
    set_phase(&phase, &plain, STEPS / 2);
    set_middle(&reader->quick, &phase);
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
