// SPDX-License-Identifier: MIT
#include "dsp/mastering/dither.h"
#include <math.h>

// What the chain adds against denormal numbers is no sound: digital silence stays digital silence.
static const float GRID_WIDTH = 0x1p-30F; // of a step

void dither_init(struct dither *dither, uint64_t seed)
{
    dither->state = seed;
    dither->clipped_samples = 0;
}

// Two uniform numbers of 24 bits from one step of SplitMix64.
static float triangular(struct dither *d)
{
    uint64_t z = d->state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    z ^= z >> 31;
    const float a = (float)(z & 0xFFFFFF), b = (float)(z >> 40);
    return (a - b) * 0x1p-24F;
}

void dither_to_s16(struct dither *d, int16_t *out, const float *in, uint32_t samples)
{
    for (uint32_t i = 0; i < samples; ++i) {
        const float scaled = in[i] * 32768.0F;
        float rounded = rintf(scaled);
        if (fabsf(rounded - scaled) > GRID_WIDTH)
            rounded = rintf(scaled + triangular(d));
        if (rounded > 32767.0F || rounded < -32768.0F) {
            rounded = rounded > 0 ? 32767.0F : -32768.0F;
            ++d->clipped_samples;
        }
        out[i] = (int16_t)rounded;
    }
}
