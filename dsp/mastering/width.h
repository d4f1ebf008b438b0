// SPDX-License-Identifier: MIT
// Mid/side width above the bass: low frequencies keep the width they have. The makeup goes along with it.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

/// Zero it to forget all audio. Thread-safety: one thread at a time.
struct width {
    double low[2]; // what two one-pole high-passes in series have taken off the side signal
};

struct width_numbers {
    double coefficient; // of the crossover
    double side_gain;   // of the side signal above 150 Hz; 1: untouched, bit for bit
    double gain;        // of everything, behind it
};

/// From some numbers to others, of one crossover.
struct width_way {
    struct width_numbers from, to;
};

/// Coefficient of the crossover for a rate. RT safe.
RT_SAFE double width_coefficient(double rate_hz);

/// Variants agree to -250 dB of full scale; each gives the same bits however frames are cut.
struct width_impl {
    const char *name;
    uint32_t cpu_flags;
    /// Process interleaved stereo in place. RT safe.
    void (*process)(struct width *width, const struct width_numbers *numbers, double *stereo,
                    uint32_t frames);
    /// The same with gains that lie shares[i] of the way from one to the other for frame i. RT safe.
    void (*glide)(struct width *width, const struct width_way *way, const double *shares,
                  double *stereo, uint32_t frames);
};

extern const struct width_impl width_impls[]; // best first; the last is the reference
extern const size_t width_impl_count;
/// The best variant that `cpu_flags` allow.
const struct width_impl *width_select(uint32_t cpu_flags);
