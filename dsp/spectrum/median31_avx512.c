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

#define ALWAYS static inline __attribute__((always_inline))
static const __mmask16 HALF = 0x00ff;

// A whole register, or half a one: what is masked takes a port that minima need.
ALWAYS void load_lanes(lanes *out, const float *row, uint32_t count)
{
    *out = count == WIDTH ? _mm512_loadu_ps(row) : _mm512_maskz_loadu_ps(HALF, row);
}

ALWAYS void store_lanes(float *row, const lanes *x, uint32_t count)
{
    if (count == WIDTH)
        _mm512_storeu_ps(row, *x);
    else
        _mm512_mask_storeu_ps(row, HALF, *x);
}

void median31_deal_avx512(float *out, const float *row, uint32_t lanes_of_phase)
{
    deal_phases(out, row, lanes_of_phase);
}

ALWAYS void sort_lanes(const float *const rows[RUN], float *const out[RUN], uint32_t at,
                       uint32_t count)
{
    lanes v[RUN];
    for (uint32_t i = 0; i < RUN; ++i)
        load_lanes(&v[i], rows[i] + at, count);
    sort_run(v);
    for (uint32_t i = 0; i < RUN; ++i)
        store_lanes(out[i] + at, &v[i], count);
}

void median31_sort_avx512(const float *const rows[RUN], float *const out[RUN], uint32_t count)
{
    uint32_t at = 0;
    for (; at + WIDTH <= count; at += WIDTH)
        sort_lanes(rows, out, at, WIDTH);
    if (at < count)
        sort_lanes(rows, out, at, WIDTH / 2);
}

ALWAYS void octet_lanes(const struct median31_rows *rows, float *const out[RUN], uint32_t at,
                        uint32_t count)
{
    lanes runs[3 * RUN], edge[2 * MEDIAN31_EDGE], shared[RUN], medians[RUN];
    for (uint32_t i = 0; i < 3 * RUN; ++i)
        load_lanes(&runs[i], rows->runs[i / RUN][i % RUN] + at, count);
    share_runs(shared, runs);
    for (uint32_t i = 0; i < MEDIAN31_EDGE; ++i) {
        load_lanes(&edge[i], rows->before[i] + at, count);
        load_lanes(&edge[MEDIAN31_EDGE + i], rows->after[i] + at, count);
    }
    end_windows(medians, shared, edge);
    for (uint32_t i = 0; i < RUN; ++i)
        store_lanes(out[i] + at, &medians[i], count);
}

void median31_octet_avx512(const struct median31_rows *rows, float *const out[RUN], uint32_t count)
{
    uint32_t at = 0;
    for (; at + WIDTH <= count; at += WIDTH)
        octet_lanes(rows, out, at, WIDTH);
    if (at < count)
        octet_lanes(rows, out, at, WIDTH / 2);
}
