// SPDX-License-Identifier: MIT
// The one body of every variant of peaks.h: each .c that includes it compiles it for its instruction set.
#pragma once
#include "dsp/logarithm.h"
#include "dsp/tonality/peaks.h"
#include "dsp/vectors.h"
#include <assert.h>
#include <math.h>

enum { WORD = 64 };

static inline uint32_t is_peak(const float *here, float least)
{
    return (here[0] > least) & (here[0] > here[-1]) & (here[0] >= here[1]) & (here[-1] > 0.0F) &
           (here[1] > 0.0F);
}

// Which of a register of bins are peaks, as bits.
static inline uint32_t peaks_of(const float *power, float least)
{
#if defined(__AVX512F__)
    const __m512 here = _mm512_loadu_ps(power), left = _mm512_loadu_ps(power - 1);
    const __m512 right = _mm512_loadu_ps(power + 1), zero = _mm512_setzero_ps();
    __mmask16 are = _mm512_cmp_ps_mask(here, _mm512_set1_ps(least), _CMP_GT_OQ);
    are = _mm512_mask_cmp_ps_mask(are, here, left, _CMP_GT_OQ);
    are = _mm512_mask_cmp_ps_mask(are, here, right, _CMP_GE_OQ);
    are = _mm512_mask_cmp_ps_mask(are, left, zero, _CMP_GT_OQ);
    return _mm512_mask_cmp_ps_mask(are, right, zero, _CMP_GT_OQ);
#elif defined(__AVX2__)
    const __m256 here = _mm256_loadu_ps(power), left = _mm256_loadu_ps(power - 1);
    const __m256 right = _mm256_loadu_ps(power + 1), zero = _mm256_setzero_ps();
    __m256 are = _mm256_cmp_ps(here, _mm256_set1_ps(least), _CMP_GT_OQ);
    are = _mm256_and_ps(are, _mm256_cmp_ps(here, left, _CMP_GT_OQ));
    are = _mm256_and_ps(are, _mm256_cmp_ps(here, right, _CMP_GE_OQ));
    are = _mm256_and_ps(are, _mm256_cmp_ps(left, zero, _CMP_GT_OQ));
    return (uint32_t)_mm256_movemask_ps(_mm256_and_ps(are, _mm256_cmp_ps(right, zero, _CMP_GT_OQ)));
#else
    uint32_t are = 0;
    for (uint32_t i = 0; i < WIDE_LANES; ++i)
        are |= is_peak(power + i, least) << i;
    return are;
#endif
}

static void find(struct peaks *peaks, const float *power, uint32_t first, uint32_t end, float least)
{
    assert(first > 0 && end < PEAKS_BINS);
    uint32_t count = 0;
    for (uint32_t k = first; k < end; k += WORD) {
        uint64_t are =
            0; // of a word's bins: the end of one longer loop is guessed more often than those of many short ones
        uint32_t i = 0;
        for (; i < WORD && k + i + WIDE_LANES <= end; i += WIDE_LANES)
            are |= (uint64_t)peaks_of(power + k + i, least) << i;
        for (; i < WORD && k + i < end; ++i)
            are |= (uint64_t)is_peak(power + k + i, least) << i;
        for (; are; are &= are - 1)
            peaks->bins[count++] = (uint16_t)(k + (uint32_t)__builtin_ctzll(are));
    }
    peaks->count = count;
}

// Repeat the last peak up to a whole register: what a loop has left over takes as long as all before it.
static inline uint32_t fill_up(struct peaks *peaks)
{
    uint32_t count = peaks->count;
    for (; count % PEAKS_LANES; ++count)
        peaks->bins[count] = peaks->bins[count - 1];
    return count;
}

// A register of peaks, whose magnitudes and places are those of their bins so far.
static inline void refine_lanes(struct peaks *restrict peaks, uint32_t first,
                                const float *restrict left, const float *restrict right, float turn)
{
    const float per_neper = turn / 0.69314718F;
    for (uint32_t i = first; i < first + PEAKS_LANES; ++i) {
        const float fall = logarithm(left[i] / peaks->magnitudes[i]);
        const float climb = logarithm(right[i] / peaks->magnitudes[i]);
        const float both = fall + climb, curve = both < -1e-20F ? both : -1e-20F;
        const float offset = 0.5F * (fall - climb) / curve, bin = (float)peaks->bins[i];
        const float place = peaks->places[i] + per_neper * logarithm(1.0F + offset / bin);
        const float risen = place < 0.0F ? place + turn : place;
        peaks->places[i] = risen < turn ? risen : risen - turn;
        peaks->places_in_bins[i] = bin + offset;
        peaks->magnitudes[i] = sqrtf(peaks->magnitudes[i]);
    }
}

static void refine(struct peaks *restrict peaks, const float *restrict power,
                   const struct peaks_circle *restrict circle)
{
    const uint32_t count = fill_up(peaks);
    float left[PEAKS_MAX], right[PEAKS_MAX];
    for (uint32_t i = 0; i < count; ++i) {
        const float *here = power + peaks->bins[i];
        peaks->magnitudes[i] = here[0];
        left[i] = here[-1];
        right[i] = here[1];
        peaks->places[i] = circle->places[peaks->bins[i]];
    }
    for (uint32_t i = 0; i < count; i += PEAKS_LANES)
        refine_lanes(peaks, i, left, right, circle->turn);
}

#define PEAKS_FUNCTIONS .find = find, .refine = refine
