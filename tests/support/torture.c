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

/// Uniform in 0..1.
static double chance(uint64_t *seed)
{
    return 0.5 + 0.5 * measure_noise(seed);
}

struct torture_burst torture_burst_of(uint32_t index, uint32_t rate_hz)
{
    uint64_t seed = 1000003ULL * index + 12345;
    for (int i = 0; i < 8; ++i)
        (void)chance(&seed); // neighbours begin alike
    const double seconds = 0.001 + 0.007 * chance(&seed);
    return (struct torture_burst){.kind = (enum torture_burst_kind)(index % BURST_KINDS),
                                  .frames = (uint32_t)(seconds * rate_hz),
                                  .level = 0.3 * pow(4 / 0.3, chance(&seed)),
                                  .seed = seed};
}

static double clipped(double x)
{
    return fmax(-1, fmin(1, x));
}

enum { PARTIALS = 24 };

/// Partials of a band between 2 % and all of the Nyquist frequency, raised until `drive` of them is clipped.
static void write_band(const struct torture_burst *burst, float *x, uint32_t stride, double drive)
{
    uint64_t seed = burst->seed;
    const double low = 0.02 + 0.9 * chance(&seed), width = (1 - low) * chance(&seed);
    double turn[PARTIALS], phase[PARTIALS];
    for (int p = 0; p < PARTIALS; ++p) {
        turn[p] = M_PI * (low + width * chance(&seed));
        phase[p] = 2 * M_PI * chance(&seed);
    }
    for (uint32_t n = 0; n < burst->frames; ++n) {
        double sum = 0;
        for (int p = 0; p < PARTIALS; ++p)
            sum += cos(turn[p] * n + phase[p]);
        const double v = drive * sum / sqrt(PARTIALS);
        x[(size_t)n * stride] = (float)(burst->level * (drive > 1 ? clipped(v) : v));
    }
}

static void write_sinc_signs(const struct torture_burst *burst, float *x, uint32_t stride)
{
    uint64_t seed = burst->seed;
    const double middle = 0.5 * burst->frames + chance(&seed), turned = 0.1 * chance(&seed);
    for (uint32_t n = 0; n < burst->frames; ++n) {
        const double t = n - middle, sign = sin(M_PI * t) / t < 0 ? -1 : 1;
        x[(size_t)n * stride] = (float)(burst->level * (chance(&seed) < turned ? -sign : sign));
    }
}

static void write_turned_tone(const struct torture_burst *burst, float *x, uint32_t stride)
{
    uint64_t seed = burst->seed;
    const double period = 2 + 6 * pow(chance(&seed), 2), phase = 2 * M_PI * chance(&seed);
    const double drive = 1 + 2 * chance(&seed), turn = burst->frames * chance(&seed);
    for (uint32_t n = 0; n < burst->frames; ++n) {
        const double tone = clipped(drive * sin(2 * M_PI * n / period + phase));
        x[(size_t)n * stride] = (float)(burst->level * (n < turn ? tone : -tone));
    }
}

static void write_difference_signs(const struct torture_burst *burst, float *x, uint32_t stride)
{
    uint64_t seed = burst->seed;
    double last = 0;
    for (uint32_t n = 0; n < burst->frames; ++n) {
        const double now = chance(&seed), sign = now < last ? -1 : 1;
        x[(size_t)n * stride] = (float)(burst->level * sign);
        last = now;
    }
}

static void write_sweep(const struct torture_burst *burst, float *x, uint32_t stride)
{
    uint64_t seed = burst->seed;
    const double from = M_PI * chance(&seed), drive = 0.7 + 2 * chance(&seed);
    double angle = 2 * M_PI * chance(&seed);
    for (uint32_t n = 0; n < burst->frames; ++n) {
        angle += from + (M_PI - from) * n / burst->frames;
        x[(size_t)n * stride] = (float)(burst->level * clipped(drive * sin(angle)));
    }
}

void torture_burst_write(const struct torture_burst *burst, float *x, uint32_t stride)
{
    switch (burst->kind) {
    case BURST_BAND_NOISE:
        write_band(burst, x, stride, 0.5);
        break;
    case BURST_CLIPPED_NOISE:
        write_band(burst, x, stride, 4);
        break;
    case BURST_SINC_SIGNS:
        write_sinc_signs(burst, x, stride);
        break;
    case BURST_TURNED_TONE:
        write_turned_tone(burst, x, stride);
        break;
    case BURST_DIFFERENCE_SIGNS:
        write_difference_signs(burst, x, stride);
        break;
    default:
        write_sweep(burst, x, stride);
        break;
    }
}

uint32_t torture_fill_bursts(float *stereo, uint32_t frames, uint32_t rate_hz, uint32_t first)
{
    uint64_t seed = first + 1;
    for (uint32_t i = 0; i < 2 * frames; ++i)
        stereo[i] = (float)(0.00316 * measure_noise(&seed));
    const uint32_t spacing = rate_hz / 20, lag = rate_hz / 200;
    uint32_t count = 0;
    for (uint32_t at = lag; at + spacing < frames; at += spacing, count += 2) {
        const struct torture_burst left = torture_burst_of(first + count, rate_hz),
                                   right = torture_burst_of(first + count + 1, rate_hz);
        torture_burst_write(&left, stereo + (size_t)2 * at, 2);
        torture_burst_write(&right, stereo + (size_t)2 * (at + lag) + 1, 2);
    }
    return count;
}
