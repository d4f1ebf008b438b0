// SPDX-License-Identifier: MIT
// The one body of every variant of peaks.h: each .c that includes it compiles it for its instruction set.
#pragma once
#include "dsp/logarithm.h"
#include "dsp/tonality/peaks.h"
#include "dsp/vectors.h"
#include <assert.h>
#include <math.h>

#ifdef __AVX512F__
// Of a register of bins from k on, those of `within` that are peaks.
static inline __mmask16 peaks_of(const float *power, __mmask16 within, float least)
{
    const __m512 here = _mm512_maskz_loadu_ps(within, power), zero = _mm512_setzero_ps();
    const __m512 left = _mm512_maskz_loadu_ps(within, power - 1);
    const __m512 right = _mm512_maskz_loadu_ps(within, power + 1);
    __mmask16 are = _mm512_cmp_ps_mask(here, _mm512_set1_ps(least), _CMP_GT_OQ);
    are = _mm512_mask_cmp_ps_mask(are, here, left, _CMP_GT_OQ);
    are = _mm512_mask_cmp_ps_mask(are, here, right, _CMP_GE_OQ);
    are = _mm512_mask_cmp_ps_mask(are, left, zero, _CMP_GT_OQ);
    return _mm512_mask_cmp_ps_mask(are, right, zero, _CMP_GT_OQ);
}

// A whole register is stored, of which the next overwrites what is not a peak.
static inline void pack(float *out, __mmask16 are, const float *values)
{
    _mm512_storeu_ps(out, _mm512_maskz_compress_ps(are, _mm512_maskz_loadu_ps(are, values)));
}

static void find(struct peaks *restrict peaks, const float *restrict power,
                 const struct peaks_circle *restrict circle, uint32_t first, uint32_t end,
                 float least)
{
    assert(first > 0 && end < PEAKS_BINS && least >= 0);
    const __m512 lanes = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    uint32_t count = 0;
    for (uint32_t k = first; k < end; k += WIDE_LANES) {
        const uint32_t rest = end - k;
        const __mmask16 within = (__mmask16)(rest < WIDE_LANES ? (1U << rest) - 1 : UINT16_MAX);
        const __mmask16 are = peaks_of(power + k, within, least);
        const __m512 bins = _mm512_add_ps(lanes, _mm512_set1_ps((float)k));
        _mm512_storeu_ps(peaks->bins + count, _mm512_maskz_compress_ps(are, bins));
        pack(peaks->powers + count, are, power + k);
        pack(peaks->left + count, are, power + k - 1);
        pack(peaks->right + count, are, power + k + 1);
        pack(peaks->centres + count, are, circle->places + k);
        count += (uint32_t)__builtin_popcount(are);
    }
    peaks->count = count;
}
#else
enum { WORD = 64 };

static inline uint32_t is_peak(const float *here, float least)
{
    return (here[0] > least) & (here[0] > here[-1]) & (here[0] >= here[1]) & (here[-1] > 0.0F) &
           (here[1] > 0.0F);
}

// Which of a register of bins are peaks, as bits.
static inline uint32_t peaks_of(const float *power, float least)
{
#    ifdef __AVX2__
    const __m256 here = _mm256_loadu_ps(power), left = _mm256_loadu_ps(power - 1);
    const __m256 right = _mm256_loadu_ps(power + 1), zero = _mm256_setzero_ps();
    __m256 are = _mm256_cmp_ps(here, _mm256_set1_ps(least), _CMP_GT_OQ);
    are = _mm256_and_ps(are, _mm256_cmp_ps(here, left, _CMP_GT_OQ));
    are = _mm256_and_ps(are, _mm256_cmp_ps(here, right, _CMP_GE_OQ));
    are = _mm256_and_ps(are, _mm256_cmp_ps(left, zero, _CMP_GT_OQ));
    return (uint32_t)_mm256_movemask_ps(_mm256_and_ps(are, _mm256_cmp_ps(right, zero, _CMP_GT_OQ)));
#    else
    uint32_t are = 0;
    for (uint32_t i = 0; i < WIDE_LANES; ++i)
        are |= is_peak(power + i, least) << i;
    return are;
#    endif
}

static void find(struct peaks *restrict peaks, const float *restrict power,
                 const struct peaks_circle *restrict circle, uint32_t first, uint32_t end,
                 float least)
{
    assert(first > 0 && end < PEAKS_BINS && least >= 0);
    uint32_t count = 0;
    for (uint32_t k = first; k < end; k += WORD) {
        uint64_t are =
            0; // of a word's bins: the end of one longer loop is guessed more often than those of many short ones
        uint32_t i = 0;
        for (; i < WORD && k + i + WIDE_LANES <= end; i += WIDE_LANES)
            are |= (uint64_t)peaks_of(power + k + i, least) << i;
        for (; i < WORD && k + i < end; ++i)
            are |= (uint64_t)is_peak(power + k + i, least) << i;
        for (; are; are &= are - 1, ++count) {
            const uint32_t bin = k + (uint32_t)__builtin_ctzll(are);
            peaks->bins[count] = (float)bin;
            peaks->powers[count] = power[bin];
            peaks->left[count] = power[bin - 1];
            peaks->right[count] = power[bin + 1];
            peaks->centres[count] = circle->places[bin];
        }
    }
    peaks->count = count;
}
#endif

// Fill up a whole register: what a loop has left over takes as long as all before it.
static inline void fill_up(struct peaks *peaks)
{
    float *const columns[] = {peaks->bins, peaks->powers, peaks->left, peaks->right};
    for (uint32_t c = 0; c < sizeof columns / sizeof *columns; ++c)
        for (uint32_t lane = 0; lane < PEAKS_LANES; ++lane)
            columns[c][peaks->count + lane] = 1;
    memset(peaks->centres + peaks->count, 0, PEAKS_LANES * sizeof *peaks->centres);
}

// What refine() reads and writes, which are not the same.
static inline void refine_columns(float *restrict magnitudes, float *restrict places_in_bins,
                                  float *restrict places, const struct peaks *restrict found,
                                  uint32_t count, float turn)
{
    const float per_neper = turn / 0.69314718F;
    for (uint32_t i = 0; i < count; ++i) {
        const float power = found->powers[i], bin = found->bins[i];
        const float fall = logarithm(found->left[i] / power);
        const float climb = logarithm(found->right[i] / power);
        const float both = fall + climb, curve = both < -1e-20F ? both : -1e-20F;
        const float offset = 0.5F * (fall - climb) / curve;
        const float place = found->centres[i] + per_neper * logarithm(1.0F + offset / bin);
        const float risen = place < 0.0F ? place + turn : place;
        places[i] = risen < turn ? risen : risen - turn;
        places_in_bins[i] = bin + offset;
        magnitudes[i] = sqrtf(power);
    }
}

static void refine(struct peaks *peaks, const struct peaks_circle *circle)
{
    fill_up(peaks);
    const uint32_t whole = (peaks->count + WIDE_LANES - 1) / WIDE_LANES * WIDE_LANES;
    refine_columns(peaks->magnitudes, peaks->places_in_bins, peaks->places, peaks, whole,
                   circle->turn);
}

#define PEAKS_FUNCTIONS .find = find, .refine = refine
