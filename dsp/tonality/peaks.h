// SPDX-License-Identifier: MIT
// Spectral peaks of a frame and where on the circle of pitch classes they lie, with run-time variants.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    PEAKS_BINS = 1025,
    PEAKS_LANES = 16,                                                      // peaks side by side
    PEAKS_MAX = (PEAKS_BINS / 2 + PEAKS_LANES) / PEAKS_LANES * PEAKS_LANES // in whole registers
};

/// In columns, so that they lie side by side in registers.
struct peaks {
    uint32_t count;
    // --- as found: the bin, its power and its neighbours', where its centre lies on the circle
    float bins[PEAKS_MAX];
    float powers[PEAKS_MAX], left[PEAKS_MAX], right[PEAKS_MAX];
    float centres[PEAKS_MAX];
    // --- as refined
    float magnitudes[PEAKS_MAX];
    float places_in_bins[PEAKS_MAX]; // fractions of a bin included
    float places[PEAKS_MAX];         // on the circle
};

/// What places bins on a circle of `turn` units, one octave long: places[k] of the centre of bin k, in 0..turn.
struct peaks_circle {
    float turn;
    float places[PEAKS_BINS];
};

/// Variants agree within 1e-5 of a bin and of a unit. Finite values; no alignment.
struct peaks_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    /// The bins from `first` (at least 1) to before `end` (at most PEAKS_BINS - 1) that are over `least` and over both
    /// their neighbours, which are over 0; of equal neighbours, the lower one. `least` is not negative. What is stored
    /// within PEAKS_LANES beyond the last is not said, here and below.
    void (*find)(struct peaks *peaks, const float *power, const struct peaks_circle *circle,
                 uint32_t first, uint32_t end, float least);
    /// Magnitudes and places of what was found, by a parabola through the logarithms: nearly exact for a sinusoid
    /// under a Hann window.
    void (*refine)(struct peaks *peaks, const struct peaks_circle *circle);
};
/// Best first; the last is the reference and needs nothing.
extern const struct peaks_impl *const peaks_impls[];
extern const size_t peaks_impl_count;
/// The best variant for these cpu_flags().
const struct peaks_impl *peaks_select(uint32_t cpu_flags);
