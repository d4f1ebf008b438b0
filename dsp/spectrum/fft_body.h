// SPDX-License-Identifier: MIT
// The one body of every variant of fft_kernel.h. The including file gives, for its registers, transpose() of a
// square of them, and store_points(), real and imaginary parts in turn.
#pragma once
#include "dsp/spectrum/fft_kernel.h"
#include "dsp/vectors.h"

enum { LANES = WIDE_LANES, ROW = 2 * LANES };
static const float HALF_ROOT = 0.70710678118654752F; // of 2
#define ALWAYS static inline __attribute__((always_inline))

struct points {
    wide re, im;
};

static void transpose(wide x[LANES]);
static void store_points(float *out, const struct points *x);

ALWAYS void load_row(struct points *x, const float *row)
{
    memcpy(&x->re, row, sizeof x->re);
    memcpy(&x->im, row + LANES, sizeof x->im);
}

ALWAYS void store_row(float *row, const struct points *x)
{
    memcpy(row, &x->re, sizeof x->re);
    memcpy(row + LANES, &x->im, sizeof x->im);
}

ALWAYS void multiply(struct points *x, const wide *re, const wide *im)
{
    const wide real = x->re * *re - x->im * *im;
    x->im = x->re * *im + x->im * *re;
    x->re = real;
}

ALWAYS void turn_by(struct points *x, const float turn[2])
{
    const wide real = turn[0] * x->re - turn[1] * x->im;
    x->im = turn[1] * x->re + turn[0] * x->im;
    x->re = real;
}

// Structs are copied by their members throughout: whole ones go through memory.

// a + b and a - b in their places.
ALWAYS void cross(struct points *a, struct points *b)
{
    const wide re = a->re - b->re, im = a->im - b->im;
    a->re += b->re;
    a->im += b->im;
    b->re = re;
    b->im = im;
}

// Transform of four; the results in their order.
ALWAYS void four(struct points *a, struct points *b, struct points *c, struct points *d)
{
    cross(a, c);
    cross(b, d);
    const wide re = c->re, im = c->im, turned_re = d->im, turned_im = -d->re;
    cross(a, b);
    c->re = b->re;
    c->im = b->im;
    b->re = re + turned_re;
    b->im = im + turned_im;
    d->re = re - turned_re;
    d->im = im - turned_im;
}

// Transform of eight: the even results, then the odd ones.
ALWAYS void eight(struct points *x)
{
    cross(&x[0], &x[4]);
    cross(&x[1], &x[5]);
    cross(&x[2], &x[6]);
    cross(&x[3], &x[7]);
    const wide a = x[5].re, b = x[6].re, c = x[7].re;
    x[5].re = (a + x[5].im) * HALF_ROOT;
    x[5].im = (x[5].im - a) * HALF_ROOT;
    x[6].re = x[6].im;
    x[6].im = -b;
    x[7].re = (x[7].im - c) * HALF_ROOT;
    x[7].im = (x[7].im + c) * -HALF_ROOT;
    four(&x[0], &x[1], &x[2], &x[3]);
    four(&x[4], &x[5], &x[6], &x[7]);
}

// Where result k of a transform of four or eight lies.
ALWAYS uint32_t place_of(uint32_t k, uint32_t radix)
{
    return radix == 8 ? k % 2 * 4 + k / 2 : k;
}

ALWAYS void transform_of(struct points *x, uint32_t radix)
{
    if (radix == 8)
        eight(x);
    else
        four(&x[0], &x[1], &x[2], &x[3]);
}

// Rows a `step` apart, transformed, turned and stored.
ALWAYS void finish_rows(float *work, struct points *x, size_t step, uint32_t radix,
                        const float *turns)
{
    transform_of(x, radix);
#pragma GCC unroll 8
    for (uint32_t j = 0; j < radix; ++j) {
        struct points *result = &x[place_of(j, radix)];
        if (turns && j > 0)
            turn_by(result, turns + 2 * (size_t)(j - 1));
        store_row(work + j * step * ROW, result);
    }
}

ALWAYS void butterfly(float *work, size_t step, uint32_t radix, const float *turns)
{
    struct points x[8];
#pragma GCC unroll 8
    for (uint32_t j = 0; j < radix; ++j)
        load_row(&x[j], work + j * step * ROW);
    finish_rows(work, x, step, radix, turns);
}

ALWAYS void load_weighed(wide *x, const float *samples, const wide *weights)
{
    memcpy(x, samples, sizeof *x);
    *x *= *weights;
}

// From the input's interleaved points, or from both signals of a pair.
ALWAYS void first_pass(float *work, const float *in, const struct fft_pair *pair, size_t step,
                       uint32_t radix, const float *turns)
{
    for (size_t p = 0; p < step; ++p) {
        struct points x[8];
#pragma GCC unroll 8
        for (uint32_t j = 0; j < radix; ++j) {
            const uint32_t half = 2 * j / radix;
            const size_t row = p + j * step, row_of_half = p + (j - half * radix / 2) * step;
            if (pair) {
                wide weights;
                memcpy(&weights, pair->window + row * LANES, sizeof weights);
                load_weighed(&x[j].re, pair->first[half] + row_of_half * LANES, &weights);
                load_weighed(&x[j].im, pair->second[half] + row_of_half * LANES, &weights);
            } else {
                wide_deal(&x[j].re, &x[j].im, in + row * ROW);
            }
        }
        finish_rows(work + p * ROW, x, step, radix, turns + 2 * p * (radix - 1));
    }
}

ALWAYS void pass(float *work, size_t rows, size_t step, uint32_t radix, const float *turns)
{
    for (size_t block = 0; block < rows; block += step * radix)
        for (size_t p = 0; p < step; ++p)
            butterfly(work + (block + p) * ROW, step, radix, turns + 2 * p * (radix - 1));
}

ALWAYS void last_pass(float *work, size_t rows, uint32_t radix)
{
    for (size_t block = 0; block < rows; block += radix)
        butterfly(work + block * ROW, 1, radix, NULL);
}

ALWAYS void transform_parts(const struct fft_tables *t, float *work, const float *in,
                            const struct fft_pair *pair)
{
    const float *turns = t->turns;
    size_t step = t->rows / t->radices[0];
    if (t->radices[0] == 8)
        first_pass(work, in, pair, step, 8, turns);
    else
        first_pass(work, in, pair, step, 4, turns);
    for (uint32_t i = 1; i < t->passes; ++i) {
        turns += 2 * step * (t->radices[i - 1] - 1);
        const int is_last = i + 1 == t->passes;
        const uint32_t radix = t->radices[i];
        step /= radix;
        if (is_last && radix == 8)
            last_pass(work, t->rows, 8);
        else if (is_last)
            last_pass(work, t->rows, 4);
        else if (radix == 8)
            pass(work, t->rows, step, 8, turns);
        else
            pass(work, t->rows, step, 4, turns);
    }
}

#ifdef __AVX512F__
// Sixteen as four by four, result k at place_across(k).
ALWAYS void transform_across(struct points *x)
{
    static const float TURNS[10][2] = {{1, 0},
                                       {0.92387953251128674F, -0.38268343236508977F},
                                       {0.70710678118654752F, -0.70710678118654752F},
                                       {0.38268343236508977F, -0.92387953251128674F},
                                       {0, -1},
                                       {-0.38268343236508977F, -0.92387953251128674F},
                                       {-0.70710678118654752F, -0.70710678118654752F},
                                       {-0.92387953251128674F, -0.38268343236508977F},
                                       {-1, 0},
                                       {-0.92387953251128674F, 0.38268343236508977F}};
#    pragma GCC unroll 4
    for (int b = 0; b < 4; ++b)
        four(&x[b], &x[b + 4], &x[b + 8], &x[b + 12]);
#    pragma GCC unroll 16
    for (int i = 0; i < LANES; ++i)
        if (i % 4 * (i / 4) > 0)
            turn_by(&x[i], TURNS[i % 4 * (i / 4)]);
#    pragma GCC unroll 4
    for (int c = 0; c < 4; ++c)
        four(&x[4 * c], &x[4 * c + 1], &x[4 * c + 2], &x[4 * c + 3]);
}

ALWAYS uint32_t place_across(uint32_t k)
{
    return 4 * (k % 4) + k / 4;
}
#else
ALWAYS void transform_across(struct points *x)
{
    eight(x);
}

ALWAYS uint32_t place_across(uint32_t k)
{
    return place_of(k, 8);
}
#endif

// As many points of all parts as a register holds, joined: result k at place_across(k).
ALWAYS void join(const struct fft_tables *t, struct points x[LANES], const float *work, size_t at)
{
    wide re[LANES], im[LANES];
#pragma GCC unroll 16
    for (uint32_t i = 0; i < LANES; ++i) {
        const float *row = work + (size_t)t->order[at + i] * ROW;
        memcpy(&re[i], row, sizeof re[i]);
        memcpy(&im[i], row + LANES, sizeof im[i]);
    }
    transpose(re);
    transpose(im);
    const float *joints = t->joints + at / LANES * (LANES - 1) * ROW;
#pragma GCC unroll 16
    for (uint32_t lane = 0; lane < LANES; ++lane) {
        x[lane].re = re[lane];
        x[lane].im = im[lane];
        if (lane > 0) {
            struct points joint;
            load_row(&joint, joints + (size_t)(lane - 1) * ROW);
            multiply(&x[lane], &joint.re, &joint.im);
        }
    }
    transform_across(x);
}

static void join_points(const struct fft_tables *t, float *out, const float *work, size_t at)
{
    struct points x[LANES];
    join(t, x, work, at);
#pragma GCC unroll 16
    for (uint32_t k = 0; k < LANES; ++k)
        store_points(out + 2 * (at + (size_t)k * t->rows), &x[place_across(k)]);
}

static void join_squares(const struct fft_tables *t, float *squares, const float *work, size_t at)
{
    struct points x[LANES];
    join(t, x, work, at);
#pragma GCC unroll 16
    for (uint32_t k = 0; k < LANES; ++k) {
        const struct points *point = &x[place_across(k)];
        const wide square = point->re * point->re + point->im * point->im;
        memcpy(squares + at + (size_t)k * t->rows, &square, sizeof square);
    }
}

ALWAYS void transform(const struct fft_tables *t, float *out, float *work, const float *in,
                      const struct fft_pair *pair)
{
    transform_parts(t, work, in, pair);
    for (size_t at = 0; at < t->rows; at += LANES)
        join_points(t, out, work, at);
}

ALWAYS void transform_to_squares(const struct fft_tables *t, float *squares, float *work,
                                 const struct fft_pair *pair)
{
    transform_parts(t, work, NULL, pair);
    for (size_t at = 0; at < t->rows; at += LANES)
        join_squares(t, squares, work, at);
}
