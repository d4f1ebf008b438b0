// SPDX-License-Identifier: MIT
// Onsets picked from a strength curve, and how evenly they follow each other.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct picked {
    uint32_t count;
    // about the same count, of the strengths smoothed: what hardly stands out counts in part
    double weight;
    // Standard deviation of the intervals as a share of their mean above the shortest that can be picked: a
    // Poisson process has 1, a regular one 0. Under three onsets: HUGE_VAL.
    double unevenness;
};

/// @param strength `frames` values in 1 / ONSET_SCALE nepers. An onset is the top of 30 ms on either side, and
/// stands out of the mean of 100 ms before.
/// @param onsets room for the frames of them all, which a first call without (NULL) counts.
struct picked picker_pick(const uint16_t *strength, size_t frames, double frame_rate_hz,
                          double *onsets);
