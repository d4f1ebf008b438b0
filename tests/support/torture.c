// SPDX-License-Identifier: MIT
#include "support/torture.h"
#include "support/measure.h"
#include <math.h>

static const char *const names[TORTURE_ITEMS] = {
    "crushed-noise",  "quarter-tone-0", "quarter-tone-1", "quarter-tone-2",
    "quarter-tone-3", "sixth-tone-0",   "sixth-tone-1",   "sixth-tone-2",
    "sixth-tone-3",   "impulses",       "square-bursts",  "hot-music",
};

const char *torture_name(int item)
{
    return names[item];
}

static double hot_music(double t, uint64_t *seed)
{
    const double kick = sin(2 * M_PI * 55 * t) * exp(-8 * fmod(t, 0.25));
    const double pad =
        sin(2 * M_PI * 440 * t) + sin(2 * M_PI * 554.37 * t) + sin(2 * M_PI * 3322.4 * t);
    return 4.0 * (0.6 * kick + 0.2 * pad + 0.15 * measure_noise(seed));
}

static double sample_of(const struct torture *torture, uint32_t n, uint64_t *seed)
{
    const int item = (int)torture->item;
    switch (item) {
    case TORTURE_CRUSHED_NOISE:
        return fmax(-1, fmin(1, 4.0 * measure_noise(seed)));
    case TORTURE_IMPULSES:
        return n % 441 == 7 ? 1.0 : n % 997 == 11 ? -1.0 : 0.0;
    case TORTURE_SQUARE_BURSTS:
        return n / 2000 % 2 ? (n / 23 % 2 ? 1.0 : -1.0) : 0.0;
    case TORTURE_HOT_MUSIC:
        return hot_music(n / (double)torture->rate_hz, seed);
    default:
        break;
    }
    const int is_quarter = item < TORTURE_SIXTH_TONE_0;
    const int phase = item - (int)(is_quarter ? TORTURE_QUARTER_TONE_0 : TORTURE_SIXTH_TONE_0);
    return sin(2 * M_PI * n / (is_quarter ? 4.0 : 6.0) + phase * M_PI / 8);
}

void torture_fill(const struct torture *torture, float *stereo, uint32_t frames)
{
    uint64_t seed = 17;
    const uint32_t period = (uint32_t)(torture->burst_period_s * torture->rate_hz);
    const uint32_t burst = torture->rate_hz / 250;
    for (uint32_t n = 0; n < frames; ++n) {
        double v = n < torture->sound_frames ? sample_of(torture, n, &seed) : 0.0;
        if (period > 0 && n % period >= burst)
            v *= 0.00316;
        stereo[2 * n] = (float)(torture->gain * v);
        stereo[2 * n + 1] = (float)(-0.7 * torture->gain * v);
    }
}
