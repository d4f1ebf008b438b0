// SPDX-License-Identifier: MIT
// Compiled with -mavx2; called only where the processor has it. Eight lanes a register.
#include "dsp/spectrum/median31_variants.h"
#include <immintrin.h>

typedef __m256 lanes;

static inline void lower(lanes *a, const lanes *b)
{
    *a = _mm256_min_ps(*a, *b);
}

static inline void higher(lanes *a, const lanes *b)
{
    *a = _mm256_max_ps(*a, *b);
}

#include "dsp/spectrum/median31_body.h"

void median31_deal_avx2(float *out, const float *row, uint32_t lanes_of_phase)
{
    deal_phases(out, row, lanes_of_phase);
}

void median31_sort_avx2(const float *const rows[RUN], float *const out[RUN], uint32_t count)
{
    for (uint32_t at = 0; at < count; at += MEDIAN31_LANES) {
        lanes v[RUN];
        for (uint32_t i = 0; i < RUN; ++i)
            v[i] = _mm256_loadu_ps(rows[i] + at);
        sort_run(v);
        for (uint32_t i = 0; i < RUN; ++i)
            _mm256_storeu_ps(out[i] + at, v[i]);
    }
}

void median31_octet_avx2(const struct median31_rows *rows, float *const out[RUN], uint32_t count)
{
    for (uint32_t at = 0; at < count; at += MEDIAN31_LANES) {
        lanes runs[3 * RUN], edge[2 * MEDIAN31_EDGE], shared[RUN], medians[RUN];
        for (uint32_t i = 0; i < 3 * RUN; ++i)
            runs[i] = _mm256_loadu_ps(rows->runs[i / RUN][i % RUN] + at);
        share_runs(shared, runs);
        for (uint32_t i = 0; i < MEDIAN31_EDGE; ++i) {
            edge[i] = _mm256_loadu_ps(rows->before[i] + at);
            edge[MEDIAN31_EDGE + i] = _mm256_loadu_ps(rows->after[i] + at);
        }
        end_windows(medians, shared, edge);
        for (uint32_t i = 0; i < RUN; ++i)
            _mm256_storeu_ps(out[i] + at, medians[i]);
    }
}
