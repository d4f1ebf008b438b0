// SPDX-License-Identifier: MIT
// The one body of every variant of k_slice.h: each .c that includes it compiles it for its instruction
// set. Lanes are the two channels of each segment, of which there are as many as fill a register.
#pragma once
#include "dsp/level/k_slice.h"
#include "dsp/vectors.h"
#include <assert.h>
#include <math.h>

enum { ORDER = K_SLICE_ORDER, SEGMENTS = WIDE_LANES / 2, NEIGHBOURS = SEGMENTS };
static_assert((int)NEIGHBOURS <= (int)K_SLICE_SEGMENTS_MAX,
              "rows of differences are in whole squares");

// A filter under way in each lane; members as in k_slice_state.
struct memory {
    wide of[ORDER];
};

// As many neighbouring frames of each segment, `length` frames apart: a square of pairs, turned over.
static inline void load_neighbours(wide out[NEIGHBOURS], const float *samples, size_t length)
{
#if defined(__AVX512F__)
    __m512d low[4], high[4]; // even and odd frames of two segments each
#    pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; ++i) {
        const __m512d a = _mm512_castps_pd(_mm512_loadu_ps(samples + 4 * i * length));
        const __m512d b = _mm512_castps_pd(_mm512_loadu_ps(samples + (4 * i + 2) * length));
        low[i] = _mm512_unpacklo_pd(a, b);
        high[i] = _mm512_unpackhi_pd(a, b);
    }
#    pragma GCC unroll 2
    for (uint32_t i = 0; i < 2; ++i) {
        const __m512d *x = i ? high : low;
        const __m512d ab = _mm512_shuffle_f64x2(x[0], x[1], 0x88);
        const __m512d AB = _mm512_shuffle_f64x2(x[0], x[1], 0xdd);
        const __m512d cd = _mm512_shuffle_f64x2(x[2], x[3], 0x88);
        const __m512d CD = _mm512_shuffle_f64x2(x[2], x[3], 0xdd);
        out[i] = (wide)_mm512_shuffle_f64x2(ab, cd, 0x88);
        out[i + 2] = (wide)_mm512_shuffle_f64x2(AB, CD, 0x88);
        out[i + 4] = (wide)_mm512_shuffle_f64x2(ab, cd, 0xdd);
        out[i + 6] = (wide)_mm512_shuffle_f64x2(AB, CD, 0xdd);
    }
#elif defined(__AVX2__)
    const __m256d a = _mm256_castps_pd(_mm256_loadu_ps(samples));
    const __m256d b = _mm256_castps_pd(_mm256_loadu_ps(samples + 2 * length));
    const __m256d c = _mm256_castps_pd(_mm256_loadu_ps(samples + 4 * length));
    const __m256d d = _mm256_castps_pd(_mm256_loadu_ps(samples + 6 * length));
    const __m256d ab = _mm256_unpacklo_pd(a, b), AB = _mm256_unpackhi_pd(a, b);
    const __m256d cd = _mm256_unpacklo_pd(c, d), CD = _mm256_unpackhi_pd(c, d);
    out[0] = (wide)_mm256_permute2f128_pd(ab, cd, 0x20);
    out[1] = (wide)_mm256_permute2f128_pd(AB, CD, 0x20);
    out[2] = (wide)_mm256_permute2f128_pd(ab, cd, 0x31);
    out[3] = (wide)_mm256_permute2f128_pd(AB, CD, 0x31);
#else
    for (uint32_t t = 0; t < NEIGHBOURS; ++t)
        for (uint32_t lane = 0; lane < WIDE_LANES; ++lane)
            out[t][lane] = samples[lane / 2 * 2 * length + 2 * t + lane % 2];
#endif
}

// Frame t of each segment.
static inline void load_frames(wide *out, const float *samples, size_t t, size_t length)
{
    for (uint32_t lane = 0; lane < WIDE_LANES; ++lane)
        (*out)[lane] = samples[lane / 2 * 2 * length + 2 * t + lane % 2];
}

// What a segment has goes to the one n after it; the first take what `before` begins with.
static inline void shift_segments(wide *out, const wide *x, const wide *before, uint32_t n)
{
#ifdef __AVX512F__
    if (n == 1)
        *out = __builtin_shufflevector(*before, *x, 0, 1, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                                       26, 27, 28, 29);
    else if (n == 2)
        *out = __builtin_shufflevector(*before, *x, 0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24,
                                       25, 26, 27);
    else
        *out = __builtin_shufflevector(*before, *x, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21,
                                       22, 23);
#else
    if (n == 1)
        *out = __builtin_shufflevector(*before, *x, 0, 1, 8, 9, 10, 11, 12, 13);
    else
        *out = __builtin_shufflevector(*before, *x, 0, 1, 2, 3, 8, 9, 10, 11);
#endif
}

// How far a frame of each segment lies from the one before, and what that adds to the memories at their ends.
static inline void take_frames(float *restrict out, struct memory *ends, const float *weights,
                               const wide *frames, const wide *before)
{
    const wide difference = *frames - *before;
    memcpy(out, &difference, sizeof difference);
#pragma GCC unroll 4
    for (uint32_t k = 0; k < ORDER; ++k)
        ends->of[k] += weights[k] * difference;
}

// The frame before each segment, from the last ones.
static inline void load_before(wide *before, const wide *last, const struct k_slice_state states[2])
{
    const wide latest = {states[0].sample, states[1].sample};
    shift_segments(before, last, &latest, 1);
}

// Segments of less than a square, at low rates.
static inline void differ_one_by_one(float *restrict differences, struct memory *ends,
                                     const struct k_slice_plan *plan,
                                     const struct k_slice_state states[2], const float *samples)
{
    const size_t length = plan->segment_frames;
    wide x, before;
    load_frames(&x, samples, length - 1, length);
    load_before(&before, &x, states);
    for (size_t t = 0; t < length; ++t) {
        load_frames(&x, samples, t, length);
        take_frames(differences + t * WIDE_LANES, ends, plan->weights + t * ORDER, &x, &before);
        before = x;
    }
}

// In squares. The last of them overlaps the one before it where the segments are no multiple of it, and comes first,
// as a segment begins with the last frame of the one before.
static inline void differ(float *restrict differences, struct memory *ends,
                          const struct k_slice_plan *plan, const struct k_slice_state states[2],
                          const float *samples)
{
    const size_t length = plan->segment_frames, whole = length / NEIGHBOURS * NEIGHBOURS;
    const size_t last = length - NEIGHBOURS;
    wide x[NEIGHBOURS], before;
    load_neighbours(x, samples + 2 * last, length);
#pragma GCC unroll 8
    for (uint32_t i = 1; i < NEIGHBOURS; ++i)
        if (last + i >= whole)
            take_frames(differences + (last + i) * WIDE_LANES, ends,
                        plan->weights + (last + i) * ORDER, &x[i], &x[i - 1]);
    load_before(&before, &x[NEIGHBOURS - 1], states);
    for (size_t t = 0; t < whole; t += NEIGHBOURS) {
        load_neighbours(x, samples + 2 * t, length);
#pragma GCC unroll 8
        for (uint32_t i = 0; i < NEIGHBOURS; ++i)
            take_frames(differences + (t + i) * WIDE_LANES, ends, plan->weights + (t + i) * ORDER,
                        &x[i], i > 0 ? &x[i - 1] : &before);
        before = x[NEIGHBOURS - 1];
    }
}

// Add what the memories n segments before leave at the start of each. The shelf does not hear the high-pass.
static inline void add_earlier(struct memory *starts, const float advance[ORDER][ORDER], uint32_t n)
{
    const wide zero = {0};
    wide earlier[ORDER];
#pragma GCC unroll 4
    for (uint32_t k = 0; k < ORDER; ++k)
        shift_segments(&earlier[k], &starts->of[k], &zero, n);
#pragma GCC unroll 4
    for (uint32_t from = 0; from < ORDER; ++from)
#pragma GCC unroll 4
        for (uint32_t to = 0; to < ORDER; ++to)
            if (from < 2 || to >= 2)
                starts->of[to] += advance[to][from] * earlier[from];
}

// The memory at the start of each segment, from what each leaves at its end and what there was before the slice.
static inline void start_segments(struct memory *starts, const struct memory *ends,
                                  const struct k_slice_plan *plan,
                                  const struct k_slice_state states[2])
{
    for (uint32_t k = 0; k < ORDER; ++k) {
        const wide first = {states[0].memory[k], states[1].memory[k]};
        shift_segments(&starts->of[k], &ends->of[k], &first, 1);
    }
    for (uint32_t n = 1, power = 0; n < SEGMENTS; n *= 2, ++power)
        add_earlier(starts, plan->advance[power], n);
}

// One step of the filter, as k_slice_factors has it.
static inline void filter_step(struct memory *m, wide *energy, const struct k_slice_factors *f,
                               const wide *difference)
{
    const wide shelf = f->shelf_keep * m->of[0] + (*difference - f->shelf_pull * m->of[1]);
    const wide shelved = (*difference + f->shelf_now * shelf) + f->shelf_before * m->of[0];
    const wide pass = f->pass_keep * m->of[2] + (shelved - f->pass_pull * m->of[3]);
    m->of[1] += m->of[0];
    m->of[3] += m->of[2];
    m->of[0] = shelf;
    m->of[2] = pass;
    *energy += pass * pass;
}

// The filter over all segments. The sums of its squared outputs.
static inline void filter(struct memory *memory, wide *energy, const struct k_slice_plan *plan,
                          const float *differences)
{
    const struct k_slice_factors f = plan->factors;
    struct memory m = *memory;
    wide sum = {0};
    for (size_t t = 0; t < plan->segment_frames; ++t) {
        wide difference;
        memcpy(&difference, differences + t * WIDE_LANES, sizeof difference);
        filter_step(&m, &sum, &f, &difference);
    }
    *memory = m;
    *energy = sum;
}

// The frames that are left over, one by one.
static inline double end_channel(const struct k_slice_factors *f, struct k_slice_state *state,
                                 const float *samples, uint32_t frames)
{
    double energy = 0;
    for (uint32_t i = 0; i < frames; ++i) {
        const float output = k_slice_step(f, state->memory, samples[2 * (size_t)i] - state->sample);
        state->sample = samples[2 * (size_t)i];
        energy += (double)output * (double)output;
    }
    return energy;
}

static inline void slice_energies(const struct k_slice_plan *plan, struct k_slice_state states[2],
                                  const float *samples, uint32_t frames, float *differences,
                                  double energies[2])
{
    const uint32_t done = SEGMENTS * plan->segment_frames;
    assert(plan->segments == SEGMENTS && frames >= done);
    struct memory ends = {{{0}}}, memory;
    wide energy;
    if (plan->segment_frames < NEIGHBOURS)
        differ_one_by_one(differences, &ends, plan, states, samples);
    else
        differ(differences, &ends, plan, states, samples);
    start_segments(&memory, &ends, plan, states);
    filter(&memory, &energy, plan, differences);
    for (uint32_t c = 0; c < 2; ++c) {
        for (uint32_t k = 0; k < ORDER; ++k)
            states[c].memory[k] = memory.of[k][WIDE_LANES - 2 + c];
        states[c].sample = samples[2 * (size_t)(done - 1) + c];
        energies[c] =
            end_channel(&plan->factors, &states[c], samples + 2 * (size_t)done + c, frames - done);
        for (uint32_t lane = c; lane < WIDE_LANES; lane += 2)
            energies[c] += (double)energy[lane];
        k_slice_settle(&states[c]);
    }
}
