// SPDX-License-Identifier: MIT
// Stands in for the analyzer, the targets and the calibration: figures a test can count in its head.
#pragma once
#include <stdatomic.h>
#include <stdint.h>

// An analysis has the number of frames fed, fingerprint[FINGERPRINT_LUFS] is the sum of all samples
// and the bands are FAKE_BAND_SHARE each. makeup_db is the number of frames that calibrate() read,
// predicted_lufs the analysis' fingerprint[FINGERPRINT_LUFS].
static const double FAKE_BAND_SHARE = 1.0 / 7;
// width of the targets of a track that was mastered before; 0 otherwise.
static const double FAKE_WIDTH_AGAIN = 3.0;

/// Set by the test while no job runs; read by workers.
struct fake_analysis_faults {
    _Atomic int create_error, feed_error, finish_error, calibrate_error;
    _Atomic int64_t analyzers_alive;
};
struct fake_analysis_faults *fake_analysis_faults(void);
