// SPDX-License-Identifier: MIT
// Loudness units and the mean powers that they stand for: ITU-R BS.1770-5.
#pragma once
#include <math.h>

/// What lies under it counts nowhere.
#define LUFS_ABSOLUTE_GATE (-70.0)

/// @param power over 0.
static inline double lufs_of_power(double power)
{
    return -0.691 + 10.0 * log10(power);
}

static inline double lufs_to_power(double lufs)
{
    return pow(10.0, (lufs + 0.691) / 10.0);
}
