// SPDX-License-Identifier: MIT
#include "dsp/level/k_weighting.h"
#include <assert.h>
#include <math.h>

// Under 4 kHz the shelf's corner would pass the Nyquist frequency and the filter turn unstable; it
// is held just below it, where it does nothing any more.
static double warped(double corner_hz, uint32_t rate_hz)
{
    return tan(M_PI * fmin(corner_hz / rate_hz, 0.49));
}

void k_weighting_design(struct k_coefficients *out, uint32_t rate_hz)
{
    assert(rate_hz > 0);
    const double shelf_q = 0.7071752369554196;
    const double gain = pow(10.0, 3.999843853973347 / 20.0);
    const double gain_middle = pow(gain, 0.4996667741545416);
    double k = warped(1681.974450955533, rate_hz);
    double norm = 1.0 + k / shelf_q + k * k;
    *out = (struct k_coefficients){
        .shelf_b = {(gain + gain_middle * k / shelf_q + k * k) / norm, 2.0 * (k * k - gain) / norm,
                    (gain - gain_middle * k / shelf_q + k * k) / norm},
        .shelf_a = {1.0, 2.0 * (k * k - 1.0) / norm, (1.0 - k / shelf_q + k * k) / norm},
        .high_pass_b = {1.0, -2.0, 1.0},
        .high_pass_a = {1.0},
    };
    const double high_pass_q = 0.5003270373238773;
    k = warped(38.13547087602444, rate_hz);
    norm = 1.0 + k / high_pass_q + k * k;
    out->high_pass_a[1] = 2.0 * (k * k - 1.0) / norm;
    out->high_pass_a[2] = (1.0 - k / high_pass_q + k * k) / norm;
}

// A decaying tail would end in denormal numbers, which cost a hundred times as much. They are far
// below any figure, so they end as zero instead.
static void settle(double memory[2])
{
    for (int i = 0; i < 2; ++i)
        if (fabs(memory[i]) < 1e-60)
            memory[i] = 0;
}

double k_weighting_energy(const struct k_coefficients *coefficients, struct k_state *state,
                          const double *samples, uint32_t frames)
{
    const struct k_coefficients k = *coefficients;
    struct k_state s = *state;
    double energy = 0;
    for (uint32_t i = 0; i < frames; ++i) {
        const double x = samples[i];
        const double y = k.shelf_b[0] * x + s.shelf[0];
        s.shelf[0] = k.shelf_b[1] * x - k.shelf_a[1] * y + s.shelf[1];
        s.shelf[1] = k.shelf_b[2] * x - k.shelf_a[2] * y;
        const double z = y + s.high_pass[0];
        s.high_pass[0] = -2.0 * y - k.high_pass_a[1] * z + s.high_pass[1];
        s.high_pass[1] = y - k.high_pass_a[2] * z;
        energy += z * z;
    }
    settle(s.shelf);
    settle(s.high_pass);
    *state = s;
    return energy;
}
