// SPDX-License-Identifier: MIT
// Loudness by ITU-R BS.1770 and EBU Tech 3341 and 3342, the plain way in double precision.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct bs1770 {
    double integrated_lufs;                         // -70 where nothing passes
    double momentary_max_lufs;                      // on a 10 ms grid; NaN for a shorter signal
    double short_term_max_lufs;                     // likewise
    double momentary_min_lufs, short_term_min_lufs; // of the same windows, from 1 s and 3 s on
    double range_lu;                                // of windows every 100 ms
};

/// Gain of the K filter at `hz`, linear.
double bs1770_gain(uint32_t rate_hz, double hz);
/// Measure interleaved samples with a weight for each channel. Fails the test without memory.
void bs1770_measure(struct bs1770 *out, const float *interleaved, size_t frames, uint32_t rate_hz,
                    uint32_t channels, const double *weights);
