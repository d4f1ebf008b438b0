// SPDX-License-Identifier: MIT
// How many windows had which loudness, for tracks too long to remember each.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// Windows of about the same loudness.
struct loudness_step {
    uint32_t count;
    // sum of what each has beyond the power in the middle of the step, in units of that
    float excess;
};

/// Windows over -70 LUFS in steps of 1/128 LU, each as good as the mean of its step. Thread-safety: one thread at a
/// time.
struct loudness_tally {
    struct loudness_step *steps; // owned; NULL before init
};

/// Windows that lie over a gate.
struct loudness_passed {
    double sum; // of their mean powers
    uint32_t count;
};

/// @return 0; -ENOMEM. loudness_tally_deinit() is safe then.
MUST_CHECK int loudness_tally_init(struct loudness_tally *tally);
/// Free the memory. A zeroed tally is fine.
void loudness_tally_deinit(struct loudness_tally *tally);
/// Count a window by its mean power, weighted as loudness is; up to -70 LUFS it is left out.
void loudness_tally_add(struct loudness_tally *tally, double power);
/// Those over the power `gate`.
struct loudness_passed loudness_tally_passed(const struct loudness_tally *tally, double gate);
/// Mean power of the window that `rank` of those over the gate lie below; there are more than `rank`.
double loudness_tally_power_at(const struct loudness_tally *tally, double gate, uint32_t rank);

/// Mean and spread in LUFS.
struct loudness_spread {
    uint32_t count;
    double mean, squares; // of the deviations
};

/// Those over the gate.
struct loudness_spread loudness_tally_spread(const struct loudness_tally *tally, double gate);
