// SPDX-License-Identifier: MIT
// The one body of every variant of spectrum_kernel.h: each .c that includes it compiles it for its
// instruction set.
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

static double fold_squares(float *restrict power, const float *restrict squares, uint32_t size)
{
    assert(size % (2 * CHUNK) == 0);
    struct vector8_wide sums = {.part = {{0}}};
    for (uint32_t k = 0; k < size / 2; k += CHUNK) {
        const float *forth = squares + k, *back = squares + (size - k - CHUNK + 1);
        for (uint32_t i = 0; i < CHUNK; ++i)
            power[k + i] = 0.5F * (forth[i] + back[CHUNK - 1 - i]);
        add_chunk(&sums, power + k);
    }
    power[size / 2] = squares[size / 2];
    return vector8_wide_sum(&sums) + (double)power[size / 2];
}

static void settle(float *restrict power, float *restrict energy, float floor, uint32_t count)
{
    const wide lowest = floor + (wide){0};
    uint32_t k = 0;
    for (; k + WIDE_LANES <= count; k += WIDE_LANES) {
        wide x, sum;
        memcpy(&x, power + k, sizeof x);
        memcpy(&sum, energy + k, sizeof sum);
        wide_keep_over(&x, &lowest);
        sum += x;
        memcpy(power + k, &x, sizeof x);
        memcpy(energy + k, &sum, sizeof sum);
    }
    for (; k < count; ++k) {
        power[k] = power[k] > floor ? power[k] : 0.0F;
        energy[k] += power[k];
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

// Sums run in single precision over this many values of a lane, then in double.
enum { RUN = 8 };

static double sum(const float *values, uint32_t count)
{
    double total = 0;
    uint32_t i = 0;
    while (i + WIDE_LANES <= count) {
        wide run = {0};
        for (uint32_t r = 0; r < RUN && i + WIDE_LANES <= count; ++r, i += WIDE_LANES) {
            wide x;
            memcpy(&x, values + i, sizeof x);
            run += x;
        }
        total += (double)wide_sum(&run);
    }
    for (; i < count; ++i)
        total += (double)values[i];
    return total;
}

static double square_sum(const float *samples, uint32_t count)
{
    double total = 0;
    uint32_t i = 0;
    while (i + WIDE_LANES <= count) {
        wide run = {0};
        for (uint32_t r = 0; r < RUN && i + WIDE_LANES <= count; ++r, i += WIDE_LANES) {
            wide x;
            memcpy(&x, samples + i, sizeof x);
            run += x * x;
        }
        total += (double)wide_sum(&run);
    }
    for (; i < count; ++i)
        total += (double)samples[i] * (double)samples[i];
    return total;
}

// Roots in place of the values; with AVX-512 within 2 units in the last place, as the unit that divides and takes
// roots would keep the rest waiting.
static inline void wide_root(wide *x)
{
#if defined(__AVX512F__)
    const __m512 value = (__m512)*x;
    const __mmask16 positive = _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_GT_OQ);
    const __m512 inverse = _mm512_maskz_rsqrt14_ps(positive, value); // of 0: 0
    const __m512 root = _mm512_mul_ps(value, inverse);
    const __m512 half = _mm512_set1_ps(0.5F);
    const __m512 rest = _mm512_fnmadd_ps(root, _mm512_mul_ps(half, inverse), half);
    *x = (wide)_mm512_fmadd_ps(root, rest, root);
#elif defined(__AVX2__)
    *x = (wide)_mm256_sqrt_ps((__m256)*x);
#else
    for (uint32_t i = 0; i < WIDE_LANES; ++i)
        (*x)[i] = sqrtf((*x)[i]);
#endif
}

// The same of one block.
static inline double weigh_block(wide *moment, double *rest, const float *restrict weights,
                                 const float *restrict moments, const float *restrict powers,
                                 uint32_t count)
{
    wide block = {0};
    uint32_t k = 0;
    for (; k + WIDE_LANES <= count; k += WIDE_LANES) {
        wide root, weight, weight_of_moment;
        memcpy(&root, powers + k, sizeof root);
        memcpy(&weight, weights + k, sizeof weight);
        memcpy(&weight_of_moment, moments + k, sizeof weight_of_moment);
        wide_root(&root);
        block += weight * root;
        *moment += weight_of_moment * root;
    }
    double sum = (double)wide_sum(&block);
    for (; k < count; ++k) {
        const float root = sqrtf(powers[k]);
        sum += (double)(weights[k] * root);
        *rest += (double)(moments[k] * root);
    }
    return sum;
}

static double weigh_blocks(double *restrict blocks, const float *restrict weights,
                           const float *restrict moments, const float *restrict powers,
                           uint32_t count)
{
    wide moment = {0};
    double rest = 0;
    for (uint32_t k = 0; k < count; k += SPECTRUM_BLOCK)
        blocks[k / SPECTRUM_BLOCK] =
            weigh_block(&moment, &rest, weights + k, moments + k, powers + k,
                        count - k < SPECTRUM_BLOCK ? count - k : SPECTRUM_BLOCK);
    return (double)wide_sum(&moment) + rest;
}

// Leave each product its mantissa, and add its exponent to those of its lane.
static inline void take_exponents(wide *product, wide_mask *exponents)
{
    const wide_mask bits = (wide_mask)*product;
    *exponents += (bits >> 23) - 127;
    *product = (wide)((bits & 0x007fffff) | 0x3f800000);
}

// A logarithm is dear, a product cheap: a lane multiplies as many values as a float surely holds.
static struct spectrum_floored floored(const float *values, uint32_t count, float scale,
                                       float floor)
{
    // RUN factors of 1e-4 .. 4096 and a mantissa: 1e-32 .. 2^97
    const wide lowest = floor + (wide){0};
    wide product = 1 + (wide){0}, sums = {0};
    wide_mask exponents = {0};
    uint32_t i = 0;
    while (i + WIDE_LANES <= count) {
        for (uint32_t f = 0; f < RUN && i + WIDE_LANES <= count; ++f, i += WIDE_LANES) {
            wide x;
            memcpy(&x, values + i, sizeof x);
            x *= scale;
            wide_higher(&x, &lowest);
            product *= x;
            sums += x;
        }
        take_exponents(&product, &exponents);
    }
    struct spectrum_floored out = {.sum = (double)wide_sum(&sums)};
    double mantissa = 1; // of less than WIDE_LANES values too
    int64_t exponent = 0;
    for (uint32_t lane = 0; lane < WIDE_LANES; ++lane) {
        mantissa *= (double)product[lane];
        exponent += exponents[lane];
    }
    for (; i < count; ++i) {
        const float x = values[i] * scale > floor ? values[i] * scale : floor;
        mantissa *= (double)x;
        out.sum += (double)x;
    }
    out.log_sum = log(mantissa) + 0.693147180559945309417 * (double)exponent;
    return out;
}

// As many classes of as many rows as have their sums in three quarters of the registers.
enum { GROUP = SPECTRUM_CLASSES / 2, ROWS = WIDE_LANES / 4 };

static inline void group_classes(double out[ROWS][SPECTRUM_CLASSES], const float *restrict weights,
                                 uint32_t stride, const float *const values[ROWS], uint32_t count)
{
    wide sums[GROUP][ROWS] = {{{0}}};
    uint32_t i = 0;
    for (; i + WIDE_LANES <= count; i += WIDE_LANES) {
        wide rows[ROWS];
#pragma GCC unroll 4
        for (uint32_t r = 0; r < ROWS; ++r)
            memcpy(&rows[r], values[r] + i, sizeof rows[r]);
#pragma GCC unroll 6
        for (uint32_t c = 0; c < GROUP; ++c) {
            wide weight;
            memcpy(&weight, weights + (size_t)c * stride + i, sizeof weight);
#pragma GCC unroll 4
            for (uint32_t r = 0; r < ROWS; ++r)
                sums[c][r] += weight * rows[r];
        }
    }
#pragma GCC unroll 6
    for (uint32_t c = 0; c < GROUP; ++c)
#pragma GCC unroll 4
        for (uint32_t r = 0; r < ROWS; ++r) {
            out[r][c] = (double)wide_sum(&sums[c][r]);
            for (uint32_t k = i; k < count; ++k)
                out[r][c] += (double)(weights[(size_t)c * stride + k] * values[r][k]);
        }
}

static void classes(double out[SPECTRUM_TOGETHER][SPECTRUM_CLASSES], const float *weights,
                    uint32_t stride, const float *const values[SPECTRUM_TOGETHER], uint32_t count)
{
    for (uint32_t r = 0; r < SPECTRUM_TOGETHER; r += ROWS)
        for (uint32_t c = 0; c < SPECTRUM_CLASSES; c += GROUP) {
            double sums[ROWS][SPECTRUM_CLASSES];
            group_classes(sums, weights + (size_t)c * stride, stride, values + r, count);
            for (uint32_t i = 0; i < ROWS; ++i)
                memcpy(out[r + i] + c, sums[i], GROUP * sizeof *sums[i]);
        }
}

// a / b within 2 units in the last place, for the same reason; b is normal, and so is its inverse.
static inline void wide_divide(wide *a, const wide *b)
{
#if defined(__AVX512F__)
    const __m512 inverse = _mm512_rcp14_ps((__m512)*b);
    const __m512 rest = _mm512_fnmadd_ps(inverse, (__m512)*b, _mm512_set1_ps(1.0F));
    *a = (wide)_mm512_mul_ps((__m512)*a, _mm512_fmadd_ps(inverse, rest, inverse));
#else
    *a /= *b;
#endif
}

// What the masks leave of a register of bins.
static inline void mask_bins(wide *harmonic, wide *percussive, const float *power,
                             const float *along_time, const float *along_frequency)
{
    wide p, a, b;
    memcpy(&p, power, sizeof p);
    memcpy(&a, along_time, sizeof a);
    memcpy(&b, along_frequency, sizeof b);
    // Where both are 0, a little on both sides makes the mask one half; elsewhere it is lost in rounding.
    a += LEAST_POWER;
    b += LEAST_POWER;
    b += a;
    wide mask = a;
    wide_divide(&mask, &b);
    const wide rest = 1 - mask;
    *harmonic += mask * mask * p;
    *percussive += rest * rest * p;
}

static struct spectrum_masked masked(const float *power, const float *a, const float *b,
                                     uint32_t count)
{
    struct spectrum_masked sums = {0};
    uint32_t k = 0;
    while (k < count) {
        wide h = {0}, p = {0};
        for (uint32_t r = 0; r < RUN && k + WIDE_LANES <= count; ++r, k += WIDE_LANES)
            mask_bins(&h, &p, power + k, a + k, b + k);
        if (count - k < WIDE_LANES) {
            float rest[3][WIDE_LANES] = {{0}};
            memcpy(rest[0], power + k, (count - k) * sizeof(float));
            memcpy(rest[1], a + k, (count - k) * sizeof(float));
            memcpy(rest[2], b + k, (count - k) * sizeof(float));
            mask_bins(&h, &p, rest[0], rest[1], rest[2]);
            k = count;
        }
        sums.harmonic += (double)wide_sum(&h);
        sums.percussive += (double)wide_sum(&p);
    }
    return sums;
}

#define SPECTRUM_FUNCTIONS                                                                         \
    .weigh_pair = weigh_pair, .stereo_power = stereo_power, .fold_squares = fold_squares,          \
    .settle = settle, .pair_power = pair_power, .split_pair = split_pair, .follow = follow,        \
    .join_pairs = join_pairs, .sum = sum, .square_sum = square_sum, .weigh_blocks = weigh_blocks,  \
    .floored = floored, .classes = classes, .masked = masked
