// SPDX-License-Identifier: MIT
// What every variant of yin_kernel.h does in the same order, so that it gives the same bits: each .c that
// includes it compiles it for its instruction set.
#pragma once
#include "dsp/spectrum/yin_kernel.h"
#include "dsp/vectors.h"
#include <assert.h>

enum { LANES = VECTOR_LANES, QUAD = 4 };

#ifdef __AVX512F__
typedef __m512d eight_wide;

static inline void load_eight(eight_wide *out, const double *values)
{
    *out = _mm512_loadu_pd(values);
}

static inline void square_eight(eight_wide *out, const float *values)
{
    const __m512d x = _mm512_cvtps_pd(_mm256_loadu_ps(values));
    *out = _mm512_mul_pd(x, x);
}

static inline void add_eight(eight_wide *sum, const eight_wide *x)
{
    *sum = _mm512_add_pd(*sum, *x);
}

// Store the sums up to each of eight values after those `before`, added in the order of the quads below.
static inline void store_sums(double *out, eight_wide *x, eight_wide *before)
{
    const __m512i third = _mm512_set1_epi64(QUAD - 1), last = _mm512_set1_epi64(LANES - 1);
    *x = _mm512_add_pd(*x, _mm512_maskz_permutex_pd(0xee, *x, 0x90));
    *x = _mm512_add_pd(*x, _mm512_maskz_permutex_pd(0xcc, *x, 0x40));
    *x = _mm512_add_pd(*x, _mm512_maskz_permutexvar_pd(0xf0, third, *x));
    _mm512_storeu_pd(out, _mm512_add_pd(*x, *before));
    *before = _mm512_add_pd(*before, _mm512_permutexvar_pd(last, *x));
}
#else
typedef double quad_wide __attribute__((vector_size(32)));
typedef struct {
    quad_wide low, high;
} eight_wide;

static inline void widen_quad(quad_wide *out, const float *values)
{
#    ifdef __AVX2__
    *out = (quad_wide)_mm256_cvtps_pd(_mm_loadu_ps(values));
#    else
    for (int i = 0; i < QUAD; ++i)
        (*out)[i] = (double)values[i];
#    endif
}

// Replace four values by the sums up to each.
static inline void sum_up(quad_wide *x)
{
    const quad_wide zero = {0};
    *x += __builtin_shufflevector(*x, zero, 4, 0, 1, 2);
    *x += __builtin_shufflevector(*x, zero, 4, 4, 0, 1);
}

static inline void load_eight(eight_wide *out, const double *values)
{
    memcpy(&out->low, values, sizeof out->low);
    memcpy(&out->high, values + QUAD, sizeof out->high);
}

static inline void square_eight(eight_wide *out, const float *values)
{
    widen_quad(&out->low, values);
    widen_quad(&out->high, values + QUAD);
    out->low *= out->low;
    out->high *= out->high;
}

static inline void add_eight(eight_wide *sum, const eight_wide *x)
{
    sum->low += x->low;
    sum->high += x->high;
}

// Store the sums up to each of eight values after those `before`: one addition in eight waits for another.
static inline void store_sums(double *out, eight_wide *x, eight_wide *before)
{
    sum_up(&x->low);
    sum_up(&x->high);
    x->high += __builtin_shufflevector(x->low, x->low, 3, 3, 3, 3);
    const quad_wide low = x->low + before->low, high = x->high + before->low;
    before->low += __builtin_shufflevector(x->high, x->high, 3, 3, 3, 3);
    memcpy(out, &low, sizeof low);
    memcpy(out + QUAD, &high, sizeof high);
}
#endif

static inline void yin_accumulate(double *restrict out, const double *restrict values,
                                  uint32_t count)
{
    assert(count % LANES == 0);
    eight_wide before = {0}, eight;
    for (uint32_t i = 0; i < count; i += LANES) {
        load_eight(&eight, values + i);
        store_sums(out + i, &eight, &before);
    }
}

// The sum of the squares of whole registers, in the same order whatever they are made of.
static inline double all_squares(const float *values, uint32_t count)
{
    double lanes[LANES];
    eight_wide sum = {0}, eight;
    for (uint32_t i = 0; i < count; i += LANES) {
        square_eight(&eight, values + i);
        add_eight(&sum, &eight);
    }
    memcpy(lanes, &sum, sizeof lanes);
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
           ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

static inline void yin_sum_squares(double sums[YIN_BLOCK + 1], const float *block, uint32_t count)
{
    assert(count % LANES == 0 && count <= YIN_BLOCK);
    eight_wide before = {0}, eight;
    sums[0] = 0;
    for (uint32_t i = 0; i < count; i += LANES) {
        square_eight(&eight, block + i);
        store_sums(sums + 1 + i, &eight, &before);
    }
    sums[YIN_BLOCK] = sums[count] + all_squares(block + count, YIN_BLOCK - count);
}

// Eight lags of one frame.
static inline void expand_eight(double *out, const struct yin_energies *energies, uint32_t lag,
                                const vector8 *products, double scale)
{
    const vector_part zero = {0};
    float stored[LANES];
    struct vector8_wide product;
    memcpy(stored, products, sizeof stored);
    vector8_widen(&product, stored);
    for (int h = 0; h < VECTOR_PARTS; ++h) {
        const uint32_t at = lag + (uint32_t)h * VECTOR_PART;
        vector_part left, entered;
        memcpy(&left, energies->left + at, sizeof left);
        memcpy(&entered, energies->entered + at, sizeof entered);
        vector_part difference = (energies->both + entered - left) - product.part[h] * scale;
        vector_part_higher(&difference, &zero);
        memcpy(out + at, &difference, sizeof difference);
    }
}

static inline void yin_expand(double *const out[2], const struct yin_energies energies[2],
                              const float *products, double scale, uint32_t lags)
{
    assert(lags % LANES == 0);
    for (uint32_t lag = 0; lag < lags; lag += LANES) {
        vector8 first, second;
        vector8_deal(&second, &first, products + 2 * (size_t)lag);
        expand_eight(out[0], &energies[0], lag, &first, scale);
        expand_eight(out[1], &energies[1], lag, &second, scale);
    }
}

// Which of eight lags from `lag` on are under the threshold, as bits.
static inline uint32_t under_eight(const double *differences, const double *sums, uint32_t lag,
                                   double share)
{
    uint32_t under = 0;
    for (uint32_t h = 0; h < VECTOR_PARTS; ++h) {
        const uint32_t at = lag + h * VECTOR_PART;
        vector_part difference, sum, lags;
        memcpy(&difference, differences + at, sizeof difference);
        memcpy(&sum, sums + at, sizeof sum);
        for (uint32_t i = 0; i < VECTOR_PART; ++i)
            lags[i] = (double)i;
        lags += (double)at;
        difference *= lags;
        sum *= share;
#if defined(__AVX512F__)
        under |= _mm512_cmp_pd_mask((__m512d)difference, (__m512d)sum, _CMP_LE_OQ);
#elif defined(__AVX2__)
        const __m256d le = _mm256_cmp_pd((__m256d)difference, (__m256d)sum, _CMP_LE_OQ);
        under |= (uint32_t)_mm256_movemask_pd(le) << h * VECTOR_PART;
#else
        for (uint32_t i = 0; i < VECTOR_PART; ++i)
            under |= (uint32_t)(difference[i] <= sum[i]) << (h * VECTOR_PART + i);
#endif
    }
    return under;
}

static inline uint32_t yin_first_under(const double *differences, const double *sums,
                                       uint32_t first, uint32_t end, double share)
{
    uint32_t lag = first;
    for (; lag + LANES <= end; lag += LANES) {
        const uint32_t under = under_eight(differences, sums, lag, share);
        if (under)
            return lag + (uint32_t)__builtin_ctz(under);
    }
    while (lag < end && differences[lag] * lag > sums[lag] * share)
        ++lag;
    return lag;
}
