// SPDX-License-Identifier: MIT
// The difference function where there are AVX2 and FMA; the including file adds the rest of yin_body.h.
#pragma once
#include "dsp/spectrum/yin_body.h"

// Loads are what limits it: sample j + 8 at a lag stands where sample j stands at that lag + 8, so four
// samples eight apart and four groups of eight lags need seven loads instead of sixteen. Even and odd
// samples have sums of their own, or each addition would wait for the one before.
enum { WIDTH = 8, GROUPS = YIN_LAG_LANES / WIDTH, SAMPLES = 4, PART = 64 };

static inline void add_tile(__m256 sums[2][GROUPS], const float *x, const float *shifted)
{
    __m256 samples[SAMPLES];
    for (int s = 0; s < SAMPLES; ++s)
        samples[s] = _mm256_broadcast_ss(x + (ptrdiff_t)WIDTH * s);
    for (int i = 0; i < GROUPS + SAMPLES - 1; ++i) {
        const __m256 near = _mm256_loadu_ps(shifted + (ptrdiff_t)WIDTH * i);
        for (int s = 0; s < SAMPLES; ++s) {
            const int g = i - s;
            if (g < 0 || g >= GROUPS)
                continue;
            const __m256 d = _mm256_sub_ps(samples[s], near);
            sums[s % 2][g] = _mm256_fmadd_ps(d, d, sums[s % 2][g]);
        }
    }
}

static void differences(double *out, const float *x, uint32_t lags)
{
    assert(lags % YIN_LAG_LANES == 0);
    for (uint32_t lag = 0; lag < lags; lag += YIN_LAG_LANES) {
        __m256d low[GROUPS], high[GROUPS];
        for (int g = 0; g < GROUPS; ++g)
            low[g] = high[g] = _mm256_setzero_pd();
        for (uint32_t part = 0; part < YIN_BLOCK; part += PART) {
            __m256 sums[2][GROUPS];
            for (int g = 0; g < GROUPS; ++g)
                sums[0][g] = sums[1][g] = _mm256_setzero_ps();
            for (uint32_t tile = part; tile < part + PART; tile += WIDTH * SAMPLES)
                for (uint32_t j = tile; j < tile + WIDTH; ++j)
                    add_tile(sums, x + j, x + j + lag);
            for (int g = 0; g < GROUPS; ++g) {
                const __m256 sum = _mm256_add_ps(sums[0][g], sums[1][g]);
                low[g] = _mm256_add_pd(low[g], _mm256_cvtps_pd(_mm256_castps256_ps128(sum)));
                high[g] = _mm256_add_pd(high[g], _mm256_cvtps_pd(_mm256_extractf128_ps(sum, 1)));
            }
        }
        for (int g = 0; g < GROUPS; ++g) {
            _mm256_storeu_pd(out + lag + WIDTH * g, low[g]);
            _mm256_storeu_pd(out + lag + WIDTH * g + WIDTH / 2, high[g]);
        }
    }
}
