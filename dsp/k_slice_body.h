// SPDX-License-Identifier: MIT
// The one body of every variant of k_slice.h: each .c that includes it compiles it for its instruction
// set. Lanes are segments, and no sum changes its order, so every variant gives the same bits.
#pragma once
#include "dsp/k_slice.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { ORDER = K_SLICE_ORDER, SEGMENTS = K_SLICE_SEGMENTS };
typedef double segments __attribute__((vector_size(SEGMENTS * sizeof(double))));

// The filter's memory, one lane per segment; members as in k_state.
struct memory {
    segments shelf[2], high_pass[2];
};

static inline double sum_of(const segments *lanes)
{
    return ((*lanes)[0] + (*lanes)[1]) + ((*lanes)[2] + (*lanes)[3]);
}

// What a segment leaves in the filter's memory, beside what was there.
static inline void contribute(const struct k_slice_plan *plan, const double *x, double out[ORDER])
{
    segments sums[ORDER] = {{0}};
    for (uint32_t t = 0; t < plan->stride; t += SEGMENTS) {
        segments value, weight;
        memcpy(&value, x + t, sizeof value);
        for (uint32_t k = 0; k < ORDER; ++k) {
            memcpy(&weight, plan->weights + k * plan->stride + t, sizeof weight);
            sums[k] += weight * value;
        }
    }
    for (uint32_t k = 0; k < ORDER; ++k)
        out[k] = sum_of(&sums[k]);
}

// The memory at the start of each segment.
static inline void start_segments(struct memory *out, const struct k_slice_plan *plan,
                                  const struct k_state *state, const double *x)
{
    double memory[SEGMENTS][ORDER];
    memcpy(memory[0], state, sizeof memory[0]);
    for (uint32_t s = 0; s + 1 < SEGMENTS; ++s) {
        contribute(plan, x + s * plan->segment_frames, memory[s + 1]);
        for (uint32_t k = 0; k < ORDER; ++k) {
            const double *a = plan->advance[k], *m = memory[s];
            memory[s + 1][k] += (a[0] * m[0] + a[1] * m[1]) + (a[2] * m[2] + a[3] * m[3]);
        }
    }
    for (uint32_t s = 0; s < SEGMENTS; ++s) {
        out->shelf[0][s] = memory[s][0];
        out->shelf[1][s] = memory[s][1];
        out->high_pass[0][s] = memory[s][2];
        out->high_pass[1][s] = memory[s][3];
    }
}

// One frame of each segment.
static inline void filter(segments *energy, struct memory *m, const struct k_coefficients *k,
                          const segments *frame)
{
    const segments x = *frame;
    const segments y = k->shelf_b[0] * x + m->shelf[0];
    m->shelf[0] = k->shelf_b[1] * x + m->shelf[1] - k->shelf_a[1] * y;
    m->shelf[1] = k->shelf_b[2] * x - k->shelf_a[2] * y;
    const segments z = y + m->high_pass[0];
    m->high_pass[0] = m->high_pass[1] - (y + y) - k->high_pass_a[1] * z;
    m->high_pass[1] = y - k->high_pass_a[2] * z;
    *energy += z * z;
}

static inline void end_slice(struct k_state *state, const struct memory *m)
{
    *state = (struct k_state){
        .shelf = {m->shelf[0][SEGMENTS - 1], m->shelf[1][SEGMENTS - 1]},
        .high_pass = {m->high_pass[0][SEGMENTS - 1], m->high_pass[1][SEGMENTS - 1]}};
}

static inline void slice_energies(const struct k_slice_plan *plan, struct k_state states[2],
                                  const double *const channels[2], uint32_t frames,
                                  double energies[2])
{
    const uint32_t length = plan->segment_frames, rest = SEGMENTS * length;
    assert(frames >= rest);
    const struct k_coefficients k = plan->coefficients;
    struct memory memory[2];
    segments energy[2] = {{0}};
    for (uint32_t c = 0; c < 2; ++c)
        start_segments(&memory[c], plan, &states[c], channels[c]);
    // Two channels at a time: one alone would wait for its own results.
    for (uint32_t t = 0; t < length; ++t)
        for (uint32_t c = 0; c < 2; ++c) {
            const double *x = channels[c] + t;
            const segments frame = {x[0], x[length], x[2 * length], x[3 * length]};
            filter(&energy[c], &memory[c], &k, &frame);
        }
    for (uint32_t c = 0; c < 2; ++c) {
        end_slice(&states[c], &memory[c]);
        energies[c] = sum_of(&energy[c]) +
                      k_weighting_energy(&k, &states[c], channels[c] + rest, frames - rest);
    }
}
