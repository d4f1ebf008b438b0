// SPDX-License-Identifier: MIT
// The one body of every variant of k_slice.h: each .c that includes it compiles it for its instruction
// set. Lanes are the two channels of each segment, of which there are as many as fill a register.
#pragma once
#include "dsp/level/k_slice.h"
#include "dsp/vectors.h"
#include <assert.h>

enum { ORDER = K_SLICE_ORDER, SEGMENTS = VECTOR_PART / 2, NEIGHBOURS = 4 };
typedef double sides __attribute__((vector_size(16))); // of both channels

// The filter's memory; members as in k_state.
struct memory {
    vector_part shelf[2], high_pass[2];
};

// One frame of each segment, `length` frames apart.
static inline void load_frames(vector_part *out, const float *samples, size_t length)
{
#if defined(__AVX2__) && !defined(__AVX512F__)
    *out = (vector_part)_mm256_cvtps_pd(
        _mm_loadh_pi(_mm_castsi128_ps(_mm_loadu_si64(samples)),
                     (const __m64 *)(const void *)(samples + 2 * length)));
#else
    for (uint32_t i = 0; i < VECTOR_PART; ++i)
        (*out)[i] = (double)samples[i / 2 * 2 * length + i % 2];
#endif
}

// As many neighbouring frames of each segment.
static inline void load_neighbours(vector_part out[NEIGHBOURS], const float *samples, size_t length)
{
#if defined(__AVX512F__)
    const size_t step = 2 * length;
    const __m512 a = _mm512_castps256_ps512(_mm256_loadu_ps(samples));
    const __m512 c = _mm512_castps256_ps512(_mm256_loadu_ps(samples + 2 * step));
    const __m512d ab = _mm512_castps_pd(_mm512_insertf32x8(a, _mm256_loadu_ps(samples + step), 1));
    const __m512d cd =
        _mm512_castps_pd(_mm512_insertf32x8(c, _mm256_loadu_ps(samples + 3 * step), 1));
    const __m512i first = _mm512_setr_epi64(0, 4, 8, 12, 1, 5, 9, 13);
    const __m512i third = _mm512_add_epi64(first, _mm512_set1_epi64(2));
    const __m512 early = _mm512_castpd_ps(_mm512_permutex2var_pd(ab, first, cd));
    const __m512 late = _mm512_castpd_ps(_mm512_permutex2var_pd(ab, third, cd));
    out[0] = (vector_part)_mm512_cvtps_pd(_mm512_castps512_ps256(early));
    out[1] = (vector_part)_mm512_cvtps_pd(_mm512_extractf32x8_ps(early, 1));
    out[2] = (vector_part)_mm512_cvtps_pd(_mm512_castps512_ps256(late));
    out[3] = (vector_part)_mm512_cvtps_pd(_mm512_extractf32x8_ps(late, 1));
#else
    for (uint32_t t = 0; t < NEIGHBOURS; ++t)
        load_frames(&out[t], samples + 2 * (size_t)t, length);
#endif
}

// As many samples as a register holds.
static inline void load_samples(vector_part *out, const float *samples)
{
#if defined(__AVX512F__)
    *out = (vector_part)_mm512_cvtps_pd(_mm256_loadu_ps(samples));
#elif defined(__AVX2__)
    *out = (vector_part)_mm256_cvtps_pd(_mm_loadu_ps(samples));
#else
    for (uint32_t i = 0; i < VECTOR_PART; ++i)
        (*out)[i] = (double)samples[i];
#endif
}

// Add the samples of neighbouring frames, each by its weight of each order.
static inline void add_weighed(struct memory *sums, const double *weights, size_t stride,
                               const float *samples)
{
    vector_part x, shelf[2], high_pass[2];
    load_samples(&x, samples);
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

// A filter under way: what the textbook keeps, the second of either memory with the input of the step to come already
// added, so that no step waits long for the one before.
struct under_way {
    vector_part s, s_next, h, h_next; // shelf and high-pass
    vector_part x, y;                 // their inputs at the step to come
    vector_part energy;
};

static inline void shelf_step(struct under_way *u, const struct k_slice_factors *f,
                              const vector_part *next)
{
    u->y = f->shelf_0 * u->x + u->s;
    u->s = u->s_next - f->shelf_a1 * u->s;
    u->s_next = (f->shelf_2 * u->x + *next) - f->shelf_a2 * u->y;
    u->x = *next;
}

static inline void pass_step(struct under_way *u, const struct k_slice_factors *f,
                             const vector_part *y, const vector_part *next)
{
    const vector_part z = *y + u->h;
    u->h = u->h_next - f->pass_a1 * u->h;
    u->h_next = (f->pass_1 * *next + *y) - f->pass_a2 * z;
    u->energy += z * z;
}

static inline void filter_step(struct under_way *u, const struct k_slice_factors *f,
                               const vector_part *next)
{
    const vector_part y = u->y;
    shelf_step(u, f, next);
    pass_step(u, f, &y, &u->y);
}

// Frame t of each segment; silence after the last.
static inline void load_next(vector_part *out, const float *samples, size_t t, size_t length)
{
    if (t < length)
        load_frames(out, samples + 2 * t, length);
    else
        memset(out, 0, sizeof *out);
}

// Up to where the shelf has taken the first frame and the high-pass none.
static inline void begin(struct under_way *u, const struct k_slice_factors *f,
                         const struct memory *memory, const float *samples, size_t length)
{
    vector_part next;
    load_frames(&u->x, samples, length);
    load_next(&next, samples, 1, length);
    u->s = f->unscale * memory->shelf[0];
    u->s_next = f->unscale * memory->shelf[1] + u->x;
    shelf_step(u, f, &next);
    u->h = f->unscale * memory->high_pass[0];
    u->h_next = f->unscale * memory->high_pass[1] + f->pass_1 * u->y;
    memset(&u->energy, 0, sizeof u->energy);
}

// The filter over all segments. @return the sums of its squared outputs.
static inline vector_part filter(struct memory *memory, const struct k_slice_plan *plan,
                                 const float *samples)
{
    const size_t length = plan->segment_frames;
    const struct k_slice_factors f = plan->factors;
    struct under_way u;
    vector_part x[NEIGHBOURS];
    begin(&u, &f, memory, samples, length);
    size_t t = 2;
    for (; t + NEIGHBOURS <= length; t += NEIGHBOURS) {
        load_neighbours(x, samples + 2 * t, length);
#pragma GCC unroll 4
        for (uint32_t i = 0; i < NEIGHBOURS; ++i)
            filter_step(&u, &f, &x[i]);
    }
    for (; t <= length; ++t) {
        load_next(&x[0], samples, t, length);
        filter_step(&u, &f, &x[0]);
    }
    const vector_part y = u.y, zero = {0};
    pass_step(&u, &f, &y, &zero);
    *memory = (struct memory){.shelf = {f.scale * u.s, f.scale * u.s_next},
                              .high_pass = {f.scale * u.h, f.scale * u.h_next}};
    return f.scale * f.scale * u.energy;
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
