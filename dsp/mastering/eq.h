// SPDX-License-Identifier: MIT
// The chain's equaliser: five minimum-phase biquads in series, double state.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/eq_design.h"
#include "dsp/mastering/mastering.h"
#include <stddef.h>
#include <stdint.h>

/// Coefficients as plain numbers, so that they can be ramped: the product of the bands' b0, then
/// b1/b0, b2/b0, a1, a2 of each band. Between two sets, every mixture is stable: a biquad's
/// stable region is convex.
enum { EQ_BAND_NUMBERS = 4, EQ_NUMBERS = 1 + EQ_BAND_COUNT * EQ_BAND_NUMBERS };

/// State of both channels. Zero it to forget all audio. Thread-safety: one thread at a time.
struct eq {
    double s1[EQ_BAND_COUNT][2];
    double s2[EQ_BAND_COUNT][2];
};

/// From one set of numbers to another.
struct eq_way {
    double from[EQ_NUMBERS], to[EQ_NUMBERS];
};

/// The band's prototype: shape, centre, Q.
const struct eq_band *eq_band_of(int band);
/// Numbers for gains in dB at a rate. RT safe.
RT_SAFE void eq_numbers(double numbers[EQ_NUMBERS], const double gains_db[EQ_BAND_COUNT],
                        double rate_hz);

/// Variants agree to -220 dB of full scale; each gives the same bits however frames are cut.
struct eq_impl {
    const char *name;
    uint32_t cpu_flags;
    /// Process interleaved stereo in place. RT safe.
    void (*process)(struct eq *eq, const double numbers[EQ_NUMBERS], double *stereo,
                    uint32_t frames);
    /// The same with numbers that lie shares[i] of the way between two sets for frame i. RT safe.
    void (*glide)(struct eq *eq, const struct eq_way *way, const double *shares, double *stereo,
                  uint32_t frames);
};

extern const struct eq_impl eq_impls[]; // best first; the last is the reference
extern const size_t eq_impl_count;
/// The best variant that `cpu_flags` allow.
const struct eq_impl *eq_select(uint32_t cpu_flags);
