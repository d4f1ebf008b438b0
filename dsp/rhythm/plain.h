// SPDX-License-Identifier: MIT
// Strokes that are all there is: a metronome, a click track.
#pragma once
#include "dsp/annotate.h"
#include "dsp/rhythm/onset.h"

/// Strokes out of silence that are even and alike, at 40..240 BPM, carry no metre: each is a beat.
/// *period_frames: their mean interval; 0 where there is anything else. @return 0; -ENOMEM.
MUST_CHECK int plain_find(const struct onset *onset, double frame_rate_hz, double *period_frames);
