// SPDX-License-Identifier: MIT
// The chain's simple loops over interleaved stereo, compiled for each instruction set.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { STEREO_SUMS = 4 };

/// Every variant gives the same bits. Arguments do not overlap. RT safe.
struct stereo_impl {
    const char *name;
    uint32_t cpu_flags;
    /// To double precision; NaN, infinity and magnitudes over 1024 count as 0, as at the decoders.
    void (*widen)(double *stereo, const float *in, uint32_t frames);
    /// To single precision.
    void (*narrow)(float *out, const double *stereo, uint32_t frames);
    /// Into the two sides, in single precision.
    void (*split)(float *left, float *right, const double *stereo, uint32_t frames);
    /// peaks[i] = the larger magnitude of both sides.
    void (*magnitudes)(float *peaks, const float *left, const float *right, uint32_t frames);
    /// peaks[i] becomes the gain that brings it to the ceiling, at most 1.
    void (*want_gains)(float *peaks, float ceiling, uint32_t frames);
    /// gains[i] *= earlier[i]. @return the least of the products, and of `least`.
    double (*multiply)(double *gains, const double *earlier, double least, uint32_t frames);
    /// out[i] = stereo[i] gains[i].
    void (*scale)(double *out, const double *stereo, const double *gains, uint32_t frames);
    /// stereo[i] *= from + step (first + i): a straight line of gains.
    void (*ramp)(double *stereo, double from, double step, uint32_t first, uint32_t frames);
    /// Add the larger square of both sides of each frame to one of the sums, by the frame's number
    /// `first` + i alone: the same sums however frames are cut.
    void (*add_squares)(double sums[STEREO_SUMS], const double *stereo, uint32_t first,
                        uint32_t frames);
};

extern const struct stereo_impl *const stereo_impls[]; // best first; the last is the reference
extern const size_t stereo_impl_count;
/// The best variant that `cpu_flags` allow.
const struct stereo_impl *stereo_select(uint32_t cpu_flags);
