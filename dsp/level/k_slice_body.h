// SPDX-License-Identifier: MIT
// The one body of every variant of k_slice.h: each .c that includes it compiles it for its instruction
// set. Lanes are the two channels of each segment.
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

// The frames of all segments side by side: both passes take them from here.
struct gathered {
    struct vector8_wide frames[K_SLICE_SEGMENT_MAX];
};

static inline void gather(struct gathered *out, const float *pair, uint32_t length)
{
    for (size_t t = 0; t < length; ++t)
        load_frames(&out->frames[t], pair + 2 * t, length);
}

// What each segment leaves in the filter's memory, beside what was there.
static inline void contribute(struct vector8_wide sums[ORDER], const struct k_slice_plan *plan,
                              const struct gathered *gathered)
{
    for (uint32_t p = 0; p < PARTS; ++p) {
        // Two steps at a time, as a sum waits for the one before; in an array they would wait for memory.
        vector_part a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0}, b0 = {0}, b1 = {0}, b2 = {0}, b3 = {0};
        size_t t = plan->segment_frames % 2;
        if (t) {
            const vector_part x = gathered->frames[0].part[p];
            const double *weights = plan->weights[0];
            a0 += weights[0] * x;
            a1 += weights[1] * x;
            a2 += weights[2] * x;
            a3 += weights[3] * x;
        }
        for (; t < plan->segment_frames; t += 2) {
            const vector_part x = gathered->frames[t].part[p], y = gathered->frames[t + 1].part[p];
            const double *weights = plan->weights[t];
            a0 += weights[0] * x;
            a1 += weights[1] * x;
            a2 += weights[2] * x;
            a3 += weights[3] * x;
            b0 += weights[ORDER] * y;
            b1 += weights[ORDER + 1] * y;
            b2 += weights[ORDER + 2] * y;
            b3 += weights[ORDER + 3] * y;
        }
        sums[0].part[p] = a0 + b0;
        sums[1].part[p] = a1 + b1;
        sums[2].part[p] = a2 + b2;
        sums[3].part[p] = a3 + b3;
    }
}

// The memory at the start of each segment.
static inline void start_segments(struct memory out[PARTS], const struct k_slice_plan *plan,
                                  const struct k_state states[2], const struct gathered *gathered)
{
    struct vector8_wide sums[ORDER];
    double memory[SEGMENTS][2][ORDER];
    contribute(sums, plan, gathered);
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

// The filter over a part of all segments. @return the sums of its squared outputs. A step takes its memory as it was;
// with the output fed back, as the textbook does, each would wait twice as long for the one before.
static inline vector_part filter(struct memory *memory, const struct k_coefficients *k,
                                 const struct gathered *gathered, uint32_t part, uint32_t length)
{
    const double shelf_0 = k->shelf_b[0];
    const double shelf_1 = k->shelf_b[1] - k->shelf_a[1] * k->shelf_b[0];
    const double shelf_2 = k->shelf_b[2] - k->shelf_a[2] * k->shelf_b[0];
    const double pass_1 = -2.0 - k->high_pass_a[1], pass_2 = 1.0 - k->high_pass_a[2];
    vector_part s0 = memory->shelf[0], s1 = memory->shelf[1];
    vector_part h0 = memory->high_pass[0], h1 = memory->high_pass[1], energy = {0};
    for (size_t t = 0; t < length; ++t) {
        const vector_part x = gathered->frames[t].part[part];
        const vector_part y = shelf_0 * x + s0, z = y + h0;
        s1 += shelf_1 * x;
        h1 += pass_1 * y;
        const vector_part s = s1 - k->shelf_a[1] * s0, h = h1 - k->high_pass_a[1] * h0;
        s1 = shelf_2 * x - k->shelf_a[2] * s0;
        h1 = pass_2 * y - k->high_pass_a[2] * h0;
        s0 = s;
        h0 = h;
        energy += z * z;
    }
    *memory = (struct memory){.shelf = {s0, s1}, .high_pass = {h0, h1}};
    return energy;
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
    assert(frames >= rest && length <= K_SLICE_SEGMENT_MAX);
    const struct k_coefficients k = plan->coefficients;
    struct memory memory[PARTS];
    struct vector8_wide energy;
    struct gathered gathered; // no more of it is touched than the rate needs
    gather(&gathered, pair, length);
    start_segments(memory, plan, states, &gathered);
    for (uint32_t p = 0; p < PARTS; ++p)
        energy.part[p] = filter(&memory[p], &k, &gathered, p, length);
    end_slice(states, memory);
    for (uint32_t c = 0; c < 2; ++c)
        energies[c] = ((lane_of(&energy, 0, c) + lane_of(&energy, 1, c)) +
                       (lane_of(&energy, 2, c) + lane_of(&energy, 3, c))) +
                      end_channel(&k, &states[c], pair + 2 * (size_t)rest + c, frames - rest);
}
