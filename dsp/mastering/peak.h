// SPDX-License-Identifier: MIT
// Peaks between the samples: the loudest point of an interpolated neighbourhood, per frame.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

enum {
    PEAK_SIDES = 2,
    PEAK_ITU_TAPS = 12,
    PEAK_ITU_PAIRS = 2,
    PEAK_MAX_TAPS = 64,
    PEAK_MAX_PAIRS = 3,
    PEAK_QUICK_TAPS = 24,
    PEAK_SHARP_PHASES = 7,
    PEAK_LANES = 16,                // the most frames that a variant takes at once
    PEAK_PIECE = 256,               // the most frames of one call
    PEAK_REACH = PEAK_MAX_TAPS + 2, // elements before the newest that may be read
};

/// Interpolator of an even number of taps at several phases. A phase p and its mirror image 1-p
/// share their work: with s = x[k] + x[N-1-k] and d = x[k] - x[N-1-k], half the sum of both
/// outputs is a dot product of s, half the difference one of d, and the larger magnitude of the
/// two outputs is |half sum| + |half difference|.
struct peak_bank {
    uint32_t taps;
    uint32_t pairs;                                // of mirrored phases
    float even[PEAK_MAX_TAPS / 2][PEAK_MAX_PAIRS]; // weights of s
    float odd[PEAK_MAX_TAPS / 2][PEAK_MAX_PAIRS];  // weights of d
    float middle[PEAK_MAX_TAPS / 2];               // half-way phase, its own mirror; 0: none
};

/// No output is larger in magnitude than `straight` times the larger of two neighbours and `bent` times the largest
/// second difference among the samples that it is of, or `rough` times the root of the sum of their squares.
struct peak_bound {
    float straight, bent, rough;
};

/// Which peaks are read, all around the same middle.
struct peak_reader {
    uint32_t taps;           // of the longest bank
    struct peak_bank itu;    // read in any case
    struct peak_bank sharp;  // read as well, if it has taps
    struct peak_bank quick;  // proves where the sharp one need not be read; gives no peaks
    struct peak_bound known; // of all outputs, by the two middle samples
    struct peak_bound near;  // of the sharp ones, by the largest of those and of the quick ones
    float single[PEAK_SHARP_PHASES]
                [PEAK_MAX_TAPS]; // the sharp filters as they are, for one frame by itself
};

/// The four phases of ITU-R BS.1770 Annex 2, 12 taps.
void peak_reader_init_itu(struct peak_reader *reader);
/// Those, and seven phases (all of 8x but the samples themselves) of a 64-tap sinc, Kaiser beta 9, times `scale` >= 1.
void peak_reader_init_sharp(struct peak_reader *reader, double scale);

/// Variants agree to 1e-6 of the loudest sample; each gives the same bits however the stream is cut, but for what
/// is proven harmless and may be left out. RT safe.
struct peak_impl {
    const char *name;
    uint32_t cpu_flags;
    /// Raise out[i] to the largest output over x[i-taps+1..i] of either side, for i < frames (at most PEAK_PIECE),
    /// sides[] pointing at the first of the newest frames. Outputs that are proven to be at most `floor` may be left
    /// out. Reads up to PEAK_REACH elements before the first and 2 PEAK_LANES behind the last; touches `out` up to
    /// PEAK_LANES behind.
    void (*raise)(const struct peak_reader *reader, float *out,
                  const float *const sides[PEAK_SIDES], uint32_t frames, float floor);
};

extern const struct peak_impl *const peak_impls[]; // best first; the last is the reference
extern const size_t peak_impl_count;
/// The best variant that `cpu_flags` allow.
const struct peak_impl *peak_select(uint32_t cpu_flags);
