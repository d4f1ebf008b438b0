// SPDX-License-Identifier: MIT
// Linked soft-knee compressor: RMS detector, gain in the log domain, parallel mix.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/stereo.h"
#include <stdint.h>

/// Plain numbers, so that they can be ramped. Levels are of the louder channel's RMS (10 ms).
struct compressor_numbers {
    double threshold_db;
    double slope; // 1 - 1/ratio: dB taken off per dB over the threshold, 0..1
    double knee_db;
    double mix; // 0: gain is exactly 1
    double attack_s;
    double release_s;
};

/// From some numbers to others.
struct compressor_way {
    struct compressor_numbers from, to;
};

/// Thread-safety: one thread at a time.
struct compressor {
    // --- immutable after init
    double tick_s; // duration of one control period
    double detector;
    const struct stereo_impl *loops;
    // --- state
    double sums[STEREO_SUMS]; // of squares since the last tick
    double power;             // detector
    double gain_db;           // <= 0, smoothed
    double from, to;          // linear gains at both ends of the running period
    uint32_t phase;           // frames since the last tick
};

/// RT safe.
RT_SAFE void compressor_init(struct compressor *compressor, double rate_hz);
/// Process interleaved stereo in place. Gain is computed every 16 frames counted from init and
/// follows a straight line between. RT safe.
RT_SAFE void compressor_process(struct compressor *compressor,
                                const struct compressor_numbers *numbers, double *stereo,
                                uint32_t frames);
/// The same with numbers that lie shares[i] of the way between two sets for frame i. RT safe.
RT_SAFE void compressor_glide(struct compressor *compressor, const struct compressor_way *way,
                              const double *shares, double *stereo, uint32_t frames);
/// Gain in dB (<= 0) that the static curve asks for at a level. RT safe.
RT_SAFE double compressor_curve_db(const struct compressor_numbers *numbers, double level_db);
