// SPDX-License-Identifier: MIT
// The K-weighting filter of ITU-R BS.1770-5 at any sample rate.
#pragma once
#include <stdint.h>

/// Two sections in series, a[0] = 1: the high shelf of the head, then the high-pass.
struct k_coefficients {
    double shelf_b[3], shelf_a[3];
    double high_pass_b[3], high_pass_a[3];
};

/// Filter memory of one channel; zeroed at the start of a track.
struct k_state {
    double shelf[2], high_pass[2];
};

/// Derive the filter for `rate_hz` from the analogue prototype behind the standard's 48 kHz table.
void k_weighting_design(struct k_coefficients *out, uint32_t rate_hz);
/// Filter `frames` samples. @return the sum of the squared outputs.
double k_weighting_energy(const struct k_coefficients *coefficients, struct k_state *state,
                          const double *samples, uint32_t frames);
