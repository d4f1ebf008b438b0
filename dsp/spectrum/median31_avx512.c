// SPDX-License-Identifier: MIT
// Compiled with AVX-512; called only where the processor has it. Sixteen lanes a register, the last
// perhaps half empty.
#include "dsp/spectrum/median31_variants.h"
#include <immintrin.h>

enum { WIDTH = 16 };
typedef __m512 lanes;

static inline void lower(lanes *a, const lanes *b)
{
    *a = _mm512_min_ps(*a, *b);
}

static inline void higher(lanes *a, const lanes *b)
{
    *a = _mm512_max_ps(*a, *b);
}

#include "dsp/spectrum/median31_body.h"

static inline __mmask16 lanes_left(uint32_t count, uint32_t at)
{
    return count - at < WIDTH ? 0x00ff : 0xffff;
}

void median31_deal_avx512(float *out, const float *row, uint32_t lanes_of_phase)
{
    deal_phases(out, row, lanes_of_phase);
}

void median31_sort_avx512(const float *const rows[RUN], float *const out[RUN], uint32_t count)
{
    for (uint32_t at = 0; at < count; at += WIDTH) {
        const __mmask16 left = lanes_left(count, at);
        lanes v[RUN];
        for (uint32_t i = 0; i < RUN; ++i)
            v[i] = _mm512_maskz_loadu_ps(left, rows[i] + at);
        sort_run(v);
        for (uint32_t i = 0; i < RUN; ++i)
            _mm512_mask_storeu_ps(out[i] + at, left, v[i]);
    }
}

void median31_octet_avx512(const struct median31_rows *rows, float *const out[RUN], uint32_t count)
{
    for (uint32_t at = 0; at < count; at += WIDTH) {
        const __mmask16 left = lanes_left(count, at);
        lanes runs[3 * RUN], edge[2 * MEDIAN31_EDGE], shared[RUN], medians[RUN];
        for (uint32_t i = 0; i < 3 * RUN; ++i)
            runs[i] = _mm512_maskz_loadu_ps(left, rows->runs[i / RUN][i % RUN] + at);
        share_runs(shared, runs);
        for (uint32_t i = 0; i < MEDIAN31_EDGE; ++i) {
            edge[i] = _mm512_maskz_loadu_ps(left, rows->before[i] + at);
            edge[MEDIAN31_EDGE + i] = _mm512_maskz_loadu_ps(left, rows->after[i] + at);
        }
        end_windows(medians, shared, edge);
        for (uint32_t i = 0; i < RUN; ++i)
            _mm512_mask_storeu_ps(out[i] + at, left, medians[i]);
    }
}
