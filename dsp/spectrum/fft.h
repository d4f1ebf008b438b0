// SPDX-License-Identifier: MIT
// Complex discrete Fourier transform in single precision, planned so that every run gives the same bits.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// One transform size with its buffers. Thread-safety: one thread at a time; any number side by side.
struct fft;

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
