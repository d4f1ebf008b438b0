// SPDX-License-Identifier: MIT
// The difference function of YIN over one block, with run-time variants.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    YIN_BLOCK = 512,    // samples whose differences are summed
    YIN_LAG_LANES = 32, // lag counts are multiples of this
};

/// out[lag] = sum over j < YIN_BLOCK of (x[j] - x[j + lag])² for lag < lags, a multiple of
/// YIN_LAG_LANES. Reads x up to YIN_BLOCK + lags. Differences are squared as they are: expanding the
/// square would cancel. Single-precision sums of 64 products join a double one. Variants agree within
/// 4e-6 of each sum, and where all differences are zero in a zero.
typedef void (*yin_differences_fn)(double *out, const float *x, uint32_t lags);

struct yin_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    yin_differences_fn differences;
};
/// Best first; the last is the reference and needs nothing.
extern const struct yin_impl yin_impls[];
extern const size_t yin_impl_count;
/// The best variant for these cpu_flags().
const struct yin_impl *yin_select(uint32_t cpu_flags);
