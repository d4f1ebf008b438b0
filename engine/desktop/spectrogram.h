// SPDX-License-Identifier: MIT
// Two signals that run together as pictures of power over time and a logarithmic scale of frequency.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

enum {
    SPECTROGRAM_COLUMNS_MOST = 1000,
    SPECTROGRAM_ROWS = 192, // from SPECTROGRAM_LOW_HZ to 20 kHz, or half the rate if that is less
    SPECTROGRAM_LOW_HZ = 25,
};

enum spectrogram_signal { SPECTROGRAM_FIRST, SPECTROGRAM_SECOND, SPECTROGRAM_SIGNALS };

/// Hann windows of 4096 samples, at most eight averaged a column, so that cost and memory do not grow
/// with the length. Thread-safety: one thread at a time.
struct spectrogram;

/// @param samples of each signal, more than 0. @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int spectrogram_create(struct spectrogram **out, uint64_t samples, uint32_t rate_hz);
/// Destroy and set *spectrogram to NULL. NULL is fine.
void spectrogram_destroy(struct spectrogram **spectrogram);
/// The next `count` samples of both. What is past the announced end is left out.
void spectrogram_feed(struct spectrogram *spectrogram, const float *first, const float *second,
                      uint32_t count);
/// Zeros to the announced end. No feed after it.
void spectrogram_finish(struct spectrogram *spectrogram);
/// 1 .. SPECTROGRAM_COLUMNS_MOST.
uint32_t spectrogram_columns(const struct spectrogram *spectrogram);
/// Power in each row of a column, lowest frequency first; 1 is a sine of full scale.
const float *spectrogram_column(const struct spectrogram *spectrogram,
                                enum spectrogram_signal signal, uint32_t column);
/// Mean of a row's power over time. Pink noise gives equal values.
double spectrogram_mean(const struct spectrogram *spectrogram, enum spectrogram_signal signal,
                        uint32_t row);
/// Middle of a row in Hz; a fraction is fine.
double spectrogram_row_hz(const struct spectrogram *spectrogram, double row);
