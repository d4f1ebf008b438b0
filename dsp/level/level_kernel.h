// SPDX-License-Identifier: MIT
// Sums and extremes of two signals, with run-time variants.
#pragma once
#include "dsp/level/level_sums.h"
#include <stddef.h>
#include <stdint.h>

/// Add `frames` frames to `block`, each sum within 1e-6 of the magnitudes that go into it: up to 256 values are added
/// in single precision first, in an order of the variant's. Extremes are exact. Finite samples; no alignment.
typedef void (*level_add_fn)(struct level_block *block, const float *left, const float *right,
                             uint32_t frames);

struct level_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    level_add_fn add;
};
/// Best first; the last is the reference and needs nothing.
extern const struct level_impl level_impls[];
extern const size_t level_impl_count;
/// The best variant for these cpu_flags().
const struct level_impl *level_select(uint32_t cpu_flags);
