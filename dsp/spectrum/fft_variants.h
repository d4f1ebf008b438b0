// SPDX-License-Identifier: MIT
// The compiled variants of fft_kernel.h, for its table alone.
#pragma once
#include "dsp/spectrum/fft_kernel.h"

void fft_forward_c(const struct fft_tables *tables, float *out, float *work, const float *in);
void fft_forward_pair_c(const struct fft_tables *tables, float *out, float *work,
                        const struct fft_pair *pair);
void fft_pair_squares_c(const struct fft_tables *tables, float *squares, float *work,
                        const struct fft_pair *pair);
// x86-64 only
void fft_forward_avx512(const struct fft_tables *tables, float *out, float *work, const float *in);
void fft_forward_pair_avx512(const struct fft_tables *tables, float *out, float *work,
                             const struct fft_pair *pair);
void fft_pair_squares_avx512(const struct fft_tables *tables, float *squares, float *work,
                             const struct fft_pair *pair);
