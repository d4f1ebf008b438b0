// SPDX-License-Identifier: MIT
// Vector types that the kernels' bodies share; every instruction set gives them the same results.
#pragma once
#include <stdint.h>
#include <string.h>
#ifdef __AVX2__
#    include <immintrin.h>
#endif

enum { VECTOR_LANES = 8, VECTOR_HALF = VECTOR_LANES / 2 };
typedef float vector4 __attribute__((vector_size(16)));
typedef float vector8 __attribute__((vector_size(32)));
typedef int32_t vector8_mask __attribute__((vector_size(32)));
typedef double vector4_wide __attribute__((vector_size(32)));
typedef int64_t vector4_mask __attribute__((vector_size(32)));

/// Eight values in double precision.
struct vector8_wide {
    vector4_wide half[2];
};

static inline void vector8_widen(struct vector8_wide *out, const float *values)
{
#ifdef __AVX2__
    // The compiler's own conversion works on halves of what the processor can do.
    out->half[0] = (vector4_wide)_mm256_cvtps_pd(_mm_loadu_ps(values));
    out->half[1] = (vector4_wide)_mm256_cvtps_pd(_mm_loadu_ps(values + VECTOR_HALF));
#else
    for (int i = 0; i < VECTOR_LANES; ++i)
        out->half[i / VECTOR_HALF][i % VECTOR_HALF] = (double)values[i];
#endif
}

static inline double vector8_wide_sum(const struct vector8_wide *x)
{
    double sum = 0;
    for (int i = 0; i < VECTOR_LANES; ++i)
        sum += x->half[i / VECTOR_HALF][i % VECTOR_HALF];
    return sum;
}

/// Sum of the lanes, in double precision.
static inline double vector8_sum(const vector8 *x)
{
    double sum = 0;
    for (int i = 0; i < VECTOR_LANES; ++i)
        sum += (double)(*x)[i];
    return sum;
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

static inline float vector8_highest(const vector8 *x)
{
    float highest = (*x)[0];
    for (int i = 1; i < VECTOR_LANES; ++i)
        highest = (*x)[i] > highest ? (*x)[i] : highest;
    return highest;
}
