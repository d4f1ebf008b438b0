// SPDX-License-Identifier: MIT
// K-weighted energy of short stretches of two channels at once, with run-time variants.
#pragma once
#include "dsp/annotate.h"
#include "dsp/level/k_weighting.h"
#include <stddef.h>
#include <stdint.h>

enum {
    K_SLICE_SEGMENTS_MAX = 4, // stretches of a slice that are filtered side by side
    K_SLICE_ORDER = 4,        // of the whole filter: the members of k_state in turn
};

/// What a step of the filter multiplies by. All is kept in units in which the shelf takes the sample before the step
/// as it is, which saves a product.
struct k_slice_factors {
    double shelf_0, shelf_2, shelf_a1, shelf_a2, pass_1, pass_a1, pass_a2;
    double scale, unscale; // from these units to the textbook's, and back
};

/// A recursive filter cannot start in the middle, but what a segment adds to the filter's memory is a
/// weighted sum of its samples, so the memory at each segment's start is known before the segments are
/// filtered. Immutable after init, so any thread may read it.
struct k_slice_plan {
    struct k_coefficients coefficients;
    struct k_slice_factors factors;
    uint32_t segments, segment_frames;
    double advance[K_SLICE_ORDER][K_SLICE_ORDER]; // memory after a silent segment, from that before
    double *
        weights; // of each of segment_frames frames twice, for both channels: of order k at k * stride
    size_t stride;
};

/// Filter the next `frames` (at least the plan's least) of two interleaved channels and add up the squares of
/// each.
/// Equal to k_weighting_energy() within 1e-12 of the energy; variants may fuse products and sums.
typedef void (*k_slice_fn)(const struct k_slice_plan *plan, struct k_state states[2],
                           const float *pair, uint32_t frames, double energies[2]);

struct k_slice_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    uint32_t segments;
    k_slice_fn energies;
};
/// Best first; the last is the reference and needs nothing.
extern const struct k_slice_impl k_slice_impls[];
extern const size_t k_slice_impl_count;
/// The best variant for these cpu_flags().
const struct k_slice_impl *k_slice_select(uint32_t cpu_flags);

/// Plan of a variant for slices of at least `least_frames` (K_SLICE_SEGMENTS_MAX or more) at `rate_hz`. @return 0;
/// -ENOMEM (nothing to free then).
MUST_CHECK int k_slice_plan_init(struct k_slice_plan *plan, const struct k_slice_impl *impl,
                                 uint32_t rate_hz, uint32_t least_frames);
/// Free the weights. A zeroed plan is fine.
void k_slice_plan_deinit(struct k_slice_plan *plan);
