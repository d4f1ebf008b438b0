// SPDX-License-Identifier: MIT
// The one body of every variant of k_slice.h: each .c that includes it compiles it for its instruction
// set. Lanes are the two channels of each segment, of which there are as many as fill a register.
#pragma once
#include "dsp/level/k_slice.h"
#include "dsp/vectors.h"
#include <assert.h>

enum { ORDER = K_SLICE_ORDER, SEGMENTS = VECTOR_PART / 2 };
typedef double sides __attribute__((vector_size(16))); // of both channels

// The filter's memory; members as in k_state.
struct memory {
    vector_part shelf[2], high_pass[2];
};

// One frame of each segment, `length` frames apart.
static inline void load_frames(vector_part *out, const float *samples, size_t length)
{
    const size_t step = 2 * length;
#if defined(__AVX512F__)
    const __m128 early = _mm_loadh_pi(_mm_castsi128_ps(_mm_loadu_si64(samples)),
                                      (const __m64 *)(const void *)(samples + step));
    const __m128 late = _mm_loadh_pi(_mm_castsi128_ps(_mm_loadu_si64(samples + 2 * step)),
                                     (const __m64 *)(const void *)(samples + 3 * step));
    *out = (vector_part)_mm512_cvtps_pd(_mm256_set_m128(late, early));
#elif defined(__AVX2__)
    *out = (vector_part)_mm256_cvtps_pd(_mm_loadh_pi(
        _mm_castsi128_ps(_mm_loadu_si64(samples)), (const __m64 *)(const void *)(samples + step)));
#else
    for (uint32_t i = 0; i < VECTOR_PART; ++i)
        (*out)[i] = (double)samples[i / 2 * step + i % 2];
#endif
}

// Add the samples of neighbouring frames, each by its weight of each order.
static inline void add_weighed(struct memory *sums, const double *weights, size_t stride,
                               const float *samples)
{
    vector_part x, shelf[2], high_pass[2];
    load_frames(&x, samples, 1);
    memcpy(&shelf[0], weights, sizeof x);
    memcpy(&shelf[1], weights + stride, sizeof x);
    memcpy(&high_pass[0], weights + 2 * stride, sizeof x);
    memcpy(&high_pass[1], weights + 3 * stride, sizeof x);
    sums->shelf[0] += shelf[0] * x;
    sums->shelf[1] += shelf[1] * x;
    sums->high_pass[0] += high_pass[0] * x;
    sums->high_pass[1] += high_pass[1] * x;
}

// The sum of each channel's lanes.
static inline void fold(sides *sum, const vector_part *x)
{
#if defined(__AVX512F__)
    const __m256d half =
        _mm256_add_pd(_mm512_castpd512_pd256((__m512d)*x), _mm512_extractf64x4_pd((__m512d)*x, 1));
    *sum = (sides)_mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
#elif defined(__AVX2__)
    *sum = (sides)_mm_add_pd(_mm256_castpd256_pd128((__m256d)*x),
                             _mm256_extractf128_pd((__m256d)*x, 1));
#else
    memcpy(sum, x, sizeof *sum);
#endif
}

// What a segment leaves in the filter's memory, beside what was there.
static inline void contribute(sides sums[ORDER], const struct k_slice_plan *plan,
                              const float *samples)
{
    struct memory even = {.shelf = {{0}}}, odd = even; // two, as a sum waits for the one before
    const size_t count = plan->stride;
    size_t i = 0; // of the samples
    for (; i + 2 * VECTOR_PART <= count; i += 2 * VECTOR_PART) {
        add_weighed(&even, plan->weights + i, count, samples + i);
        add_weighed(&odd, plan->weights + i + VECTOR_PART, count, samples + i + VECTOR_PART);
    }
    even.shelf[0] += odd.shelf[0];
    even.shelf[1] += odd.shelf[1];
    even.high_pass[0] += odd.high_pass[0];
    even.high_pass[1] += odd.high_pass[1];
    fold(&sums[0], &even.shelf[0]);
    fold(&sums[1], &even.shelf[1]);
    fold(&sums[2], &even.high_pass[0]);
    fold(&sums[3], &even.high_pass[1]);
    for (; i < count; i += 2) {
        const sides frame = {(double)samples[i], (double)samples[i + 1]};
        for (uint32_t k = 0; k < ORDER; ++k)
            sums[k] += plan->weights[k * count + i] * frame;
    }
}

// The memory at the start of each segment.
static inline void start_segments(struct memory *out, const struct k_slice_plan *plan,
                                  const struct k_state states[2], const float *samples)
{
    sides memory[ORDER][SEGMENTS], sums[ORDER];
    double start[2][ORDER];
    memcpy(start, states, sizeof start);
    for (uint32_t k = 0; k < ORDER; ++k)
        memory[k][0] = (sides){start[0][k], start[1][k]};
    for (uint32_t s = 0; s + 1 < SEGMENTS; ++s) {
        contribute(sums, plan, samples + s * plan->stride);
        for (uint32_t k = 0; k < ORDER; ++k) {
            const double *a = plan->advance[k];
            memory[k][s + 1] = sums[k] + ((a[0] * memory[0][s] + a[1] * memory[1][s]) +
                                          (a[2] * memory[2][s] + a[3] * memory[3][s]));
        }
    }
    memcpy(&out->shelf[0], memory[0], sizeof out->shelf[0]);
    memcpy(&out->shelf[1], memory[1], sizeof out->shelf[1]);
    memcpy(&out->high_pass[0], memory[2], sizeof out->high_pass[0]);
    memcpy(&out->high_pass[1], memory[3], sizeof out->high_pass[1]);
}

// The filter over all segments. @return the sums of its squared outputs. A step takes its memory as it was; with the
// output fed back, as the textbook does, each would wait twice as long for the one before.
static inline vector_part filter(struct memory *memory, const struct k_slice_plan *plan,
                                 const float *samples)
{
    const struct k_coefficients *k = &plan->coefficients;
    const double shelf_0 = k->shelf_b[0];
    const double shelf_1 = k->shelf_b[1] - k->shelf_a[1] * k->shelf_b[0];
    const double shelf_2 = k->shelf_b[2] - k->shelf_a[2] * k->shelf_b[0];
    const double pass_1 = -2.0 - k->high_pass_a[1], pass_2 = 1.0 - k->high_pass_a[2];
    vector_part s0 = memory->shelf[0], s1 = memory->shelf[1];
    vector_part h0 = memory->high_pass[0], h1 = memory->high_pass[1], energy = {0};
    for (size_t t = 0; t < plan->segment_frames; ++t) {
        vector_part x;
        load_frames(&x, samples + 2 * t, plan->segment_frames);
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

static inline void end_slice(struct k_state states[2], const struct memory *memory)
{
    for (uint32_t c = 0; c < 2; ++c) {
        const uint32_t lane = VECTOR_PART - 2 + c;
        states[c] =
            (struct k_state){.shelf = {memory->shelf[0][lane], memory->shelf[1][lane]},
                             .high_pass = {memory->high_pass[0][lane], memory->high_pass[1][lane]}};
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
                                  const float *samples, uint32_t frames, double energies[2])
{
    const size_t done = SEGMENTS * plan->stride;
    assert(plan->segments == SEGMENTS && 2 * (size_t)frames >= done);
    struct memory memory;
    sides energy;
    start_segments(&memory, plan, states, samples);
    const vector_part squares = filter(&memory, plan, samples);
    fold(&energy, &squares);
    end_slice(states, &memory);
    for (uint32_t c = 0; c < 2; ++c)
        energies[c] = energy[c] + end_channel(&plan->coefficients, &states[c], samples + done + c,
                                              frames - (uint32_t)(done / 2));
}
