// SPDX-License-Identifier: MIT
// The one body of every variant of stereo.h: each .c that includes it compiles it for its instruction set.
#pragma once
#include "dsp/mastering/stereo.h"
#include <math.h>
#include <string.h>
#ifdef __AVX2__
#    include <immintrin.h>
#endif

typedef double stereo_lanes __attribute__((vector_size(32)));
typedef int64_t stereo_mask __attribute__((vector_size(32)));

static const float STEREO_LIMIT = 1024.0F;

static void stereo_widen(double *restrict stereo, const float *restrict in, uint32_t frames)
{
    uint32_t limit;
    memcpy(&limit, &STEREO_LIMIT, sizeof limit);
    for (uint32_t i = 0; i < 2 * frames; ++i) {
        // By its bits, as all that is refused has larger ones, so that the loop has no branch.
        uint32_t bits;
        memcpy(&bits, &in[i], sizeof bits);
        bits &= (bits & INT32_MAX) <= limit ? UINT32_MAX : 0;
        float x;
        memcpy(&x, &bits, sizeof x);
        stereo[i] = (double)x;
    }
}

static void stereo_narrow(float *restrict out, const double *restrict stereo, uint32_t frames)
{
    for (uint32_t i = 0; i < 2 * frames; ++i)
        out[i] = (float)stereo[i];
}

static void stereo_split(float *restrict left, float *restrict right, const double *restrict stereo,
                         uint32_t frames)
{
    uint32_t i = 0;
#ifdef __AVX2__
    for (; i + 4 <= frames; i += 4) { // the compiler's own way takes twice as long
        const __m128 a = _mm256_cvtpd_ps(_mm256_loadu_pd(stereo + (size_t)2 * i));
        const __m128 b = _mm256_cvtpd_ps(_mm256_loadu_pd(stereo + (size_t)2 * i + 4));
        _mm_storeu_ps(left + i, _mm_shuffle_ps(a, b, 0x88));
        _mm_storeu_ps(right + i, _mm_shuffle_ps(a, b, 0xDD));
    }
#endif
    for (; i < frames; ++i) {
        left[i] = (float)stereo[(size_t)2 * i];
        right[i] = (float)stereo[(size_t)2 * i + 1];
    }
}

static void stereo_magnitudes(float *restrict peaks, const float *restrict left,
                              const float *restrict right, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        const float a = fabsf(left[i]), b = fabsf(right[i]);
        peaks[i] = a > b ? a : b;
    }
}

static void stereo_want_gains(float *restrict peaks, float ceiling, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i)
        peaks[i] = ceiling / (peaks[i] > ceiling ? peaks[i] : ceiling);
}

static inline void stereo_lower(stereo_lanes *x, const stereo_lanes *y)
{
#ifdef __AVX2__
    *x = (stereo_lanes)_mm256_min_pd((__m256d)*x, (__m256d)*y);
#else
    const stereo_mask keep = *x < *y;
    *x = (stereo_lanes)(((stereo_mask)*x & keep) | ((stereo_mask)*y & ~keep));
#endif
}

static double stereo_multiply(double *restrict gains, const double *restrict earlier, double least,
                              uint32_t frames)
{
    stereo_lanes lowest = {least, least, least, least};
    uint32_t i = 0;
    for (; i + 4 <= frames; i += 4) {
        stereo_lanes a, b;
        memcpy(&a, gains + i, sizeof a);
        memcpy(&b, earlier + i, sizeof b);
        a *= b;
        stereo_lower(&lowest, &a);
        memcpy(gains + i, &a, sizeof a);
    }
    for (; i < frames; ++i) {
        gains[i] *= earlier[i];
        lowest[0] = gains[i] < lowest[0] ? gains[i] : lowest[0];
    }
    for (int lane = 0; lane < 4; ++lane)
        least = lowest[lane] < least ? lowest[lane] : least;
    return least;
}

static void stereo_scale(double *restrict out, const double *restrict stereo,
                         const double *restrict gains, uint32_t frames)
{
    uint32_t i = 0;
    for (; i + 4 <= frames; i += 4) {
        stereo_lanes gain, a, b;
        memcpy(&gain, gains + i, sizeof gain);
        memcpy(&a, stereo + (size_t)2 * i, sizeof a);
        memcpy(&b, stereo + (size_t)2 * i + 4, sizeof b);
        a *= __builtin_shufflevector(gain, gain, 0, 0, 1, 1);
        b *= __builtin_shufflevector(gain, gain, 2, 2, 3, 3);
        memcpy(out + (size_t)2 * i, &a, sizeof a);
        memcpy(out + (size_t)2 * i + 4, &b, sizeof b);
    }
    for (; i < frames; ++i) {
        out[(size_t)2 * i] = stereo[(size_t)2 * i] * gains[i];
        out[(size_t)2 * i + 1] = stereo[(size_t)2 * i + 1] * gains[i];
    }
}

static void stereo_ramp(double *restrict stereo, double from, double step, uint32_t first,
                        uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        const double gain = from + step * (double)(int32_t)(first + i);
        stereo[(size_t)2 * i] *= gain;
        stereo[(size_t)2 * i + 1] *= gain;
    }
}

static inline void stereo_higher(stereo_lanes *x, const stereo_lanes *y)
{
#ifdef __AVX2__
    *x = (stereo_lanes)_mm256_max_pd((__m256d)*x, (__m256d)*y);
#else
    const stereo_mask keep = *x > *y;
    *x = (stereo_lanes)(((stereo_mask)*x & keep) | ((stereo_mask)*y & ~keep));
#endif
}

static void stereo_add_squares(double sums[STEREO_SUMS], const double *restrict stereo,
                               uint32_t first, uint32_t frames)
{
    // The order in which the lanes of two vectors interleave without crossing their halves.
    static const uint32_t places[STEREO_SUMS] = {0, 2, 1, 3};
    uint32_t i = 0;
    if (first % STEREO_SUMS == 0 && frames >= STEREO_SUMS) {
        stereo_lanes lanes;
        memcpy(&lanes, sums, sizeof lanes);
        for (; i + STEREO_SUMS <= frames; i += STEREO_SUMS) {
            stereo_lanes a, b;
            memcpy(&a, stereo + (size_t)2 * i, sizeof a);
            memcpy(&b, stereo + (size_t)2 * i + 4, sizeof b);
            a *= a;
            b *= b;
            stereo_lanes left = __builtin_shufflevector(a, b, 0, 4, 2, 6);
            const stereo_lanes right = __builtin_shufflevector(a, b, 1, 5, 3, 7);
            stereo_higher(&left, &right);
            lanes += left;
        }
        memcpy(sums, &lanes, sizeof lanes);
    }
    for (; i < frames; ++i) {
        const double l = stereo[(size_t)2 * i] * stereo[(size_t)2 * i];
        const double r = stereo[(size_t)2 * i + 1] * stereo[(size_t)2 * i + 1];
        sums[places[(first + i) % STEREO_SUMS]] += l > r ? l : r;
    }
}

#define STEREO_IMPL(name, cpu_flags)                                                               \
    {                                                                                              \
        name, cpu_flags, stereo_widen, stereo_narrow, stereo_split, stereo_magnitudes,             \
            stereo_want_gains, stereo_multiply, stereo_scale, stereo_ramp, stereo_add_squares      \
    }
