// SPDX-License-Identifier: MIT
#include "dsp/spectrum/median31_variants.h"
#include <string.h>

enum { WIDTH = 4 };
typedef float lanes __attribute__((vector_size(16)));
typedef int32_t lanes_mask __attribute__((vector_size(16)));

static inline void lower(lanes *a, const lanes *b)
{
    const lanes_mask take = *b < *a;
    *a = (lanes)(((lanes_mask)*b & take) | ((lanes_mask)*a & ~take));
}

static inline void higher(lanes *a, const lanes *b)
{
    const lanes_mask take = *b > *a;
    *a = (lanes)(((lanes_mask)*b & take) | ((lanes_mask)*a & ~take));
}

#include "dsp/spectrum/median31_body.h"

void median31_deal_c(float *out, const float *row, uint32_t lanes_of_phase)
{
    for (uint32_t i = 0; i < lanes_of_phase; ++i)
        for (uint32_t q = 0; q < RUN; ++q)
            out[(size_t)q * lanes_of_phase + i] = row[(size_t)RUN * i + q];
}

void median31_sort_c(const float *const rows[RUN], float *const out[RUN], uint32_t count)
{
    for (uint32_t at = 0; at < count; at += WIDTH) {
        lanes v[RUN];
        for (uint32_t i = 0; i < RUN; ++i)
            memcpy(&v[i], rows[i] + at, sizeof v[i]);
        sort_run(v);
        for (uint32_t i = 0; i < RUN; ++i)
            memcpy(out[i] + at, &v[i], sizeof v[i]);
    }
}

void median31_octet_c(const struct median31_rows *rows, float *const out[RUN], uint32_t count)
{
    for (uint32_t at = 0; at < count; at += WIDTH) {
        lanes runs[3 * RUN], edge[2 * MEDIAN31_EDGE], shared[RUN], medians[RUN];
        for (uint32_t i = 0; i < 3 * RUN; ++i)
            memcpy(&runs[i], rows->runs[i / RUN][i % RUN] + at, sizeof runs[i]);
        share_runs(shared, runs);
        for (uint32_t i = 0; i < MEDIAN31_EDGE; ++i) {
            memcpy(&edge[i], rows->before[i] + at, sizeof edge[i]);
            memcpy(&edge[MEDIAN31_EDGE + i], rows->after[i] + at, sizeof edge[i]);
        }
        end_windows(medians, shared, edge);
        for (uint32_t i = 0; i < RUN; ++i)
            memcpy(out[i] + at, &medians[i], sizeof medians[i]);
    }
}
