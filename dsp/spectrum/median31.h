// SPDX-License-Identifier: MIT
// Running medians of 31 values, eight neighbouring windows at a time, many lanes side by side.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    MEDIAN31_RUN = 8,   // rows that are sorted once for all windows
    MEDIAN31_RUNS = 3,  // that all eight windows cover
    MEDIAN31_EDGE = 7,  // rows before and after those that only some windows cover
    MEDIAN31_LANES = 8, // lane counts are multiples of this
};

/// What eight windows of 31 rows cover: 7 rows, 24 that they share, 7 rows. Window q is made of before[q]
/// to before[6], the runs, and after[0] to after[q - 1].
struct median31_rows {
    const float *before[MEDIAN31_EDGE];
    // each sorted: in every lane, no row lies over the next
    const float *runs[MEDIAN31_RUNS][MEDIAN31_RUN];
    const float *after[MEDIAN31_EDGE];
};

/// Variants give the same values. `lanes` is a multiple of MEDIAN31_LANES; rows may overlap or repeat,
/// outputs overlap nothing; no alignment. No NaN; the order of zeros of either sign is left open.
struct median31_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    /// out[q * lanes + i] = row[8 * i + q], for q = 0..7: each of eight phases on its own. `lanes` is 8 or more.
    void (*deal)(float *out, const float *row, uint32_t lanes);
    /// Sort eight rows in every lane: the least into out[0].
    void (*sort)(const float *const rows[MEDIAN31_RUN], float *const out[MEDIAN31_RUN],
                 uint32_t lanes);
    /// out[q][i] = median of window q in lane i, exactly, for q = 0..7.
    void (*octet)(const struct median31_rows *rows, float *const out[MEDIAN31_RUN], uint32_t lanes);
};
/// Best first; the last is the reference and needs nothing.
extern const struct median31_impl median31_impls[];
extern const size_t median31_impl_count;
/// The best variant for these cpu_flags().
const struct median31_impl *median31_select(uint32_t cpu_flags);
