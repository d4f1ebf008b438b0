// SPDX-License-Identifier: MIT
// Running medians of 31 values, four neighbouring windows at a time, many lanes side by side.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    MEDIAN31_ROWS = 34,  // what four windows of 31 cover
    MEDIAN31_LANES = 16, // lane counts are multiples of this
};

/// out[q][i] = median of rows[q][i] .. rows[q + 30][i] for q = 0..3 and each lane i, exactly. `lanes`
/// is a multiple of MEDIAN31_LANES; rows may overlap or repeat, outputs overlap nothing; no
/// alignment. No NaN; the order of zeros of either sign is left open.
typedef void (*median31_fn)(const float *const rows[MEDIAN31_ROWS], float *const out[4],
                            uint32_t lanes);

/// Variants give the same values.
struct median31_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    median31_fn quad;
};
/// Best first; the last is the reference and needs nothing.
extern const struct median31_impl median31_impls[];
extern const size_t median31_impl_count;

/// The chosen variant. Immutable after init.
struct median31 {
    const struct median31_impl *impl;
};

/// Choose for this processor.
void median31_init(struct median31 *network);
/// The chosen variant's quad().
void median31_quad(const struct median31 *network, const float *const rows[MEDIAN31_ROWS],
                   float *const out[4], uint32_t lanes);
