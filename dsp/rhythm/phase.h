// SPDX-License-Identifier: MIT
// Whether the pulses found in a track are its beats, or lie halfway or a third of the way between.
#pragma once
#include "dsp/rhythm/onset.h"

/// Judge by where the harmony changes, where the bass is heaviest and where most sets in: what is loudest
/// in nepers, such as a hat after silence, as often lies off the beat. Of two heavy strokes close together the second
/// is on it.
/// @param beats `count` ascending positions in frames.
/// @return how far the beats lie after the pulses, in beats: 0, 1/4, 1/3, 1/2 or 2/3.
double phase_choose(const struct onset *onset, const double *beats, uint32_t count);
