// SPDX-License-Identifier: MIT
#include "dsp/spectrum/fft_body.h"
#include "dsp/spectrum/fft_variants.h"

static void transpose(wide x[LANES])
{
    vector8_transpose(x);
}

static void store_points(float *out, const struct points *x)
{
    for (int i = 0; i < LANES; ++i) {
        out[2 * i] = x->re[i];
        out[2 * i + 1] = x->im[i];
    }
}

void fft_forward_c(const struct fft_tables *tables, float *out, float *work, const float *in)
{
    transform(tables, out, work, in, NULL);
}

void fft_forward_pair_c(const struct fft_tables *tables, float *out, float *work,
                        const struct fft_pair *pair)
{
    transform(tables, out, work, NULL, pair);
}

void fft_pair_squares_c(const struct fft_tables *tables, float *squares, float *work,
                        const struct fft_pair *pair)
{
    transform_to_squares(tables, squares, work, pair);
}
