// SPDX-License-Identifier: MIT
// Whether the beats of a track lie on its beat or halfway between.
#pragma once
#include "dsp/onset.h"

enum phase { PHASE_ON, PHASE_BETWEEN };

/// Judge by where the harmony changes, where the bass is heaviest and where most sets in: what is loudest
/// in nepers, such as a hat after silence, as often lies off the beat.
/// @param beats `count` ascending positions in frames.
enum phase phase_choose(const struct onset *onset, const double *beats, uint32_t count);
