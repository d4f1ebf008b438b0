// SPDX-License-Identifier: MIT
// Arithmetic of onset strengths, one frame at a time, with run-time variants.
#pragma once
#include "dsp/rhythm/onset.h"
#include <stddef.h>
#include <stdint.h>

enum {
    ONSET_BANDS = 72,
    ONSET_LANES = 8, // bins side by side
    ONSET_ROWS = (ONSET_BINS + ONSET_BANDS * 2 * (ONSET_LANES - 1)) / ONSET_LANES,
    ONSET_SPAN_BINS = 256, // the most that are compared, in whole registers
    ONSET_INTERVALS = 32,  // between beats that are told apart, in whole registers
};

#define ONSET_LEAST_POWER 1e-37f // what is less has its logarithm

/// The bins between the tops of bands b and b + 1 are in rows begin[b] to begin[b + 1], the first of them from bin
/// first[b] on; they give a share to band b and the rest to the band above.
struct onset_rows {
    uint16_t first[ONSET_BANDS], begin[ONSET_BANDS + 1];
    float lower[ONSET_ROWS][ONSET_LANES], upper[ONSET_ROWS][ONSET_LANES];
};

/// How the shape of a spectrum lies to that of another: sums of products.
struct onset_angle {
    float across, before, after;
};

/// Variants agree within 1e-6 of the magnitudes that go into a result. Finite values; nothing overlaps; no alignment.
struct onset_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    /// Powers of the bands.
    void (*sum_bands)(float bands[ONSET_BANDS], const struct onset_rows *rows, const float *power);
    /// logs[b] = logarithm of bands[b], which are not negative, and at least ONSET_LEAST_POWER.
    void (*take_logs)(float logs[ONSET_BANDS], const float bands[ONSET_BANDS]);
    /// rises[b] = what now[b] lies over before[b] and over `floor`, or 0.
    void (*rise)(float rises[ONSET_BANDS], const float now[ONSET_BANDS],
                 const float before[ONSET_BANDS], float floor);
    /// @return the sum of a[i] times b[i]; `count` is a multiple of ONSET_LANES.
    float (*multiply)(const float *a, const float *b, uint32_t count);
    /// out[k] = sqrt(power[k]).
    void (*root)(float *out, const float *power, uint32_t bins);
    /// out[k] = sum of parts[0][k] to parts[count - 1][k].
    void (*add)(float *out, const float *const *parts, uint32_t count, uint32_t bins);
    struct onset_angle (*compare)(const float *before, const float *after, uint32_t bins);
    /// @return the largest of total[i] - cost[i] and 0; *place: the last i that has it, if it is over 0. `count` is a
    /// multiple of ONSET_LANES. To the same bits in every variant.
    double (*best_step)(const double *total, const double *cost, uint32_t count, uint32_t *place);
    /// best[j] = the largest of total[i] - cost[i][j] for i < count, and places[j] = the first i that has it; `count`
    /// is 1 or more. No NaN. To the same bits in every variant.
    void (*best_changes)(float best[ONSET_INTERVALS], uint8_t places[ONSET_INTERVALS],
                         const float *total, float (*cost)[ONSET_INTERVALS], uint32_t count);
};
/// Best first; the last is the reference and needs nothing.
extern const struct onset_impl *const onset_impls[];
extern const size_t onset_impl_count;
/// The best variant for these cpu_flags().
const struct onset_impl *onset_select(uint32_t cpu_flags);
