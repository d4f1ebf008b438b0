// SPDX-License-Identifier: MIT
// The one body of every peak variant: each .c that includes it compiles it for its instruction set.
// Lanes are frames, so no sum changes its order and no result its bits.
#pragma once
#include "dsp/mastering/peak.h"
#include <assert.h>
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

/// Whether any lane of `x` is larger than `floor`.
static inline int peak_any_over(const peak_lanes *x, float floor)
{
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)*x, _mm512_set1_ps(floor), _CMP_GT_OQ) != 0;
#elif defined(__AVX2__)
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256)*x, _mm256_set1_ps(floor), _CMP_GT_OQ)) != 0;
#else
    int any = 0;
    for (int i = 0; i < LANES; ++i)
        any |= (*x)[i] > floor;
    return any;
#endif
}

/// Whether a magnitude of `count` elements, or of a few more, is larger than `floor`.
static inline int peak_is_over(const float *x, uint32_t count, float floor)
{
    peak_lanes largest = {0};
    for (uint32_t i = 0; i < count; i += LANES) {
        peak_lanes v;
        memcpy(&v, x + i, sizeof v);
        peak_magnitude(&v);
        peak_larger(&largest, &v);
    }
    return peak_any_over(&largest, floor);
}

/// The largest outputs of one group of frames, `oldest` being the first tap of the first.
__attribute__((always_inline)) static inline void peak_outputs(peak_lanes *largest,
                                                               const struct peak_bank *bank,
                                                               const float *oldest, uint32_t taps,
                                                               uint32_t pairs, int with_middle)
{
    peak_lanes even[PEAK_MAX_PAIRS] = {{0}}, odd[PEAK_MAX_PAIRS] = {{0}}, middle = {0};
    for (uint32_t k = 0; k < taps / 2; ++k) {
        peak_lanes early, late;
        memcpy(&early, oldest + k, sizeof early);
        memcpy(&late, oldest + taps - 1 - k, sizeof late);
        const peak_lanes sum = early + late, difference = early - late;
        for (uint32_t p = 0; p < pairs; ++p) {
            even[p] += bank->even[k][p] * sum;
            odd[p] += bank->odd[k][p] * difference;
        }
        if (with_middle)
            middle += bank->middle[k] * sum;
    }
    peak_magnitude(&middle);
    *largest = middle;
    for (uint32_t p = 0; p < pairs; ++p) {
        peak_magnitude(&even[p]);
        peak_magnitude(&odd[p]);
        even[p] += odd[p];
        peak_larger(largest, &even[p]);
    }
}

/// The same for either bank, each with its sizes known to the compiler.
static inline void peak_outputs_of(peak_lanes *largest, const struct peak_bank *bank,
                                   const float *oldest)
{
    if (bank->taps == PEAK_MAX_TAPS)
        peak_outputs(largest, bank, oldest, PEAK_MAX_TAPS, PEAK_MAX_PAIRS, 1);
    else
        peak_outputs(largest, bank, oldest, PEAK_ITU_TAPS, PEAK_ITU_PAIRS, 0);
}

static void peak_raise(const struct peak_bank *bank, float *out, const float *x, uint32_t frames,
                       float floor)
{
    const float harmless = floor / bank->bound;
    for (uint32_t i = 0; i < frames; i += LANES) {
        const float *oldest = x + i - (bank->taps - 1);
        if (!peak_is_over(oldest, bank->taps + LANES - 1, harmless))
            continue;
        peak_lanes largest, before;
        peak_outputs_of(&largest, bank, oldest);
        memcpy(&before, out + i, sizeof before);
        peak_larger(&largest, &before);
        memcpy(out + i, &largest, sizeof largest);
    }
}

static void peak_refine(const struct peak_bank *bank, float *out, const float *gate, const float *x,
                        uint32_t frames, float floor)
{
    for (uint32_t i = 0; i < frames; i += LANES) {
        if (!peak_is_over(gate + i, LANES, floor))
            continue;
        peak_lanes largest, before, gates;
        peak_outputs_of(&largest, bank, x + i - (bank->taps - 1));
        memcpy(&before, out + i, sizeof before);
        memcpy(&gates, gate + i, sizeof gates);
        // Lane by lane, or the result would depend on how frames fall into groups.
        largest = (peak_lanes)((peak_mask)largest & (gates > floor));
        peak_larger(&largest, &before);
        memcpy(out + i, &largest, sizeof largest);
    }
}
