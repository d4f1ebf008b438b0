// SPDX-License-Identifier: MIT
// Vectors of frames, as the peak kernels use them: as wide as the instruction set that they are compiled for.
#pragma once
#include "dsp/mastering/peak.h"
#include <assert.h>
#include <math.h>
#include <string.h>
#ifdef __AVX2__
#    include <immintrin.h>
#endif

#ifdef __AVX512F__
enum { LANES = 16 };
#else
enum { LANES = 8 };
#endif
static_assert((int)LANES <= (int)PEAK_LANES, "callers leave room for so many");

typedef float peak_lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t peak_mask __attribute__((vector_size(LANES * sizeof(float))));

static inline void peak_magnitude(peak_lanes *x)
{
    *x = (peak_lanes)((peak_mask)*x & INT32_MAX);
}

static inline void peak_larger(peak_lanes *x, const peak_lanes *y)
{
#if defined(__AVX512F__)
    *x = (peak_lanes)_mm512_max_ps((__m512)*y, (__m512)*x);
#elif defined(__AVX2__)
    *x = (peak_lanes)_mm256_max_ps((__m256)*y, (__m256)*x);
#else
    const peak_mask take = *y > *x;
    *x = (peak_lanes)(((peak_mask)*y & take) | ((peak_mask)*x & ~take));
#endif
}

/// Load lanes once, as they are used twice: gcc 12 would load them for either, and loads across two cache lines
/// are what the loop over taps waits for.
static inline void peak_load(peak_lanes *x, const float *from)
{
    memcpy(x, from, sizeof *x);
#ifdef __AVX2__
    __asm__("" : "+v"(*x));
#endif
}

/// The largest lane of each.
static inline void peak_largest(float *of_x, float *of_y, const peak_lanes *x, const peak_lanes *y)
{
#if defined(__AVX512F__)
    const __m512 a = (__m512)*x, b = (__m512)*y; // halves of either in one register from here on
    __m512 t = _mm512_max_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
    t = _mm512_max_ps(t, _mm512_shuffle_f32x4(t, t, 0xB1));
    t = _mm512_max_ps(t, _mm512_permute_ps(t, 0x4E));
    t = _mm512_max_ps(t, _mm512_permute_ps(t, 0xB1));
    *of_x = _mm512_cvtss_f32(t);
    *of_y = _mm_cvtss_f32(_mm512_extractf32x4_ps(t, 2));
#elif defined(__AVX2__)
    const __m256 a = (__m256)*x, b = (__m256)*y;
    __m256 t =
        _mm256_max_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    t = _mm256_max_ps(t, _mm256_permute_ps(t, 0x4E));
    t = _mm256_max_ps(t, _mm256_permute_ps(t, 0xB1));
    *of_x = _mm256_cvtss_f32(t);
    *of_y = _mm_cvtss_f32(_mm256_extractf128_ps(t, 1));
#else
    *of_x = *of_y = 0;
    for (int i = 0; i < LANES; ++i) {
        *of_x = fmaxf(*of_x, (*x)[i]);
        *of_y = fmaxf(*of_y, (*y)[i]);
    }
#endif
}

/// Raise lanes to the magnitudes of the samples.
static inline void peak_raise_to(peak_lanes *largest, const float *x)
{
    peak_lanes samples;
    memcpy(&samples, x, sizeof samples);
    peak_magnitude(&samples);
    peak_larger(largest, &samples);
}

/// @return a bit for each lane that is not at most `floor`.
static inline uint32_t peak_lanes_over(const peak_lanes *x, float floor)
{
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)*x, _mm512_set1_ps(floor), _CMP_NLE_UQ);
#elif defined(__AVX2__)
    const __m256 over = _mm256_cmp_ps((__m256)*x, _mm256_set1_ps(floor), _CMP_NLE_UQ);
    return (uint32_t)_mm256_movemask_ps(over);
#else
    uint32_t over = 0;
    for (int i = 0; i < LANES; ++i)
        over |= (uint32_t) !((*x)[i] <= floor) << i;
    return over;
#endif
}

static inline float peak_sum(const peak_lanes *x)
{
#if defined(__AVX512F__)
    return _mm512_reduce_add_ps((__m512)*x);
#else
    float sum = 0;
    for (int i = 0; i < LANES; ++i)
        sum += (*x)[i];
    return sum;
#endif
}
#ifdef __AVX2__
/// The sum of the lanes, half of it in either half.
static inline void peak_halves(__m256 *out, const peak_lanes *x)
{
#    ifdef __AVX512F__
    const __m512 all = (__m512)*x;
    *out = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
#    else
    *out = (__m256)*x;
#    endif
}
#endif

/// The largest magnitude of the sums over the lanes of each.
static inline float peak_largest_sum(const peak_lanes sums[PEAK_SHARP_PHASES])
{
#ifdef __AVX2__
    static_assert(PEAK_SHARP_PHASES == 7, "eight with the last one twice");
    __m256 s[PEAK_SHARP_PHASES + 1];
#    pragma GCC unroll 7
    for (int p = 0; p < PEAK_SHARP_PHASES; ++p)
        peak_halves(&s[p], &sums[p]);
    const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(s[0], s[1]), _mm256_hadd_ps(s[2], s[3]));
    const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(s[4], s[5]), _mm256_hadd_ps(s[6], s[6]));
    const __m256 all =
        _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    const __m256 sizes = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), all);
    __m128 t = _mm_max_ps(_mm256_castps256_ps128(sizes), _mm256_extractf128_ps(sizes, 1));
    t = _mm_max_ps(t, _mm_permute_ps(t, 0x4E));
    t = _mm_max_ps(t, _mm_permute_ps(t, 0xB1));
    return _mm_cvtss_f32(t);
#else
    float largest = 0;
    for (int p = 0; p < PEAK_SHARP_PHASES; ++p) {
        float sum = 0;
        for (int i = 0; i < LANES; ++i)
            sum += sums[p][i];
        largest = fmaxf(largest, fabsf(sum));
    }
    return largest;
#endif
}
