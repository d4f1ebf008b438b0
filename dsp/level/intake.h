// SPDX-License-Identifier: MIT
// The first pass over decoded samples, with run-time variants.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The largest magnitude that is taken for sound: others, and NaN, are read as 0.
#define INTAKE_LARGEST 1024.0F
/// The smallest, -361 dBFS: what is fainter is read as 0, denormal numbers too. The square of none is denormal then.
#define INTAKE_LEAST 0x1p-60F

/// What is known of samples once they are clean.
struct intake {
    float peak;       // largest magnitude
    uint32_t has_odd; // 1: some were over INTAKE_LARGEST, or NaN
};

/// Variants give the same bits. Nothing overlaps; no alignment.
struct intake_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    /// Copy samples; odd ones and fainter ones than INTAKE_LEAST as 0.
    struct intake (*clean)(float *out, const float *in, size_t samples);
    /// Tell the sides of interleaved stereo apart, and take their mean.
    void (*split)(float *left, float *right, float *mono, const float *stereo, size_t frames);
};
/// Best first; the last is the reference and needs nothing.
extern const struct intake_impl intake_impls[];
extern const size_t intake_impl_count;
/// The best variant for these cpu_flags().
const struct intake_impl *intake_select(uint32_t cpu_flags);
