// SPDX-License-Identifier: MIT
// The pulse of a track: the period of its beats and the next best reading, from onset strengths.
#pragma once
#include "dsp/annotate.h"
#include "dsp/rhythm/onset.h"

/// A period is never shorter than this: at very low sample rates the fast tempos are out of reach.
enum { METER_LEAST_FRAMES = 2 };

struct meter {
    double period_frames, alternative_frames; // 0: none
    double salience, alternative_salience;    // 0..1
    double certainty;    // 0..1: how likely the period is a level that a listener would name
    double significance; // of what recurs, as lags_significance() has it
};

/// @param frame_rate_hz onset frames per second. @return 0; -ENOMEM.
MUST_CHECK int meter_find(const struct onset *onset, double frame_rate_hz, struct meter *out);
