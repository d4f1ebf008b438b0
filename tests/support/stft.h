// SPDX-License-Identifier: MIT
// The low spectrogram that the analysis modules are fed with, made the plain way.
#pragma once
#include <stddef.h>

enum { STFT_WINDOW = 2048, STFT_HOP = 512, STFT_BINS = STFT_WINDOW / 2 + 1 };

/// Frames of a signal of `count` samples.
size_t stft_frames(size_t count);
/// Power spectrum around sample STFT_HOP * frame under a periodic Hann window, zeros outside.
void stft_power(const float *signal, size_t count, size_t frame, float power[STFT_BINS]);
