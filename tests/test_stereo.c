// SPDX-License-Identifier: MIT
#include "dsp/cpu.h"
#include "dsp/mastering/stereo.h"
#include "support/kernel_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the headers above
#include <cmocka.h>

enum { MOST = KERNEL_LENGTHS + KERNEL_OFFSETS };

/// Everything that one variant makes of the same input.
struct results {
    double wide[2 * MOST], scaled[2 * MOST], ramped[2 * MOST], sums[STEREO_SUMS];
    double products[MOST], least;
    float narrow[2 * MOST], left[MOST], right[MOST], peaks[MOST], gains[MOST];
};

static void run(struct results *out, const struct stereo_impl *impl, const float *in,
                uint32_t offset, uint32_t frames)
{
    memset(out, 0, sizeof *out);
    impl->widen(out->wide, in + offset, frames);
    impl->narrow(out->narrow, out->wide, frames);
    impl->split(out->left, out->right, out->wide, frames);
    impl->magnitudes(out->peaks, out->left, out->right, frames);
    memcpy(out->gains, out->peaks, sizeof out->gains);
    impl->want_gains(out->gains, 0.9F, frames);
    double gains[MOST];
    for (uint32_t i = 0; i < MOST; ++i)
        gains[i] = (double)out->gains[i];
    impl->scale(out->scaled, out->wide, gains, frames);
    memcpy(out->products, gains, sizeof out->products);
    out->least = impl->multiply(out->products, out->wide, 1.0, frames);
    memcpy(out->ramped, out->wide, sizeof out->ramped);
    impl->ramp(out->ramped, 0.7, 0.01, offset, frames);
    impl->add_squares(out->sums, out->wide, offset, frames);
}

static void every_variant_gives_the_references_bits(void **state)
{
    (void)state;
    uint64_t seed = 3;
    float in[2 * MOST + KERNEL_OFFSETS];
    for (size_t v = 0; v < stereo_impl_count; ++v) {
        if (stereo_impls[v]->cpu_flags & ~cpu_flags())
            continue;
        for (uint32_t frames = 0; frames < KERNEL_LENGTHS; ++frames)
            for (uint32_t offset = 0; offset < KERNEL_OFFSETS; ++offset) {
                kernel_fill(in, sizeof in / sizeof *in, &seed);
                in[offset] = offset % 2 ? NAN : -INFINITY;
                static struct results a, b;
                run(&a, stereo_select(0), in, offset, frames);
                run(&b, stereo_impls[v], in, offset, frames);
                assert_memory_equal(&a, &b, sizeof a);
            }
    }
}

static void bad_samples_count_as_silence_and_others_stay(void **state)
{
    (void)state;
    const float in[10] = {NAN,  INFINITY, -INFINITY, 1025,  -1e30F,
                          1024, -1024,    -0.5F,     0.25F, 1e-40F};
    double out[10];
    stereo_select(cpu_flags())->widen(out, in, 5);
    for (int i = 0; i < 10; ++i)
        assert_true(out[i] == (i < 5 ? 0.0 : (double)in[i]));
}

static void gains_bring_peaks_to_the_ceiling(void **state)
{
    (void)state;
    const float left[5] = {0.1F, -2, 0.8F, 0, 1}, right[5] = {-0.2F, 1, -4, 0, -1};
    float peaks[5];
    const struct stereo_impl *loops = stereo_select(cpu_flags());
    loops->magnitudes(peaks, left, right, 5);
    const float wanted_peaks[5] = {0.2F, 2, 4, 0, 1};
    assert_memory_equal(peaks, wanted_peaks, sizeof peaks);
    loops->want_gains(peaks, 1, 5);
    const float wanted_gains[5] = {1, 0.5F, 0.25F, 1, 1};
    assert_memory_equal(peaks, wanted_gains, sizeof peaks);
}

static void sums_are_of_the_louder_side_however_frames_are_cut(void **state)
{
    (void)state;
    double stereo[2 * 16], whole[STEREO_SUMS] = {0}, parts[STEREO_SUMS] = {0}, plain = 0;
    for (int i = 0; i < 2 * 16; ++i)
        stereo[i] = sin(i * 1.3);
    for (int i = 0; i < 16; ++i)
        plain += fmax(stereo[2 * i] * stereo[2 * i], stereo[2 * i + 1] * stereo[2 * i + 1]);
    const struct stereo_impl *loops = stereo_select(cpu_flags());
    loops->add_squares(whole, stereo, 0, 16);
    for (uint32_t at = 0, piece = 1; at < 16; at += piece, ++piece)
        loops->add_squares(parts, stereo + (size_t)2 * at, at, at + piece < 16 ? piece : 16 - at);
    assert_memory_equal(whole, parts, sizeof whole);
    assert_true(fabs(whole[0] + whole[1] + whole[2] + whole[3] - plain) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_gives_the_references_bits),
        cmocka_unit_test(bad_samples_count_as_silence_and_others_stay),
        cmocka_unit_test(gains_bring_peaks_to_the_ceiling),
        cmocka_unit_test(sums_are_of_the_louder_side_however_frames_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
