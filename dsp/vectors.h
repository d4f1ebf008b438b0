// SPDX-License-Identifier: MIT
// Vector types that the kernels' bodies share; every instruction set gives them the same results.
#pragma once
#include <stdint.h>
#include <string.h>
#ifdef __AVX2__
#    include <immintrin.h>
#elif defined(__SSE2__)
#    include <emmintrin.h>
#endif

// Eight doubles are as many parts as the instruction set needs for them.
#if defined(__AVX512F__)
#    define VECTOR_PART_BYTES 64
#elif defined(__AVX2__)
#    define VECTOR_PART_BYTES 32
#else
#    define VECTOR_PART_BYTES 16
#endif
enum {
    VECTOR_LANES = 8,
    VECTOR_PART = VECTOR_PART_BYTES / 8, // doubles of a part
    VECTOR_PARTS = VECTOR_LANES / VECTOR_PART,
};
typedef float vector4 __attribute__((vector_size(16)));
typedef float vector8 __attribute__((vector_size(32)));
typedef int32_t vector8_mask __attribute__((vector_size(32)));
typedef double vector_part __attribute__((vector_size(VECTOR_PART_BYTES)));
typedef int64_t vector_part_mask __attribute__((vector_size(VECTOR_PART_BYTES)));

/// Eight values in double precision.
struct vector8_wide {
    vector_part part[VECTOR_PARTS];
};

static inline void vector8_widen(struct vector8_wide *out, const float *values)
{
    // The compiler's own conversion works on halves of what the processor can do.
#if defined(__AVX512F__)
    out->part[0] = (vector_part)_mm512_cvtps_pd(_mm256_loadu_ps(values));
#elif defined(__AVX2__)
    out->part[0] = (vector_part)_mm256_cvtps_pd(_mm_loadu_ps(values));
    out->part[1] = (vector_part)_mm256_cvtps_pd(_mm_loadu_ps(values + VECTOR_PART));
#else
    for (int i = 0; i < VECTOR_LANES; ++i)
        out->part[i / VECTOR_PART][i % VECTOR_PART] = (double)values[i];
#endif
}

static inline double vector8_wide_sum(const struct vector8_wide *x)
{
    double sum = 0;
    for (int i = 0; i < VECTOR_LANES; ++i)
        sum += x->part[i / VECTOR_PART][i % VECTOR_PART];
    return sum;
}

static inline float vector8_sum(const vector8 *x)
{
#ifdef __AVX2__
    __m128 sum =
        _mm_add_ps(_mm256_castps256_ps128((__m256)*x), _mm256_extractf128_ps((__m256)*x, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
#else
    float sum = (*x)[0];
    for (int i = 1; i < VECTOR_LANES; ++i)
        sum += (*x)[i];
    return sum;
#endif
}

/// Keep the lower, or the higher, of both in *x, lane by lane. No NaN.
static inline void vector8_lower(vector8 *x, const vector8 *y)
{
#ifdef __AVX2__
    *x = (vector8)_mm256_min_ps((__m256)*y, (__m256)*x);
#else
    const vector8_mask take = *y < *x;
    *x = (vector8)(((vector8_mask)*y & take) | ((vector8_mask)*x & ~take));
#endif
}

static inline void vector8_higher(vector8 *x, const vector8 *y)
{
#ifdef __AVX2__
    *x = (vector8)_mm256_max_ps((__m256)*y, (__m256)*x);
#else
    const vector8_mask take = *y > *x;
    *x = (vector8)(((vector8_mask)*y & take) | ((vector8_mask)*x & ~take));
#endif
}

static inline void vector8_magnitude(vector8 *x)
{
    *x = (vector8)((vector8_mask)*x & INT32_MAX);
}

/// Keep the higher of both in *x, lane by lane. No NaN.
static inline void vector_part_higher(vector_part *x, const vector_part *y)
{
#if defined(__AVX512F__)
    *x = (vector_part)_mm512_max_pd((__m512d)*y, (__m512d)*x);
#elif defined(__AVX2__)
    *x = (vector_part)_mm256_max_pd((__m256d)*y, (__m256d)*x);
#elif defined(__SSE2__)
    *x = (vector_part)_mm_max_pd((__m128d)*y, (__m128d)*x);
#else
    const vector_part_mask take = *y > *x;
    *x = (vector_part)(((vector_part_mask)*y & take) | ((vector_part_mask)*x & ~take));
#endif
}

/// Add eight values to sums in double precision.
static inline void vector8_add_to(struct vector8_wide *sums, const vector8 *values)
{
    float stored[VECTOR_LANES];
    struct vector8_wide added;
    memcpy(stored, values, sizeof stored);
    vector8_widen(&added, stored);
    for (int h = 0; h < VECTOR_PARTS; ++h)
        sums->part[h] += added.part[h];
}

/// Deal sixteen values out by turns: even[i] = values[2i], odd[i] = values[2i + 1].
static inline void vector8_deal(vector8 *even, vector8 *odd, const float *values)
{
#ifdef __AVX2__
    const __m256 a = _mm256_loadu_ps(values), b = _mm256_loadu_ps(values + VECTOR_LANES);
    const __m256d evens = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    const __m256d odds = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    *even = (vector8)_mm256_permute4x64_pd(evens, 0xd8);
    *odd = (vector8)_mm256_permute4x64_pd(odds, 0xd8);
#else
    for (int i = 0; i < VECTOR_LANES; ++i) {
        (*even)[i] = values[2 * i];
        (*odd)[i] = values[2 * i + 1];
    }
#endif
}

/// Exchange rows and columns of a square: value j of x[i] and value i of x[j].
static inline void vector8_transpose(vector8 x[VECTOR_LANES])
{
#ifdef __AVX2__
    __m256 fours[VECTOR_LANES]; // each half of a register transposed
#    pragma GCC unroll 2
    for (int i = 0; i < VECTOR_LANES; i += 4) {
        const __m256 a = (__m256)x[i], b = (__m256)x[i + 1], c = (__m256)x[i + 2],
                     d = (__m256)x[i + 3];
        const __m256d ab = _mm256_castps_pd(_mm256_unpacklo_ps(a, b));
        const __m256d AB = _mm256_castps_pd(_mm256_unpackhi_ps(a, b));
        const __m256d cd = _mm256_castps_pd(_mm256_unpacklo_ps(c, d));
        const __m256d CD = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
        fours[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd));
        fours[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd));
        fours[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(AB, CD));
        fours[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(AB, CD));
    }
#    pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        x[i] = (vector8)_mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
        x[i + 4] = (vector8)_mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
#else
    for (int i = 0; i < VECTOR_LANES; ++i)
        for (int j = 0; j < i; ++j) {
            const float kept = x[i][j];
            x[i][j] = x[j][i];
            x[j][i] = kept;
        }
#endif
}

/// As many floats as one register holds, for kernels whose results do not depend on how many.
#ifdef __AVX512F__
enum { WIDE_LANES = 16 };
typedef float wide __attribute__((vector_size(64)));
typedef int32_t wide_mask __attribute__((vector_size(64)));
#else
enum { WIDE_LANES = VECTOR_LANES };
typedef vector8 wide;
typedef vector8_mask wide_mask;
#endif

static inline float wide_sum(const wide *x)
{
#ifdef __AVX512F__
    return _mm512_reduce_add_ps((__m512)*x);
#else
    return vector8_sum(x);
#endif
}

/// Keep the lower, or the higher, of both in *x, lane by lane. No NaN.
static inline void wide_lower(wide *x, const wide *y)
{
#ifdef __AVX512F__
    *x = (wide)_mm512_min_ps((__m512)*y, (__m512)*x);
#else
    vector8_lower(x, y);
#endif
}

static inline void wide_higher(wide *x, const wide *y)
{
#ifdef __AVX512F__
    *x = (wide)_mm512_max_ps((__m512)*y, (__m512)*x);
#else
    vector8_higher(x, y);
#endif
}

/// Keep the values of *x that are over those of *floor, and 0 for the rest. No NaN.
static inline void wide_keep_over(wide *x, const wide *floor)
{
#if defined(__AVX512F__)
    const __mmask16 over = _mm512_cmp_ps_mask((__m512)*x, (__m512)*floor, _CMP_GT_OQ);
    *x = (wide)_mm512_maskz_mov_ps(over, (__m512)*x);
#elif defined(__AVX2__)
    const __m256 over = _mm256_cmp_ps((__m256)*x, (__m256)*floor, _CMP_GT_OQ);
    *x = (wide)_mm256_and_ps((__m256)*x, over);
#else
    *x = (wide)((wide_mask)*x & (wide_mask)(*x > *floor));
#endif
}

static inline void wide_magnitude(wide *x)
{
    *x = (wide)((wide_mask)*x & INT32_MAX);
}

static inline float wide_highest(const wide *x)
{
#if defined(__AVX512F__)
    return _mm512_reduce_max_ps((__m512)*x);
#elif defined(__AVX2__)
    __m128 high =
        _mm_max_ps(_mm256_castps256_ps128((__m256)*x), _mm256_extractf128_ps((__m256)*x, 1));
    high = _mm_max_ps(high, _mm_movehl_ps(high, high));
    return _mm_cvtss_f32(_mm_max_ss(high, _mm_movehdup_ps(high)));
#else
    float highest = (*x)[0];
    for (int i = 1; i < WIDE_LANES; ++i)
        highest = (*x)[i] > highest ? (*x)[i] : highest;
    return highest;
#endif
}

/// Whether any lane is over the limit. No NaN.
static inline int wide_is_over(const wide *x, float limit)
{
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)*x, _mm512_set1_ps(limit), _CMP_GT_OQ) != 0;
#elif defined(__AVX2__)
    const __m256 over = _mm256_cmp_ps((__m256)*x, _mm256_set1_ps(limit), _CMP_GT_OQ);
    return _mm256_movemask_ps(over) != 0;
#else
    return wide_highest(x) > limit;
#endif
}

/// Keep the higher of both in *x, lane by lane, as integers: magnitudes order as their bits do, NaN above all.
static inline void wide_mask_higher(wide_mask *x, const wide_mask *y)
{
#if defined(__AVX512F__)
    *x = (wide_mask)_mm512_max_epi32((__m512i)*x, (__m512i)*y);
#elif defined(__AVX2__)
    *x = (wide_mask)_mm256_max_epi32((__m256i)*x, (__m256i)*y);
#else
    const wide_mask take = *y > *x;
    *x = (*y & take) | (*x & ~take);
#endif
}

/// The same of two registers of values: even[i] = values[2i], odd[i] = values[2i + 1].
static inline void wide_deal(wide *even, wide *odd, const float *values)
{
#if defined(__AVX512F__)
    const __m512 a = _mm512_loadu_ps(values), b = _mm512_loadu_ps(values + WIDE_LANES);
    const __m512i places =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    *even = (wide)_mm512_permutex2var_ps(a, places, b);
    *odd = (wide)_mm512_permutex2var_ps(a, _mm512_add_epi32(places, _mm512_set1_epi32(1)), b);
#else
    vector8_deal(even, odd, values);
#endif
}
