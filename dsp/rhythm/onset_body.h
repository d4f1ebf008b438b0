// SPDX-License-Identifier: MIT
// The one body of every variant of onset_kernel.h: each .c that includes it compiles it for its instruction set.
#pragma once
#include "dsp/logarithm.h"
#include "dsp/rhythm/onset_kernel.h"
#include "dsp/vectors.h"
#include <assert.h>
#include <math.h>

enum { BANDS = ONSET_BANDS, LANES = ONSET_LANES };
static_assert((int)LANES == (int)VECTOR_LANES, "a row is a register");

static void sum_bands(float bands[BANDS], const struct onset_rows *rows, const float *power)
{
    vector8 band = {0}; // what the bins below its top give it
    for (uint32_t b = 0; b < BANDS; ++b) {
        vector8 above = {0};
        const float *bins = power + rows->first[b];
        for (uint32_t i = rows->begin[b]; i < rows->begin[b + 1]; ++i, bins += LANES) {
            vector8 here, lower, upper;
            memcpy(&here, bins, sizeof here);
            memcpy(&lower, rows->lower[i], sizeof lower);
            memcpy(&upper, rows->upper[i], sizeof upper);
            band += lower * here;
            above += upper * here;
        }
        bands[b] = vector8_sum(&band);
        band = above;
    }
}

static void take_logs(float logs[BANDS], const float bands[BANDS])
{
    for (uint32_t b = 0; b < BANDS; ++b)
        logs[b] = logarithm(bands[b] > ONSET_LEAST_POWER ? bands[b] : ONSET_LEAST_POWER);
}

static void rise(float *restrict rises, const float *restrict now, const float *restrict before,
                 float floor)
{
    for (uint32_t b = 0; b < BANDS; ++b) {
        const float from = before[b] > floor ? before[b] : floor;
        rises[b] = now[b] > from ? now[b] - from : 0.0F;
    }
}

static inline void add_product(vector8 *sums, const float *a, const float *b)
{
    vector8 x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    *sums += x * y;
}

static float multiply(const float *a, const float *b, uint32_t count)
{
    assert(count % LANES == 0);
    vector8 s = {0}, t = {0}, u = {0}, v = {0}; // four, as a sum waits for the one before
    uint32_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
        add_product(&s, a + i, b + i);
        add_product(&t, a + i + LANES, b + i + LANES);
        add_product(&u, a + i + 2 * (size_t)LANES, b + i + 2 * (size_t)LANES);
        add_product(&v, a + i + 3 * (size_t)LANES, b + i + 3 * (size_t)LANES);
    }
    for (; i < count; i += LANES)
        add_product(&s, a + i, b + i);
    s = (s + t) + (u + v);
    return vector8_sum(&s);
}

static void root(float *restrict out, const float *restrict power, uint32_t bins)
{
    for (uint32_t k = 0; k < bins; ++k)
        out[k] = sqrtf(power[k]);
}

static void add(float *out, const float *const *parts, uint32_t count, uint32_t bins)
{
    for (uint32_t k = 0; k < bins; k += LANES) {
        vector8 sum, part;
        memcpy(&sum, parts[0] + k, sizeof sum);
        for (uint32_t p = 1; p < count; ++p) {
            memcpy(&part, parts[p] + k, sizeof part);
            sum += part;
        }
        memcpy(out + k, &sum, sizeof sum);
    }
}

static struct onset_angle compare(const float *before, const float *after, uint32_t bins)
{
    vector8 across = {0}, of_before = {0}, of_after = {0};
    for (uint32_t k = 0; k < bins; k += LANES) {
        vector8 a, b;
        memcpy(&a, before + k, sizeof a);
        memcpy(&b, after + k, sizeof b);
        across += a * b;
        of_before += a * a;
        of_after += b * b;
    }
    return (struct onset_angle){vector8_sum(&across), vector8_sum(&of_before),
                                vector8_sum(&of_after)};
}

#if defined(__AVX512F__)
static double best_step(const double *total, const double *cost, uint32_t count, uint32_t *place)
{
    __m512d best = _mm512_setzero_pd(); // of each lane
    __m512i places = _mm512_setzero_si512(), at = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    for (uint32_t i = 0; i < count; i += LANES) {
        const __m512d value = _mm512_sub_pd(_mm512_loadu_pd(total + i), _mm512_loadu_pd(cost + i));
        places = _mm512_mask_mov_epi64(places, _mm512_cmp_pd_mask(value, best, _CMP_GE_OQ), at);
        best = _mm512_max_pd(best, value);
        at = _mm512_add_epi64(at, _mm512_set1_epi64(LANES));
    }
    const double highest = _mm512_reduce_max_pd(best);
    const __mmask8 have_it = _mm512_cmp_pd_mask(best, _mm512_set1_pd(highest), _CMP_EQ_OQ);
    *place = (uint32_t)_mm512_mask_reduce_max_epu64(have_it, places);
    return highest;
}
#else
static double best_step(const double *total, const double *cost, uint32_t count, uint32_t *place)
{
    vector_part lanes[VECTOR_PARTS] = {{0.0}};     // the best of each
    vector_part_mask places[VECTOR_PARTS] = {{0}}; // of those, the last of equal ones
    for (uint32_t i = 0; i < count; i += LANES) {
        for (uint32_t part = 0; part < VECTOR_PARTS; part++) {
            vector_part value, costs;
            memcpy(&value, total + i + part * VECTOR_PART, sizeof value);
            memcpy(&costs, cost + i + part * VECTOR_PART, sizeof costs);
            value -= costs;
            const vector_part_mask is_best = value >= lanes[part];
            places[part] = (is_best & (int64_t)i) | (places[part] & ~is_best);
            vector_part_higher(&lanes[part], &value);
        }
    }
    // No branches: which lane is best, nobody can guess.
    double best = 0.0;
    for (uint32_t lane = 0; lane < LANES; lane++) {
        const double value = lanes[lane / VECTOR_PART][lane % VECTOR_PART];
        best = value > best ? value : best;
    }
    *place = 0;
    for (uint32_t lane = 0; lane < LANES; lane++) {
        const double value = lanes[lane / VECTOR_PART][lane % VECTOR_PART];
        const uint32_t at = (uint32_t)places[lane / VECTOR_PART][lane % VECTOR_PART] + lane;
        const uint32_t of_best = at & -(uint32_t)(value >= best);
        *place = of_best > *place ? of_best : *place;
    }
    return best;
}
#endif

// Keep the larger of both in each lane of *best, and in *places where it comes from.
static inline void keep_larger(wide *best, wide_mask *places, const wide *value, int32_t place)
{
#if defined(__AVX512F__)
    const __mmask16 is_larger = _mm512_cmp_ps_mask((__m512)*value, (__m512)*best, _CMP_GT_OQ);
    *places =
        (wide_mask)_mm512_mask_mov_epi32((__m512i)*places, is_larger, _mm512_set1_epi32(place));
#else
    const wide_mask is_larger = *value > *best;
    *places = (place & is_larger) | (*places & ~is_larger);
#endif
    wide_higher(best, value);
}

static void best_changes(float best[ONSET_INTERVALS], uint8_t places[ONSET_INTERVALS],
                         const float *total, float (*cost)[ONSET_INTERVALS], uint32_t count)
{
    int32_t stored[ONSET_INTERVALS];
    for (uint32_t j = 0; j < ONSET_INTERVALS; j += WIDE_LANES) {
        wide value, highest;
        wide_mask from = {0};
        memcpy(&highest, cost[0] + j, sizeof highest);
        highest = total[0] - highest;
        for (uint32_t i = 1; i < count; ++i) {
            memcpy(&value, cost[i] + j, sizeof value);
            value = total[i] - value;
            keep_larger(&highest, &from, &value, (int32_t)i);
        }
        memcpy(best + j, &highest, sizeof highest);
        memcpy(stored + j, &from, sizeof from);
    }
    for (uint32_t j = 0; j < ONSET_INTERVALS; ++j)
        places[j] = (uint8_t)stored[j];
}

#define ONSET_FUNCTIONS                                                                            \
    .sum_bands = sum_bands, .take_logs = take_logs, .rise = rise, .multiply = multiply,            \
    .root = root, .add = add, .compare = compare, .best_step = best_step,                          \
    .best_changes = best_changes
