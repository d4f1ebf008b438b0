// SPDX-License-Identifier: MIT
// Complex discrete Fourier transform in single precision, planned so that every run gives the same bits.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

enum { FFT_LEAST_POWERS = 128 };

/// One transform size with its buffers. Thread-safety: one thread at a time; any number side by side.
struct fft;

/// Two real signals of `size` samples, each in two halves that lie where they like, and their window.
struct fft_pair {
    const float *first[2], *second[2];
    const float *window;
};

/// Plan a forward transform of `size` complex points, a power of two. Takes a lock for the time of
/// planning (FFTW's planner is not reentrant). @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int fft_create(struct fft **out, uint32_t size);
/// Destroy and set *fft to NULL. NULL is fine.
void fft_destroy(struct fft **fft);
/// Where the input goes: 2 * size floats, real and imaginary parts in turn.
float *fft_input(struct fft *fft);
/// Transform. @return the output in the same form and its first point once more, valid until the next
/// call; the input is kept.
const float *fft_forward(struct fft *fft);
/// Transform first * window + i second * window. @return as fft_forward(); what the input holds then is not said.
const float *fft_forward_pair(struct fft *fft, const struct fft_pair *pair);
/// The pair's powers together, |first|² + |second|², of bins 0 .. size / 2; at least FFT_LEAST_POWERS points.
/// @return their sum. What the input holds then is not said.
double fft_pair_power(struct fft *fft, float *power, const struct fft_pair *pair);
