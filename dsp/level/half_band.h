// SPDX-License-Identifier: MIT
// The filter of one 2:1 stage, with run-time variants.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    HALF_BAND_PAIRS = 16, // taps either side of the centre, all at odd distances
    HALF_BAND_CENTER = 2 * HALF_BAND_PAIRS - 1, // samples before the centre that an output takes
    HALF_BAND_LANES = 32,                       // outputs at a time
};

/// out[m] = half of line[2m + 31] plus, for i < 16, taps[i] times line[2m + 2i] + line[2m + 62 - 2i]. Writes
/// `outputs` rounded up to HALF_BAND_LANES, and reads as if it were that many, to line[2m + 65] of the last.
/// `even` is scratch for that many and 32. Variants may fuse products and sums; nothing overlaps; no alignment.
typedef void (*half_band_fn)(float *out, const float *line, const float taps[HALF_BAND_PAIRS],
                             float *even, uint32_t outputs);

struct half_band_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    half_band_fn filter;
};
/// Best first; the last is the reference and needs nothing.
extern const struct half_band_impl half_band_impls[];
extern const size_t half_band_impl_count;
/// The best variant for these cpu_flags().
const struct half_band_impl *half_band_select(uint32_t cpu_flags);
