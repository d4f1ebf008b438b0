// SPDX-License-Identifier: MIT
// The one body of every variant of k_slice.h: each .c that includes it compiles it for its instruction
// set. Lanes are the two channels of each segment, and no sum changes its order, so every variant gives
// the same bits.
#pragma once
#include "dsp/level/k_slice.h"
#include "dsp/vectors.h"
#include <assert.h>

enum { ORDER = K_SLICE_ORDER, SEGMENTS = K_SLICE_SEGMENTS, PARTS = VECTOR_PARTS };
static_assert(2 * SEGMENTS == VECTOR_LANES, "the segments' channels fill the lanes");

// The filter's memory; members as in k_state.
struct memory {
    vector_part shelf[2], high_pass[2];
};

static inline double lane_of(const struct vector8_wide *x, uint32_t segment, uint32_t channel)
{
    const uint32_t lane = 2 * segment + channel;
    return x->part[lane / VECTOR_PART][lane % VECTOR_PART];
}

// One frame of each segment, `length` frames apart.
static inline void load_frames(struct vector8_wide *out, const float *pair, uint32_t length)
{
    const size_t step = 2 * (size_t)length;
#ifdef __AVX2__
    const __m128 early = _mm_loadh_pi(_mm_castsi128_ps(_mm_loadu_si64(pair)),
                                      (const __m64 *)(const void *)(pair + step));
    const __m128 late = _mm_loadh_pi(_mm_castsi128_ps(_mm_loadu_si64(pair + 2 * step)),
                                     (const __m64 *)(const void *)(pair + 3 * step));
#    ifdef __AVX512F__
    out->part[0] = (vector_part)_mm512_cvtps_pd(_mm256_set_m128(late, early));
#    else
    out->part[0] = (vector_part)_mm256_cvtps_pd(early);
    out->part[1] = (vector_part)_mm256_cvtps_pd(late);
#    endif
#else
    for (uint32_t s = 0; s < SEGMENTS; ++s)
        out->part[s] = (vector_part){(double)pair[s * step], (double)pair[s * step + 1]};
#endif
}

// What each segment leaves in the filter's memory, beside what was there. Unrolled, as sums in an array would wait
// for memory at each frame.
static inline void contribute(struct vector8_wide sums[ORDER], const struct k_slice_plan *plan,
                              const float *pair)
{
    vector_part parts[ORDER][PARTS] = {{{0}}};
    for (uint32_t t = 0; t < plan->segment_frames; ++t) {
        struct vector8_wide frame;
        load_frames(&frame, pair + 2 * (size_t)t, plan->segment_frames);
        const double *weights = plan->weights[t];
#pragma GCC unroll 4
        for (uint32_t k = 0; k < ORDER; ++k)
#pragma GCC unroll 4
            for (uint32_t p = 0; p < PARTS; ++p)
                parts[k][p] += weights[k] * frame.part[p];
    }
    for (uint32_t k = 0; k < ORDER; ++k)
        for (uint32_t p = 0; p < PARTS; ++p)
            sums[k].part[p] = parts[k][p];
}

// The memory at the start of each segment.
static inline void start_segments(struct memory out[PARTS], const struct k_slice_plan *plan,
                                  const struct k_state states[2], const float *pair)
{
    struct vector8_wide sums[ORDER] = {{.part = {{0}}}};
    double memory[SEGMENTS][2][ORDER];
    contribute(sums, plan, pair);
    memcpy(memory[0], states, sizeof memory[0]);
    for (uint32_t s = 0; s + 1 < SEGMENTS; ++s)
        for (uint32_t c = 0; c < 2; ++c)
            for (uint32_t k = 0; k < ORDER; ++k) {
                const double *a = plan->advance[k], *m = memory[s][c];
                memory[s + 1][c][k] = lane_of(&sums[k], s, c) +
                                      ((a[0] * m[0] + a[1] * m[1]) + (a[2] * m[2] + a[3] * m[3]));
            }
    for (uint32_t lane = 0; lane < VECTOR_LANES; ++lane) {
        const double *m = memory[lane / 2][lane % 2];
        struct memory *part = &out[lane / VECTOR_PART];
        part->shelf[0][lane % VECTOR_PART] = m[0];
        part->shelf[1][lane % VECTOR_PART] = m[1];
        part->high_pass[0][lane % VECTOR_PART] = m[2];
        part->high_pass[1][lane % VECTOR_PART] = m[3];
    }
}

// One frame of each segment of a part.
static inline void filter(vector_part *energy, struct memory *m, const struct k_coefficients *k,
                          const vector_part *frame)
{
    const vector_part x = *frame;
    const vector_part y = k->shelf_b[0] * x + m->shelf[0];
    m->shelf[0] = k->shelf_b[1] * x + m->shelf[1] - k->shelf_a[1] * y;
    m->shelf[1] = k->shelf_b[2] * x - k->shelf_a[2] * y;
    const vector_part z = y + m->high_pass[0];
    m->high_pass[0] = m->high_pass[1] - (y + y) - k->high_pass_a[1] * z;
    m->high_pass[1] = y - k->high_pass_a[2] * z;
    *energy += z * z;
}

static inline void end_slice(struct k_state states[2], const struct memory memory[PARTS])
{
    const struct memory *last = &memory[PARTS - 1];
    for (uint32_t c = 0; c < 2; ++c) {
        const uint32_t lane = VECTOR_PART - 2 + c;
        states[c] =
            (struct k_state){.shelf = {last->shelf[0][lane], last->shelf[1][lane]},
                             .high_pass = {last->high_pass[0][lane], last->high_pass[1][lane]}};
    }
}

// The frames that are left over, sample by sample.
static inline double end_channel(const struct k_coefficients *k, struct k_state *state,
                                 const float *samples, uint32_t frames)
{
    enum { PIECE = 8 };
    double energy = 0, piece[PIECE];
    do {
        const uint32_t count = frames < PIECE ? frames : PIECE;
        for (uint32_t i = 0; i < count; ++i)
            piece[i] = (double)samples[2 * i];
        energy += k_weighting_energy(k, state, piece, count);
        samples += 2 * PIECE;
        frames -= count;
    } while (frames > 0);
    return energy;
}

static inline void slice_energies(const struct k_slice_plan *plan, struct k_state states[2],
                                  const float *pair, uint32_t frames, double energies[2])
{
    const uint32_t length = plan->segment_frames, rest = SEGMENTS * length;
    assert(frames >= rest);
    const struct k_coefficients k = plan->coefficients;
    struct memory memory[PARTS];
    struct vector8_wide energy = {.part = {{0}}};
    start_segments(memory, plan, states, pair);
    for (uint32_t t = 0; t < length; ++t) {
        struct vector8_wide frame;
        load_frames(&frame, pair + 2 * (size_t)t, length);
        for (uint32_t p = 0; p < PARTS; ++p)
            filter(&energy.part[p], &memory[p], &k, &frame.part[p]);
    }
    end_slice(states, memory);
    for (uint32_t c = 0; c < 2; ++c)
        energies[c] = ((lane_of(&energy, 0, c) + lane_of(&energy, 1, c)) +
                       (lane_of(&energy, 2, c) + lane_of(&energy, 3, c))) +
                      end_channel(&k, &states[c], pair + 2 * (size_t)rest + c, frames - rest);
}
