// SPDX-License-Identifier: MIT
// K-weighted energy of short stretches of two channels at once, with run-time variants.
#pragma once
#include "dsp/annotate.h"
#include "dsp/level/k_weighting.h"
#include <stddef.h>
#include <stdint.h>

enum {
    K_SLICE_SEGMENTS_MAX = 8, // stretches of a slice that are filtered side by side
    K_SLICE_ORDER = 4,        // of the whole filter
    K_SLICE_POWERS = 3,       // 1, 2 and 4 segments on
};

/// Filter memory of one channel, zeroed at the start of a track: w and p of the shelf, then of the high-pass.
struct k_slice_state {
    float memory[K_SLICE_ORDER];
    float sample; // the latest
};

/// Both sections in a form that single precision does not hurt, however low their corners lie: no factor hides a
/// corner in its last bits, and all that goes in is how far a sample lies from the one before, so a constant leaves
/// nothing behind. With w what is left of x once the section has taken its poles, and p the sum of those before,
///   w' = keep w + (x' - x - pull p),  p' = p + w;
/// the high-pass's output is its w, and the shelf's goes by  y' - y = x' - x + now w' + before w.
struct k_slice_factors {
    float shelf_keep, shelf_pull, shelf_now, shelf_before;
    float pass_keep, pass_pull;
};

/// A recursive filter cannot start in the middle, but what a segment adds to the filter's memory is a
/// weighted sum of what went in, so the memory at each segment's start is known before the segments are
/// filtered. Immutable after init, so any thread may read it.
struct k_slice_plan {
    struct k_slice_factors factors;
    uint32_t segments, segment_frames;
    float advance[K_SLICE_POWERS][K_SLICE_ORDER]
                 [K_SLICE_ORDER]; // memory after 1, 2, 4 silent segments, from that before
    float *weights;               // of each of segment_frames frames, in the order of the memory
};

/// Filter the next `frames` (at least the plan's least) of two interleaved channels and add up the squares of
/// each. `scratch` has room for as many samples.
/// Equal to k_weighting_energy() within 1e-6 of the energy from 4 kHz on (noise; a tone of 60 Hz 5e-6 up to 192 kHz),
/// 2e-5 below; variants may fuse products and sums.
typedef void (*k_slice_fn)(const struct k_slice_plan *plan, struct k_slice_state states[2],
                           const float *pair, uint32_t frames, float *scratch, double energies[2]);

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

/// One step of the filter. @return its output.
float k_slice_step(const struct k_slice_factors *factors, float memory[K_SLICE_ORDER],
                   float difference);
/// Let a tail end as zero before it turns denormal.
void k_slice_settle(struct k_slice_state *state);
