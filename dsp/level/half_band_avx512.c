// SPDX-License-Identifier: MIT
// Compiled with AVX-512; called only where the processor has it.
#include "dsp/level/half_band_body.h"
#include "dsp/level/half_band_variants.h"
#include <assert.h>

enum { SUMS = 2 }; // side by side, as a sum waits for the one before
static_assert((int)PAIRS == (int)LANES, "a register of outputs takes the windows of two");

// Outputs 16 w to 16 w + 15 take the sixteen windows from even[16 w] on by the taps in turn, and the sixteen after
// those by the taps backwards, so each window is loaded once for two registers of outputs: few of them lie in one cache
// line, and loading them is what takes the time.
static inline void add_windows(__m512 before[SUMS], __m512 here[SUMS], const __m512 taps[PAIRS],
                               const float *even)
{
#pragma GCC unroll 16
    for (uint32_t j = 0; j < PAIRS; ++j) {
        const __m512 window = _mm512_loadu_ps(even + j);
        here[j % SUMS] = _mm512_fmadd_ps(taps[j], window, here[j % SUMS]);
        before[j % SUMS] = _mm512_fmadd_ps(taps[PAIRS - 1 - j], window, before[j % SUMS]);
    }
}

static inline __m512 center_of(const float *line)
{
    wide centers, rest;
    wide_deal(&centers, &rest, line + HALF_BAND_CENTER);
    return _mm512_mul_ps(_mm512_set1_ps(0.5F), (__m512)centers);
}

void half_band_filter_avx512(float *restrict out, const float *restrict line,
                             const float taps[HALF_BAND_PAIRS], float *restrict even,
                             uint32_t outputs)
{
    __m512 spread[PAIRS], before[SUMS], here[SUMS];
#pragma GCC unroll 16
    for (uint32_t j = 0; j < PAIRS; ++j)
        spread[j] = _mm512_set1_ps(taps[j]);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < SUMS; ++i)
        here[i] = before[i] = _mm512_setzero_ps();
    const uint32_t whole = half_band_gather(even, line, outputs);
    for (uint32_t m = 0; m <= whole; m += LANES) {
        if (m < whole)
            here[0] = center_of(line + (size_t)2 * m);
        add_windows(before, here, spread, even + m);
        if (m > 0)
            _mm512_storeu_ps(out + m - LANES, _mm512_add_ps(before[0], before[1]));
#pragma GCC unroll 4
        for (uint32_t i = 0; i < SUMS; ++i) {
            before[i] = here[i];
            here[i] = _mm512_setzero_ps();
        }
    }
}
