// SPDX-License-Identifier: MIT
// How a track feels and what it may be called: rules over the finished measurements.
#pragma once
#include "dsp/analysis.h"

/// Fill analysis->profile and analysis->genre from the other members. Pure and deterministic; every
/// figure is a continuous function of the measurements, only the label flips. The rules were written
/// by hand and are not backed by labelled music: where the best score is low or its margin is thin,
/// the label is GENRE_UNKNOWN. Silence: profile and scores all 0, unknown.
void profile_compute(struct analysis *analysis);
