// SPDX-License-Identifier: MIT
// Peaks between the samples: the loudest point of an interpolated neighbourhood, per frame.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

enum {
    PEAK_ITU_TAPS = 12,
    PEAK_ITU_PAIRS = 2,
    PEAK_MAX_TAPS = 64,
    PEAK_MAX_PAIRS = 3,
    PEAK_LANES = 16 // the most frames that a variant takes at once
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
    float bound; // no output's magnitude exceeds bound times the largest |x|
};

/// The four phases of ITU-R BS.1770 Annex 2, 12 taps.
void peak_bank_itu(struct peak_bank *bank);
/// Seven phases (all of 8x but the samples themselves) of a 64-tap sinc, Kaiser beta 9.
void peak_bank_sharp(struct peak_bank *bank);

/// Variants agree to 1e-6 of the loudest sample; each gives the same bits however the stream is cut, but for what
/// is proven harmless and may be left out. Both functions raise
/// out[i] to the largest output over x[i-taps+1..i] for i < frames, x pointing at the first of the newest
/// frames; they read `x` up to 2 PEAK_LANES elements beyond, and touch `out` and `gate` up to PEAK_LANES.
/// RT safe.
struct peak_impl {
    const char *name;
    uint32_t cpu_flags;
    /// Where outputs are proven to be at most `floor`, out[i] may stay as it is.
    void (*raise)(const struct peak_bank *bank, float *out, const float *x, uint32_t frames,
                  float floor);
    /// Only where gate[i] > floor: for a costly bank behind a cheap one.
    void (*refine)(const struct peak_bank *bank, float *out, const float *gate, const float *x,
                   uint32_t frames, float floor);
};

extern const struct peak_impl *const peak_impls[]; // best first; the last is the reference
extern const size_t peak_impl_count;
/// The best variant that `cpu_flags` allow.
const struct peak_impl *peak_select(uint32_t cpu_flags);
