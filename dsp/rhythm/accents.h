// SPDX-License-Identifier: MIT
// How strong one part of the onsets is at beats, between them, and at one beat out of a few.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum accent_place {
    ACCENT_ON,
    ACCENT_HALFWAY,
    ACCENT_THIRD,
    ACCENT_TWO_THIRDS,
    ACCENT_QUARTER,
    ACCENT_THREE_QUARTERS,
    ACCENT_PLACES
};

/// Means over a track, in nepers; `floor` is what chance puts anywhere, added to both sides of a ratio.
struct accents {
    double floor, mean;
    double at[ACCENT_PLACES];
    double strongest[ACCENT_PLACES]; // at that beat of a bar of 1 to 4 beats which is strongest
    double even, odd;                // on the beats, every other
    double weakest;                  // at that beat of a bar of 4 which is weakest
    // Of two strokes as far apart as a beat and a place, the weaker: both together are as strong as that.
    double pair_after[ACCENT_PLACES];  // on a beat and at the place after it
    double pair_before[ACCENT_PLACES]; // at the place as far before a beat, and on it
};

/// @param strength `frames` values in 1 / ONSET_SCALE, `beats` two or more ascending positions in frames;
/// beats past the end are left out.
struct accents accents_measure(const uint16_t *strength, size_t frames, const double *beats,
                               uint32_t count);
/// Accents differ by this much at most, as logarithms: no silence is infinitely less than a beat.
#define ACCENTS_LIMIT 2.5

/// Logarithm of a ratio of two of the means, held near 0 where both are faint.
double accents_log_ratio(const struct accents *accents, double above, double below);
