// SPDX-License-Identifier: MIT
// How sure the level of a pulse is: the share of tracks with the same evidence that are counted so.
#pragma once
#include "dsp/rhythm/level.h"
#include <stddef.h>

/// One level of a pulse.
struct level_reading {
    double period_frames;
    double odds; // as level_weigh() has them
    double evidence[LEVEL_EVIDENCE];
};

/// How likely the best of `count` >= 1 readings is a level that a listener would name, 0..1.
/// @param second the next best; `best` itself if there is no other.
double certainty_of(const struct level_reading *readings, size_t count, size_t best, size_t second);
