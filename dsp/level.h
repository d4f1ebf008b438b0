// SPDX-License-Identifier: MIT
// Which of a pulse, its half and its double a listener would call the beat.
#pragma once
#include "dsp/annotate.h"
#include "dsp/onset.h"

enum level { LEVEL_HALF, LEVEL_SAME, LEVEL_DOUBLE };

/// Judge by how even the accents are at the beats and between them, and by the usual range of tempos.
/// @param beats `count` ascending positions in frames, `bpm` their tempo.
enum level level_choose(const struct onset *onset, const double *beats, uint32_t count, double bpm);
/// How usual a tempo is, 0..1: a bell over octaves.
double level_prior(double bpm);
