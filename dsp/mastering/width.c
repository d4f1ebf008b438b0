// SPDX-License-Identifier: MIT
#include "dsp/mastering/width.h"
#include <math.h>

static const double CROSSOVER_HZ = 150.0;
static const double DENORMAL_GUARD = 1e-20;

double width_coefficient(double rate_hz)
{
    return 1.0 - exp(-2.0 * M_PI * CROSSOVER_HZ / rate_hz);
}

void width_process(struct width *width, double coefficient, double side_gain, double *stereo,
                   uint32_t frames)
{
    double low = width->low[0], lower = width->low[1];
    const double keep = 1.0 - coefficient;
    const double extra = 0.5 * (side_gain - 1.0);
    for (uint32_t i = 0; i < frames; ++i) {
        const double side = stereo[2 * i] - stereo[2 * i + 1];
        low = keep * low + (coefficient * side + DENORMAL_GUARD);
        const double high = side - low;
        lower = keep * lower + coefficient * high;
        const double change = extra * (high - lower);
        stereo[2 * i] += change;
        stereo[2 * i + 1] -= change;
    }
    width->low[0] = low;
    width->low[1] = lower;
}
