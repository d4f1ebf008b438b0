// SPDX-License-Identifier: MIT
#include "dsp/cpu.h"
#include "dsp/mastering/peak.h"
#include "support/measure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

enum { BEFORE = PEAK_MAX_TAPS + 8, LENGTH = 67, BEHIND = 2 * PEAK_LANES };

static void fill(float *x, uint32_t count, uint64_t seed)
{
    for (uint32_t i = 0; i < count; ++i)
        x[i] = (float)measure_noise(&seed);
}

static void itu_outputs_equal_the_standards_filter(void **state)
{
    (void)state;
    struct peak_bank bank;
    peak_bank_itu(&bank);
    for (uint64_t seed = 1; seed < 200; ++seed) {
        float x[12 + BEHIND] = {0}, out[BEHIND] = {0};
        fill(x, 12, seed);
        peak_select(0)->raise(&bank, out, x + 11, 1, 0);
        static const double h[2][12] = {
            {0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875,
             0.1373291015625, 0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250,
             0.0148925781250, -0.0083007812500},
            {-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500,
             0.4650878906250, 0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625,
             0.0330810546875, -0.0189208984375},
        };
        double peak = 0;
        for (int p = 0; p < 2; ++p) {
            double forward = 0, backward = 0;
            for (int k = 0; k < 12; ++k) {
                forward += h[p][k] * (double)x[11 - k];
                backward += h[p][11 - k] * (double)x[11 - k];
            }
            peak = fmax(peak, fmax(fabs(forward), fabs(backward)));
        }
        assert_true(fabs((double)out[0] - peak) < 1e-6);
    }
}

static void sharp_outputs_find_a_tones_crest_between_its_samples(void **state)
{
    (void)state;
    struct peak_bank bank;
    peak_bank_sharp(&bank);
    for (int i = 1; i < 40; ++i) {
        const double cycles = 0.011 * i; // per sample, up to 0.43
        float x[400 + BEHIND] = {0}, out[400 + BEHIND] = {0};
        for (int n = 0; n < 400; ++n)
            x[n] = (float)sin(2 * M_PI * cycles * n + 0.3 * i);
        peak_select(0)->raise(&bank, out, x + 63, 400 - 63, 0);
        float peak = 0;
        for (int n = 0; n < 400 - 63; ++n)
            peak = fmaxf(peak, out[n]);
        // An 8x grid misses at most 1 - cos(pi f / 8) of a crest, if it meets none of them.
        assert_true((double)peak <= 1.0005);
        assert_true((double)peak >= cos(M_PI * cycles / 8) - 0.003);
    }
}

/// What harmless outputs are left at is a variant's own affair, and nobody's who looks at those over the floor.
static void assert_alike(const float *a, const float *b, float floor)
{
    for (uint32_t i = 0; i < LENGTH + BEHIND; ++i)
        assert_true(fabsf(a[i] - b[i]) <= 1e-6F || (a[i] <= floor && b[i] <= floor));
}

static void compare_with_reference(const struct peak_impl *impl, const struct peak_bank *bank,
                                   uint32_t length, uint32_t offset, float floor)
{
    const struct peak_impl *reference = peak_select(0);
    float x[BEFORE + LENGTH + BEHIND], gate[LENGTH + BEHIND];
    float a[LENGTH + BEHIND] = {0}, b[LENGTH + BEHIND] = {0};
    fill(x, BEFORE + LENGTH + BEHIND, length * 8 + offset + 1);
    fill(gate, LENGTH + BEHIND, length + 99);
    const float *at = x + PEAK_MAX_TAPS + offset;
    reference->raise(bank, a, at, length, floor);
    impl->raise(bank, b, at, length, floor);
    // Up to PEAK_LANES elements behind are scratch.
    for (uint32_t i = length; i < LENGTH + BEHIND; ++i) {
        assert_true(i < length + PEAK_LANES || b[i] == 0);
        a[i] = b[i] = 0;
    }
    assert_alike(a, b, floor);
    assert_true(length == 0 || floor > 0 || a[0] > 0);
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    reference->refine(bank, a, gate, at, length, floor);
    impl->refine(bank, b, gate, at, length, floor);
    for (uint32_t i = 0; i < length; ++i)
        assert_true(fabsf(a[i] - b[i]) <= 1e-6F);
}

static void every_variant_equals_the_reference(void **state)
{
    (void)state;
    struct peak_bank banks[2];
    peak_bank_itu(&banks[0]);
    peak_bank_sharp(&banks[1]);
    static const float floors[] = {0, 0.5F, 0.9F};
    for (size_t v = 0; v < peak_impl_count; ++v) {
        if (peak_impls[v]->cpu_flags & ~cpu_flags())
            continue;
        print_message("variant: %s\n", peak_impls[v]->name);
        for (uint32_t length = 0; length <= LENGTH; ++length)
            for (uint32_t offset = 0; offset < 8; ++offset)
                for (int k = 0; k < 6; ++k)
                    compare_with_reference(peak_impls[v], &banks[k % 2], length, offset,
                                           floors[k / 2]);
    }
}

static void skipping_never_hides_a_peak_over_the_floor(void **state)
{
    (void)state;
    struct peak_bank bank;
    peak_bank_sharp(&bank);
    for (uint64_t seed = 1; seed < 300; ++seed) {
        float x[BEFORE + LENGTH + BEHIND], all[LENGTH + BEHIND] = {0}, some[LENGTH + BEHIND] = {0};
        fill(x, BEFORE + LENGTH + BEHIND, seed);
        for (int i = 0; i < BEFORE + LENGTH + BEHIND; ++i)
            x[i] *= 0.3F + 0.7F * (float)(seed % 3 == 0);
        const float floor = 0.8F;
        peak_select(0)->raise(&bank, all, x + BEFORE, LENGTH, 0);
        peak_select(0)->raise(&bank, some, x + BEFORE, LENGTH, floor);
        for (int i = 0; i < LENGTH; ++i)
            assert_true(all[i] <= floor || all[i] == some[i]);
    }
}

static void refining_touches_only_frames_whose_gate_is_open(void **state)
{
    (void)state;
    struct peak_bank bank;
    peak_bank_sharp(&bank);
    float x[BEFORE + LENGTH + BEHIND], gate[LENGTH + BEHIND], out[LENGTH + BEHIND] = {0};
    fill(x, BEFORE + LENGTH + BEHIND, 7);
    fill(gate, LENGTH + BEHIND, 8);
    peak_select(0)->refine(&bank, out, gate, x + BEFORE, LENGTH, 0.5F);
    int open = 0;
    for (int i = 0; i < LENGTH; ++i) {
        assert_true(gate[i] > 0.5F ? out[i] > 0 : out[i] == 0);
        open += gate[i] > 0.5F;
    }
    assert_in_range(open, 5, LENGTH - 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(itu_outputs_equal_the_standards_filter),
        cmocka_unit_test(sharp_outputs_find_a_tones_crest_between_its_samples),
        cmocka_unit_test(every_variant_equals_the_reference),
        cmocka_unit_test(refining_touches_only_frames_whose_gate_is_open),
        cmocka_unit_test(skipping_never_hides_a_peak_over_the_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
