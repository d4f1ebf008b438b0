// SPDX-License-Identifier: MIT
// By how much more than its makeup mastering makes a track louder, measured as it is rendered: where nobody has
// calibrated.
#pragma once
#include "dsp/level/k_weighting.h"
#include <stdint.h>

enum lift_side { LIFT_MASTERED, LIFT_PLAIN, LIFT_SIDES };

/// Loudness of both sides over the last seconds. Plain data. Thread-safety: one thread.
struct lift {
    // --- immutable after init
    struct k_coefficients filter;
    double rate_hz;
    // --- state
    struct k_state states[LIFT_SIDES][2];
    // weighted: the older, the less; mastered as if there were no makeup
    double energies[LIFT_SIDES];
    double beyond_db; // by so much mastering lifts beyond its makeup
};

/// Until there is sound: as much as the makeup.
void lift_init(struct lift *lift, uint32_t rate_hz);
/// Take as many stereo frames of both sides; the makeup is that in force. @return by how much beyond_db moved: too
/// slowly to be heard as a step.
double lift_take(struct lift *lift, const float *mastered, const float *plain, uint32_t frames,
                 double makeup_db);
