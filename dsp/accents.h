// SPDX-License-Identifier: MIT
// How strong one part of the onsets is at beats, between them, and at every other one.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Means over a track, in nepers; `floor` is what chance puts anywhere, added to both sides of a ratio.
struct accents {
    double floor, mean, on, halfway, third, two_thirds, even, odd;
};

/// @param strength `frames` values in 1 / ONSET_SCALE, `beats` two or more ascending positions in frames;
/// beats past the end are left out.
struct accents accents_measure(const uint16_t *strength, size_t frames, const double *beats,
                               uint32_t count);
/// Accents differ by this much at most, as logarithms: no silence is infinitely less than a beat.
#define ACCENTS_LIMIT 2.5

/// Logarithm of a ratio of two of the means, held near 0 where both are faint.
double accents_log_ratio(const struct accents *accents, double above, double below);
