// SPDX-License-Identifier: MIT
// Gains at which a track is equally loud mastered and as it is, so that the louder one does not win a comparison.
#pragma once
#include "dsp/mastering/mastering.h"

/// Linear, at most 1: the louder side is lowered, which cannot clip; the other one keeps its bits.
struct match {
    float mastered, plain;
};

/// By how much mastering makes a track of `track_lufs` louder, in dB. As calibrated, within 0.1 dB; before calibration, or
/// without a loudness, the makeup that it gets.
double match_lift_db(const struct mastering_targets *targets, double track_lufs);
/// Gains for a track that mastering lifts by `lift_db`.
struct match match_of_lift(double lift_db);
