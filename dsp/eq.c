// SPDX-License-Identifier: MIT
#include "dsp/eq.h"
#include <assert.h>
#include <string.h>

/// Left and right side by side: one operation for both.
typedef double pair __attribute__((vector_size(16)));

static const struct eq_band bands[EQ_BAND_COUNT] = {
    {EQ_LOW_SHELF, 120.0, 0.7071067811865476},
    {EQ_BELL, 300.0, 0.7},
    {EQ_BELL, 1200.0, 0.8},
    {EQ_BELL, 3500.0, 0.9},
    {EQ_HIGH_SHELF, 9000.0, 0.7071067811865476},
};

// A constant at -400 dB keeps the recursion's tails off the denormals, where some processors are a
// hundred times slower.
static const double DENORMAL_GUARD = 1e-20;

const struct eq_band *eq_band_of(int band)
{
    assert(band >= 0 && band < EQ_BAND_COUNT);
    return &bands[band];
}

void eq_numbers(double numbers[EQ_NUMBERS], const double gains_db[EQ_BAND_COUNT], double rate_hz)
{
    numbers[0] = 1.0;
    for (int band = 0; band < EQ_BAND_COUNT; ++band) {
        struct biquad biquad;
        eq_design(&biquad, &bands[band], gains_db[band], rate_hz);
        double *n = numbers + 1 + band * EQ_BAND_NUMBERS;
        numbers[0] *= biquad.b0;
        n[0] = biquad.b1 / biquad.b0;
        n[1] = biquad.b2 / biquad.b0;
        n[2] = biquad.a1;
        n[3] = biquad.a2;
    }
}

void eq_process(struct eq *eq, const double numbers[EQ_NUMBERS], double *stereo, uint32_t frames)
{
    pair s1[EQ_BAND_COUNT], s2[EQ_BAND_COUNT], wide[EQ_NUMBERS];
    for (int i = 0; i < EQ_NUMBERS; ++i)
        wide[i] = (pair){numbers[i], numbers[i]};
    memcpy(s1, eq->s1, sizeof s1);
    memcpy(s2, eq->s2, sizeof s2);
    for (uint32_t i = 0; i < frames; ++i) {
        pair x;
        memcpy(&x, stereo + (size_t)2 * i, sizeof x);
        x *= wide[0];
        for (int band = 0; band < EQ_BAND_COUNT; ++band) {
            const pair *n = wide + 1 + band * EQ_BAND_NUMBERS;
            const pair y = x + s1[band];
            s1[band] = (n[0] * x + s2[band]) - n[2] * y;
            s2[band] = (n[1] * x + DENORMAL_GUARD) - n[3] * y;
            x = y;
        }
        memcpy(stereo + (size_t)2 * i, &x, sizeof x);
    }
    memcpy(eq->s1, s1, sizeof s1);
    memcpy(eq->s2, s2, sizeof s2);
}
