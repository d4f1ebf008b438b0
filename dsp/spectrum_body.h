// SPDX-License-Identifier: MIT
// The one body of every variant of spectrum_kernel.h: each .c that includes it compiles it for its
// instruction set. Sums run in eight lanes whose order is fixed, so every variant gives the same bits.
#pragma once
#include "dsp/spectrum_kernel.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { LANES = 8, HALF = 4, CHUNK = 64 };
typedef float lanes8 __attribute__((vector_size(32)));
typedef float lanes4 __attribute__((vector_size(16)));
typedef double wide4 __attribute__((vector_size(32)));
typedef int64_t mask4 __attribute__((vector_size(32)));

static double sum_of_lanes(const lanes8 *lanes)
{
    double sum = 0;
    for (int i = 0; i < LANES; ++i)
        sum += (double)(*lanes)[i];
    return sum;
}

static double sum_of_wide(const wide4 wide[2])
{
    double sum = 0;
    for (int i = 0; i < LANES; ++i)
        sum += wide[i / HALF][i % HALF];
    return sum;
}

static inline void widen(wide4 wide[2], const float *values)
{
    lanes4 low, high;
    memcpy(&low, values, sizeof low);
    memcpy(&high, values + HALF, sizeof high);
    wide[0] = __builtin_convertvector(low, wide4);
    wide[1] = __builtin_convertvector(high, wide4);
}

static void multiply(float *restrict out, const float *restrict a, const float *restrict b,
                     uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i)
        out[i] = a[i] * b[i];
}

static void root(float *restrict out, const float *restrict in, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i)
        out[i] = sqrtf(in[i]);
}

static inline void square_points(float *restrict out, const float *restrict z)
{
    for (uint32_t i = 0; i < CHUNK; ++i)
        out[i] = z[2 * i] * z[2 * i] + z[2 * i + 1] * z[2 * i + 1];
}

static double stereo_power(float *restrict power, double *restrict energy, const float *restrict z,
                           uint32_t size)
{
    assert(size % (2 * CHUNK) == 0);
    wide4 sums[2] = {{0}};
    for (uint32_t k = 0; k < size / 2; k += CHUNK) {
        float forth[CHUNK], back[CHUNK];
        square_points(forth, z + 2 * (size_t)k);
        square_points(back, z + 2 * (size_t)(size - k - CHUNK + 1));
        for (uint32_t i = 0; i < CHUNK; ++i)
            power[k + i] = 0.5F * (forth[i] + back[CHUNK - 1 - i]);
        for (uint32_t i = 0; i < CHUNK; i += LANES) {
            wide4 added[2], kept[2];
            widen(added, power + k + i);
            memcpy(kept, energy + k + i, sizeof kept);
            for (int h = 0; h < 2; ++h) {
                sums[h] += added[h];
                kept[h] += added[h];
            }
            memcpy(energy + k + i, kept, sizeof kept);
        }
    }
    const float *middle = z + size;
    const float last = middle[0] * middle[0] + middle[1] * middle[1];
    power[size / 2] = last;
    energy[size / 2] += (double)last;
    return sum_of_wide(sums) + (double)last;
}

struct points {
    float re[CHUNK], im[CHUNK];
};

static inline void split_points(struct points *restrict out, const float *restrict z)
{
    for (uint32_t i = 0; i < CHUNK; ++i) {
        out->re[i] = z[2 * i];
        out->im[i] = z[2 * i + 1];
    }
}

static void pair_power(float *restrict first, float *restrict second, const float *restrict z,
                       uint32_t size)
{
    assert(size % (2 * CHUNK) == 0);
    for (uint32_t k = 0; k < size / 2; k += CHUNK) {
        struct points a, b;
        split_points(&a, z + 2 * (size_t)k);
        split_points(&b, z + 2 * (size_t)(size - k - CHUNK + 1));
        for (uint32_t i = 0; i < CHUNK; ++i) {
            const uint32_t j = CHUNK - 1 - i;
            const float xr = a.re[i] + b.re[j], xi = a.im[i] - b.im[j];
            const float yr = a.im[i] + b.im[j], yi = b.re[j] - a.re[i];
            first[k + i] = 0.25F * (xr * xr + xi * xi);
            second[k + i] = 0.25F * (yr * yr + yi * yi);
        }
    }
    const float *middle = z + size;
    first[size / 2] = middle[0] * middle[0];
    second[size / 2] = middle[1] * middle[1];
}

static double sum(const float *values, uint32_t count)
{
    wide4 sums[2] = {{0}};
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        wide4 x[2];
        widen(x, values + i);
        for (int h = 0; h < 2; ++h)
            sums[h] += x[h];
    }
    double total = sum_of_wide(sums);
    for (; i < count; ++i)
        total += (double)values[i];
    return total;
}

static double square_sum(const float *samples, uint32_t count)
{
    wide4 sums[2] = {{0}};
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        wide4 x[2];
        widen(x, samples + i);
        for (int h = 0; h < 2; ++h)
            sums[h] += x[h] * x[h];
    }
    double total = sum_of_wide(sums);
    for (; i < count; ++i)
        total += (double)samples[i] * (double)samples[i];
    return total;
}

static double weigh_blocks(double *restrict blocks, const float *restrict weights,
                           const float *restrict moments, const float *restrict values,
                           uint32_t count)
{
    lanes8 moment = {0};
    uint32_t k = 0;
    for (; k + SPECTRUM_BLOCK <= count; k += SPECTRUM_BLOCK) {
        lanes8 block = {0};
        for (uint32_t i = 0; i < SPECTRUM_BLOCK; i += LANES) {
            lanes8 value, weight, weight_of_moment;
            memcpy(&value, values + k + i, sizeof value);
            memcpy(&weight, weights + k + i, sizeof weight);
            memcpy(&weight_of_moment, moments + k + i, sizeof weight_of_moment);
            block += weight * value;
            moment += weight_of_moment * value;
        }
        blocks[k / SPECTRUM_BLOCK] = sum_of_lanes(&block);
    }
    double moments_sum = sum_of_lanes(&moment), rest = 0;
    for (uint32_t i = k; i < count; ++i) {
        rest += (double)(weights[i] * values[i]);
        moments_sum += (double)(moments[i] * values[i]);
    }
    if (k < count)
        blocks[k / SPECTRUM_BLOCK] = rest;
    return moments_sum;
}

static inline void raise_to(wide4 *x, double floor)
{
    const wide4 low = {floor, floor, floor, floor};
    const mask4 above = *x > low;
    *x = (wide4)(((mask4)*x & above) | ((mask4)low & ~above));
}

static double log_of_product(const wide4 product[2])
{
    double sum = 0;
    for (int i = 0; i < LANES; ++i)
        sum += log(product[i / HALF][i % HALF]);
    return sum;
}

// A logarithm is dear, a product cheap: a lane multiplies as many values as a double surely holds.
static struct spectrum_floored floored(const float *values, uint32_t count, double scale,
                                       double floor)
{
    enum { FACTORS = 64 }; // of 1e-4 .. 4096 each: 1e-256 .. 2^768
    struct spectrum_floored out = {0};
    wide4 sums[2] = {{0}};
    uint32_t i = 0;
    while (i + LANES <= count) {
        wide4 product[2] = {{1, 1, 1, 1}, {1, 1, 1, 1}};
        for (uint32_t f = 0; f < FACTORS && i + LANES <= count; ++f, i += LANES) {
            wide4 x[2];
            widen(x, values + i);
            for (int h = 0; h < 2; ++h) {
                x[h] *= scale;
                raise_to(&x[h], floor);
                product[h] *= x[h];
                sums[h] += x[h];
            }
        }
        out.log_sum += log_of_product(product);
    }
    out.sum = sum_of_wide(sums);
    for (; i < count; ++i) {
        const double x = fmax((double)values[i] * scale, floor);
        out.log_sum += log(x);
        out.sum += x;
    }
    return out;
}

static void classes(double out[SPECTRUM_CLASSES], const float *restrict weights, uint32_t stride,
                    const float *restrict values, uint32_t count)
{
    lanes8 sums[SPECTRUM_CLASSES] = {{0}};
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes8 value;
        memcpy(&value, values + i, sizeof value);
        for (uint32_t c = 0; c < SPECTRUM_CLASSES; ++c) {
            lanes8 weight;
            memcpy(&weight, weights + (size_t)c * stride + i, sizeof weight);
            sums[c] += weight * value;
        }
    }
    for (uint32_t c = 0; c < SPECTRUM_CLASSES; ++c) {
        out[c] = sum_of_lanes(&sums[c]);
        for (uint32_t j = i; j < count; ++j)
            out[c] += (double)(weights[(size_t)c * stride + j] * values[j]);
    }
}

static inline void mask_chunk(float harmonic[CHUNK], float percussive[CHUNK],
                              const float *restrict magnitude, const float *restrict a,
                              const float *restrict b, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        const float aa = a[i] * a[i], bb = b[i] * b[i], sum = aa + bb;
        const float mask = sum > 0 ? aa / sum : 0.5F, rest = 1 - mask;
        const float power = magnitude[i] * magnitude[i];
        harmonic[i] = mask * mask * power;
        percussive[i] = rest * rest * power;
    }
}

static struct spectrum_masked masked(const float *magnitude, const float *a, const float *b,
                                     uint32_t count)
{
    wide4 harmonic[2] = {{0}}, percussive[2] = {{0}};
    for (uint32_t k = 0; k < count; k += CHUNK) {
        float h[CHUNK] = {0}, p[CHUNK] = {0};
        if (k + CHUNK <= count)
            mask_chunk(h, p, magnitude + k, a + k, b + k, CHUNK);
        else
            mask_chunk(h, p, magnitude + k, a + k, b + k, count - k);
        for (uint32_t i = 0; i < CHUNK; i += LANES) {
            wide4 x[2], y[2];
            widen(x, h + i);
            widen(y, p + i);
            for (int half = 0; half < 2; ++half) {
                harmonic[half] += x[half];
                percussive[half] += y[half];
            }
        }
    }
    return (struct spectrum_masked){sum_of_wide(harmonic), sum_of_wide(percussive)};
}

#define SPECTRUM_FUNCTIONS                                                                         \
    .multiply = multiply, .root = root, .stereo_power = stereo_power, .pair_power = pair_power,    \
    .sum = sum, .square_sum = square_sum, .weigh_blocks = weigh_blocks, .floored = floored,        \
    .classes = classes, .masked = masked
