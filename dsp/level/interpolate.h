// SPDX-License-Identifier: MIT
// The largest magnitude between the samples of a block, with run-time variants.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    INTERPOLATE_TAPS = 24,
    INTERPOLATE_FRAMES = 64, // outputs of each phase
    INTERPOLATE_LINE = INTERPOLATE_TAPS - 1 + INTERPOLATE_FRAMES,
};

/// Phases at a quarter, a half and three quarters, or the half alone. The outer two mirror each other:
/// with s = x[k] + x[23-k] and d = x[k] - x[23-k], half the sum of both outputs is a dot product of s,
/// half their difference one of d, and the larger magnitude is |half sum| + |half difference|.
struct interpolate_bank {
    uint32_t with_quarters;             // 0: the middle alone
    float even[INTERPOLATE_TAPS / 2];   // of s, of the quarters
    float odd[INTERPOLATE_TAPS / 2];    // of d, of the quarters
    float middle[INTERPOLATE_TAPS / 2]; // of s
};

/// The largest magnitude of any phase at INTERPOLATE_FRAMES places, the first of them in the middle of
/// line[0..23]. Variants may fuse products and sums. No NaN; no alignment.
typedef float (*interpolate_fn)(const struct interpolate_bank *bank,
                                const float line[INTERPOLATE_LINE]);

struct interpolate_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    interpolate_fn peak;
    /// Largest magnitude of `count` samples.
    float (*sample_peak)(const float *samples, uint32_t count);
    /// How many of `blocks` blocks of INTERPOLATE_FRAMES samples, from the first on, have none over `limit` in
    /// magnitude.
    uint32_t (*quiet)(const float *samples, uint32_t blocks, float limit);
};
/// Best first; the last is the reference and needs nothing.
extern const struct interpolate_impl interpolate_impls[];
extern const size_t interpolate_impl_count;
/// The best variant for these cpu_flags().
const struct interpolate_impl *interpolate_select(uint32_t cpu_flags);
