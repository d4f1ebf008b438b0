// SPDX-License-Identifier: MIT
// Test signals of EBU and ITU loudness suites, and measuring them: a case is right within the standard's
// tolerance of its nominal value and within a hundredth of that of the exact value, which a plain
// BS.1770 in double precision finds in the same samples.
#pragma once
#include "dsp/pcm.h"
#include "support/bs1770.h"
#include <stdint.h>

enum { LOUDNESS_RATE_COUNT = 5 };
static const uint32_t LOUDNESS_RATES_HZ[LOUDNESS_RATE_COUNT] = {44100, 48000, 88200, 96000, 192000};
static const double LOUDNESS_TOLERANCE_LU = 0.1, LOUDNESS_EXACT_LU = 0.001;
static const double LOUDNESS_SILENCE_DB = -999;

/// A stretch of a 1 kHz sine, in dBFS of its peak.
struct loudness_piece {
    double level_db, seconds;
};

struct loudness_signal {
    float *samples; // freed by loudness_signal_measure()
    uint32_t frames;
    struct pcm_format format;
};

/// What segue's meter says, and what it should.
struct loudness_figures {
    double integrated_lufs, momentary_max_lufs, short_term_max_lufs, range_lu;
    struct bs1770 exact;
};

/// Two equal channels up to 48 kHz. Over that one, which counts on both sides: half of the work.
uint32_t loudness_channels_at(uint32_t rate_hz);
/// Silence to write into.
struct loudness_signal loudness_signal_make(uint32_t rate_hz, uint32_t channels, double seconds);
/// One piece after another, in loudness_channels_at() equal channels.
struct loudness_signal
loudness_signal_make_tones(uint32_t rate_hz, const struct loudness_piece *pieces, uint32_t count);
/// A level for each channel.
struct loudness_signal loudness_signal_make_levels(uint32_t rate_hz, uint32_t channels,
                                                   const double *levels_db, double seconds);
/// Measure, hold against the exact figures, and free the samples.
struct loudness_figures loudness_signal_measure(struct loudness_signal *signal);
/// The same with tones.
struct loudness_figures loudness_measure_tones(uint32_t rate_hz,
                                               const struct loudness_piece *pieces, uint32_t count);
/// Integrated loudness of tones, at every rate.
void loudness_assert_integrated(const struct loudness_piece *pieces, uint32_t count,
                                double nominal_lufs);
