// SPDX-License-Identifier: MIT
// The transform of fft.h for the sizes that the analysis lives on, with run-time variants. With L lanes a register,
// L interleaved parts of the input are transformed side by side, one in each lane and without a shuffle; a transform
// across the lanes, after one transposition, joins them.
#pragma once
#include "dsp/annotate.h"
#include "dsp/spectrum/fft.h"
#include <stddef.h>
#include <stdint.h>

enum { FFT_LEAST_SIZE = 256, FFT_LARGEST_SIZE = 65536, FFT_PASSES_MAX = 6 };

/// What a size needs in a variant, computed once.
struct fft_tables {
    uint32_t size, rows; // points, and points of each lane's part
    uint32_t passes, radices[FFT_PASSES_MAX];
    uint32_t *order; // row in which point k of the parts ends
    float *turns;    // of the passes, real and imaginary parts in turn
    float *joints; // of the parts before they are joined: a register of real, one of imaginary ones
};

/// Transform `in`, size complex points, to `out`; `work` has room for as many. All are aligned to 64 bytes, nothing
/// overlaps. Variants agree within 1e-6 of the largest magnitude of the result: each may fuse products and sums.
/// Where there is AVX2 alone, FFTW's own plan is the faster one.
typedef void (*fft_forward_fn)(const struct fft_tables *tables, float *out, float *work,
                               const float *in);
/// The same of a pair, each sample times its window's; no alignment is needed of those.
typedef void (*fft_forward_pair_fn)(const struct fft_tables *tables, float *out, float *work,
                                    const struct fft_pair *pair);
/// The same, but what is stored are the squared magnitudes, size of them.
typedef void (*fft_pair_squares_fn)(const struct fft_tables *tables, float *squares, float *work,
                                    const struct fft_pair *pair);

struct fft_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    uint32_t lanes;
    fft_forward_fn forward;
    fft_forward_pair_fn forward_pair;
    fft_pair_squares_fn pair_squares;
};
/// Best first; the last is the reference and needs nothing.
extern const struct fft_impl fft_impls[];
extern const size_t fft_impl_count;
/// The best variant for these cpu_flags().
const struct fft_impl *fft_select(uint32_t cpu_flags);

/// Tables for a power of two from FFT_LEAST_SIZE to FFT_LARGEST_SIZE. @return 0; -ENOMEM. Deinit either way.
MUST_CHECK int fft_tables_init(struct fft_tables *tables, const struct fft_impl *impl,
                               uint32_t size);
void fft_tables_deinit(struct fft_tables *tables);
