// SPDX-License-Identifier: MIT
// The arithmetic of YIN's difference function, with run-time variants.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    YIN_BLOCK = 512,    // samples whose differences are summed
    YIN_LAG_LANES = 32, // lag counts are multiples of this
};

/// Energies of one frame: of the frame at lag 0, twice, and by lag of what has left and what has entered.
struct yin_energies {
    double both;
    const double *left, *entered;
};

/// Nothing overlaps; no alignment. All but `differences` give the same bits in every variant.
struct yin_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    /// out[lag] = sum over j < YIN_BLOCK of (x[j] - x[j + lag])² for lag < lags, a multiple of
    /// YIN_LAG_LANES. Reads x up to YIN_BLOCK + lags. Differences are squared as they are: expanding the
    /// square would cancel. Single-precision sums of 64 products join a double one. Variants agree within
    /// 4e-6 of each sum, and where all differences are zero in a zero.
    void (*differences)(double *out, const float *x, uint32_t lags);
    /// The square expanded, for two frames whose products come in turns, the second frame's first:
    /// out[f][lag] = max(0, both + entered[lag] - left[lag] - scale * product), lags as above.
    void (*expand)(double *const out[2], const struct yin_energies energies[2],
                   const float *products, double scale, uint32_t lags);
    /// sums[i] = sum over j < i of block[j]², for i up to `count`, a multiple of 8, and of all; the rest is not
    /// written.
    void (*sum_squares)(double sums[YIN_BLOCK + 1], const float *block, uint32_t count);
    /// out[i] = sum over j <= i of values[j]; `count` is a multiple of 8.
    void (*accumulate)(double *out, const double *values, uint32_t count);
    /// @return the first lag of [first, end) with lag * differences[lag] <= share * sums[lag]; none: end.
    uint32_t (*first_under)(const double *differences, const double *sums, uint32_t first,
                            uint32_t end, double share);
};
/// Best first; the last is the reference and needs nothing.
extern const struct yin_impl *const yin_impls[];
extern const size_t yin_impl_count;
/// The best variant for these cpu_flags().
const struct yin_impl *yin_select(uint32_t cpu_flags);
