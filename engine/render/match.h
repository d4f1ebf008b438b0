// SPDX-License-Identifier: MIT
// Gains at which a track is equally loud mastered and as it is, so that the louder one does not win a comparison.
#pragma once
#include "dsp/mastering/mastering.h"

/// Linear. The louder side is lowered, as far as the plain one cannot be raised: what goes over from a lifted
/// track to its plain sound would fall by all of the lift else. Mastered sound is never raised.
struct match {
    float mastered, plain;
};

/// By how much mastering makes a track of `track_lufs` louder, in dB. As calibrated, within 0.1 dB; before
/// calibration, or without a loudness, the makeup that it gets.
double match_lift_db(const struct mastering_targets *targets, double track_lufs);
/// By how much its plain sound may be raised, in dB, so that its true peak stays at the ceiling or below; 0 where
/// that is not known (NaN).
double match_headroom_db(const struct mastering_targets *targets, double true_peak_dbtp);
/// Gains for a track that mastering lifts by `lift_db`.
struct match match_of_lift(double lift_db, double headroom_db);
