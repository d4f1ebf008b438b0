// SPDX-License-Identifier: MIT
// The one body of every variant of spectrum_kernel.h: each .c that includes it compiles it for its
// instruction set. Sums run in eight lanes whose order is fixed, so every variant gives the same bits.
#pragma once
#include "dsp/spectrum/spectrum_kernel.h"
#include "dsp/vectors.h"
#include <assert.h>
#include <math.h>

enum { LANES = VECTOR_LANES, CHUNK = 64 };
// Of a square that counts as nothing beside any other: 300 dB under the least bit of 24.
#define LEAST_POWER 1e-37F

static void weigh_pair(float *restrict out, const float *restrict first,
                       const float *restrict second, const float *restrict window, uint32_t count)
{
    for (size_t i = 0; i < count; ++i) { // 64 bits: a doubled index must not seem to wrap around
        out[2 * i] = first[i] * window[i];
        out[2 * i + 1] = second[i] * window[i];
    }
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

// Add up a chunk in single precision first: it has eight values a lane.
static inline void add_chunk(struct vector8_wide *sums, const float *values)
{
    vector8 chunk = {0};
    for (uint32_t i = 0; i < CHUNK; i += LANES) {
        vector8 x;
        memcpy(&x, values + i, sizeof x);
        chunk += x;
    }
    vector8_add_to(sums, &chunk);
}

static double stereo_power(float *restrict power, const float *restrict z, uint32_t size)
{
    assert(size % (2 * CHUNK) == 0);
    struct vector8_wide sums = {.part = {{0}}};
    for (uint32_t k = 0; k < size / 2; k += CHUNK) {
        float forth[CHUNK], back[CHUNK];
        square_points(forth, z + 2 * (size_t)k);
        square_points(back, z + 2 * (size_t)(size - k - CHUNK + 1));
        for (uint32_t i = 0; i < CHUNK; ++i)
            power[k + i] = 0.5F * (forth[i] + back[CHUNK - 1 - i]);
        add_chunk(&sums, power + k);
    }
    const float *middle = z + size;
    const float last = middle[0] * middle[0] + middle[1] * middle[1];
    power[size / 2] = last;
    return vector8_wide_sum(&sums) + (double)last;
}

static void settle(float *restrict power, double *restrict energy, float floor, uint32_t count)
{
    const vector8 lowest = floor + (vector8){0};
    uint32_t k = 0;
    for (; k + LANES <= count; k += LANES) {
        vector8 x;
        struct vector8_wide added;
        memcpy(&x, power + k, sizeof x);
        vector8_keep_over(&x, &lowest);
        memcpy(power + k, &x, sizeof x);
        vector8_widen(&added, power + k);
        for (uint32_t h = 0; h < VECTOR_PARTS; ++h) {
            vector_part sum;
            double *place = energy + k + h * VECTOR_PART;
            memcpy(&sum, place, sizeof sum);
            sum += added.part[h];
            memcpy(place, &sum, sizeof sum);
        }
    }
    for (; k < count; ++k) {
        power[k] = power[k] > floor ? power[k] : 0.0F;
        energy[k] += (double)power[k];
    }
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

static void split_pair(struct spectrum_half *restrict first, struct spectrum_half *restrict second,
                       const float *restrict z)
{
    enum { HALF = SPECTRUM_HALF - 1, SIZE = 2 * HALF };
    for (uint32_t k = 0; k < HALF; k += CHUNK) {
        struct points a, b;
        split_points(&a, z + 2 * (size_t)k);
        split_points(&b, z + 2 * (size_t)(SIZE - k - CHUNK + 1));
        for (uint32_t i = 0; i < CHUNK; ++i) {
            const uint32_t j = CHUNK - 1 - i;
            first->re[k + i] = 0.5F * (a.re[i] + b.re[j]);
            first->im[k + i] = 0.5F * (a.im[i] - b.im[j]);
            second->re[k + i] = 0.5F * (a.im[i] + b.im[j]);
            second->im[k + i] = 0.5F * (b.re[j] - a.re[i]);
        }
    }
    first->re[HALF] = z[SIZE];
    second->re[HALF] = z[SIZE + 1];
    first->im[HALF] = second->im[HALF] = 0;
}

static void follow(struct spectrum_half *restrict out, const struct spectrum_half *restrict block,
                   const struct spectrum_half *restrict next)
{
    wide sign;
    for (uint32_t i = 0; i < WIDE_LANES; ++i)
        sign[i] = i % 2 ? -1.0F : 1.0F;
    // What lies beyond the last bin is room for whole registers.
    for (uint32_t k = 0; k < SPECTRUM_HALF; k += WIDE_LANES) {
        wide re, im, next_re, next_im;
        memcpy(&re, block->re + k, sizeof re);
        memcpy(&im, block->im + k, sizeof im);
        memcpy(&next_re, next->re + k, sizeof next_re);
        memcpy(&next_im, next->im + k, sizeof next_im);
        next_re *= sign;
        next_im *= sign;
        const wide out_re = re * (re + next_re) + im * (im + next_im);
        const wide out_im = re * next_im - im * next_re;
        memcpy(out->re + k, &out_re, sizeof out_re);
        memcpy(out->im + k, &out_im, sizeof out_im);
    }
}

static inline void interleave_points(float *restrict z, const struct points *restrict points,
                                     uint32_t count)
{
    for (size_t i = 0; i < count; ++i) {
        z[2 * i] = points->re[i];
        z[2 * i + 1] = points->im[i];
    }
}

static void join_pairs(float *restrict z, const struct spectrum_half *const parts[3])
{
    enum { HALF = SPECTRUM_HALF - 1, SIZE = 2 * HALF };
    const struct spectrum_half *restrict a = parts[0], *restrict b = parts[1];
    const struct spectrum_half *restrict c = parts[2];
    for (uint32_t k = 0; k < HALF; k += CHUNK) {
        struct points forth, back;
        for (uint32_t i = 0; i < CHUNK; ++i) {
            const float xr = a->re[k + i] + b->re[k + i], xi = a->im[k + i] + b->im[k + i];
            const float yr = b->re[k + i] + c->re[k + i], yi = b->im[k + i] + c->im[k + i];
            forth.re[i] = yr + xi;
            forth.im[i] = xr - yi;
            back.re[CHUNK - 1 - i] = yr - xi;
            back.im[CHUNK - 1 - i] = xr + yi;
        }
        interleave_points(z + 2 * (size_t)k, &forth, CHUNK);
        // The first point has no mirror image.
        interleave_points(z + 2 * (size_t)(SIZE - k - CHUNK + 1), &back, k ? CHUNK : CHUNK - 1);
    }
    z[2 * HALF] = b->re[HALF] + c->re[HALF];
    z[2 * HALF + 1] = a->re[HALF] + b->re[HALF];
}

static double sum(const float *values, uint32_t count)
{
    struct vector8_wide sums = {.part = {{0}}};
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        struct vector8_wide x;
        vector8_widen(&x, values + i);
        for (int h = 0; h < VECTOR_PARTS; ++h)
            sums.part[h] += x.part[h];
    }
    double total = vector8_wide_sum(&sums);
    for (; i < count; ++i)
        total += (double)values[i];
    return total;
}

static double square_sum(const float *samples, uint32_t count)
{
    struct vector8_wide sums = {.part = {{0}}};
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        struct vector8_wide x;
        vector8_widen(&x, samples + i);
        for (int h = 0; h < VECTOR_PARTS; ++h)
            sums.part[h] += x.part[h] * x.part[h];
    }
    double total = vector8_wide_sum(&sums);
    for (; i < count; ++i)
        total += (double)samples[i] * (double)samples[i];
    return total;
}

static double weigh_blocks(double *restrict blocks, const float *restrict weights,
                           const float *restrict moments, const float *restrict values,
                           uint32_t count)
{
    vector8 moment = {0};
    uint32_t k = 0;
    for (; k + SPECTRUM_BLOCK <= count; k += SPECTRUM_BLOCK) {
        vector8 block = {0};
        for (uint32_t i = 0; i < SPECTRUM_BLOCK; i += LANES) {
            vector8 value, weight, weight_of_moment;
            memcpy(&value, values + k + i, sizeof value);
            memcpy(&weight, weights + k + i, sizeof weight);
            memcpy(&weight_of_moment, moments + k + i, sizeof weight_of_moment);
            block += weight * value;
            moment += weight_of_moment * value;
        }
        blocks[k / SPECTRUM_BLOCK] = vector8_sum(&block);
    }
    double moments_sum = vector8_sum(&moment), rest = 0;
    for (uint32_t i = k; i < count; ++i) {
        rest += (double)(weights[i] * values[i]);
        moments_sum += (double)(moments[i] * values[i]);
    }
    if (k < count)
        blocks[k / SPECTRUM_BLOCK] = rest;
    return moments_sum;
}

static double log_of_product(const struct vector8_wide *product)
{
    double sum = 0;
    for (int i = 0; i < LANES; ++i)
        sum += log(product->part[i / VECTOR_PART][i % VECTOR_PART]);
    return sum;
}

// A logarithm is dear, a product cheap: a lane multiplies as many values as a double surely holds.
static struct spectrum_floored floored(const float *values, uint32_t count, double scale,
                                       double floor)
{
    enum { FACTORS = 64 }; // of 1e-4 .. 4096 each: 1e-256 .. 2^768
    struct spectrum_floored out = {0};
    struct vector8_wide sums = {.part = {{0}}};
    const vector_part lowest = floor + (vector_part){0};
    uint32_t i = 0;
    while (i + LANES <= count) {
        struct vector8_wide product = {.part = {{0}}};
        for (int h = 0; h < VECTOR_PARTS; ++h)
            product.part[h] += 1.0;
        for (uint32_t f = 0; f < FACTORS && i + LANES <= count; ++f, i += LANES) {
            struct vector8_wide x;
            vector8_widen(&x, values + i);
            for (int h = 0; h < VECTOR_PARTS; ++h) {
                x.part[h] *= scale;
                vector_part_higher(&x.part[h], &lowest);
                product.part[h] *= x.part[h];
                sums.part[h] += x.part[h];
            }
        }
        out.log_sum += log_of_product(&product);
    }
    out.sum = vector8_wide_sum(&sums);
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
    vector8 sums[SPECTRUM_CLASSES] = {{0}};
    uint32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vector8 value;
        memcpy(&value, values + i, sizeof value);
        for (uint32_t c = 0; c < SPECTRUM_CLASSES; ++c) {
            vector8 weight;
            memcpy(&weight, weights + (size_t)c * stride + i, sizeof weight);
            sums[c] += weight * value;
        }
    }
    for (uint32_t c = 0; c < SPECTRUM_CLASSES; ++c) {
        out[c] = vector8_sum(&sums[c]);
        for (uint32_t j = i; j < count; ++j)
            out[c] += (double)(weights[(size_t)c * stride + j] * values[j]);
    }
}

// What the masks leave of eight bins.
static inline void mask_bins(vector8 *harmonic, vector8 *percussive, const float *magnitude,
                             const float *along_time, const float *along_frequency)
{
    vector8 m, a, b;
    memcpy(&m, magnitude, sizeof m);
    memcpy(&a, along_time, sizeof a);
    memcpy(&b, along_frequency, sizeof b);
    a *= a;
    b *= b;
    // Where both are 0, a little on both sides makes the mask one half; elsewhere it is lost in rounding.
    a += LEAST_POWER;
    const vector8 mask = a / (a + (b + LEAST_POWER)), rest = 1 - mask;
    m *= m;
    *harmonic += mask * mask * m;
    *percussive += rest * rest * m;
}

static struct spectrum_masked masked(const float *magnitude, const float *a, const float *b,
                                     uint32_t count)
{
    struct vector8_wide harmonic = {.part = {{0}}}, percussive = {.part = {{0}}};
    uint32_t k = 0;
    while (k + LANES <= count) {
        vector8 h = {0}, p = {0};
        for (uint32_t i = 0; i < CHUNK && k + LANES <= count; i += LANES, k += LANES)
            mask_bins(&h, &p, magnitude + k, a + k, b + k);
        vector8_add_to(&harmonic, &h);
        vector8_add_to(&percussive, &p);
    }
    if (k < count) {
        float rest[3][LANES] = {{0}};
        vector8 h = {0}, p = {0};
        memcpy(rest[0], magnitude + k, (count - k) * sizeof(float));
        memcpy(rest[1], a + k, (count - k) * sizeof(float));
        memcpy(rest[2], b + k, (count - k) * sizeof(float));
        mask_bins(&h, &p, rest[0], rest[1], rest[2]);
        vector8_add_to(&harmonic, &h);
        vector8_add_to(&percussive, &p);
    }
    return (struct spectrum_masked){vector8_wide_sum(&harmonic), vector8_wide_sum(&percussive)};
}

#define SPECTRUM_FUNCTIONS                                                                         \
    .weigh_pair = weigh_pair, .root = root, .stereo_power = stereo_power, .settle = settle,        \
    .pair_power = pair_power, .split_pair = split_pair, .follow = follow,                          \
    .join_pairs = join_pairs, .sum = sum, .square_sum = square_sum, .weigh_blocks = weigh_blocks,  \
    .floored = floored, .classes = classes, .masked = masked
