// SPDX-License-Identifier: MIT
#include "dsp/rhythm/picker.h"
#include "dsp/rhythm/onset.h"
#include <assert.h>
#include <math.h>

// An onset stands out of its surroundings by this much, in nepers averaged over the spectrum.
#define ONSET_DELTA 0.12
// What stands out by a little more or less than that counts in part: no rate and no codec flips it.
#define ONSET_SOFT 0.06
#define PEAK_S     0.030
#define MEAN_S     0.100

/// How much of frame t + `distance` lies within `reach` frames: 1, less at the edge, 0 beyond. It makes a span of
/// time the same whatever the frame rate.
static double share_within(size_t distance, double reach)
{
    return fmax(0.0, fmin(1.0, reach - (double)distance + 0.5));
}

struct picker {
    const uint16_t *strength;
    size_t frames;
    size_t peak;       // frames either side that an onset stands above
    double mean;       // frames before it that it stands out of
    double least_over; // by so much
};

/// Is frame t the top of what surrounds it, the first of equal ones?
static int is_top(const struct picker *picker, size_t t)
{
    const uint16_t *strength = picker->strength;
    for (size_t d = 1; d <= picker->peak; d++)
        if ((t >= d && strength[t - d] >= strength[t]) ||
            (t + d < picker->frames && strength[t + d] > strength[t]))
            return 0;
    return 1;
}

/// How far such a top stands out of the mean around it by more than it has to, in stored units.
static double margin_of(const struct picker *picker, size_t t)
{
    const uint16_t *strength = picker->strength;
    const size_t before = (size_t)ceil(picker->mean + 0.5);
    double sum = 0.0, weights = 0.0;
    for (size_t i = t > before ? t - before : 0; i <= t + picker->peak && i < picker->frames; i++) {
        const size_t distance = i < t ? t - i : i - t;
        const double weight = share_within(distance, picker->mean);
        sum += weight * strength[i];
        weights += weight;
    }
    return strength[t] - sum / weights - picker->least_over;
}

static double weight_of(double margin)
{
    return fmax(0.0, fmin(1.0, 0.5 + 0.5 * margin / (ONSET_SOFT * ONSET_SCALE)));
}

/// Mean and sum of squared deviations of the intervals so far (Welford 1962).
struct intervals {
    uint32_t count;
    double mean, squares;
};

static void add_interval(struct intervals *intervals, double interval)
{
    const double off = interval - intervals->mean;
    intervals->count++;
    intervals->mean += off / intervals->count;
    intervals->squares += off * (interval - intervals->mean);
}

static double unevenness_of(const struct intervals *intervals, double shortest)
{
    if (intervals->count < 2 || intervals->mean <= shortest)
        return HUGE_VAL;
    return sqrt(intervals->squares / intervals->count) / (intervals->mean - shortest);
}

struct picked picker_pick(const uint16_t *strength, size_t frames, double frame_rate_hz,
                          double *onsets)
{
    assert(frame_rate_hz > 0.0);
    const struct picker picker = {
        .strength = strength,
        .frames = frames,
        .peak = (size_t)ceil(PEAK_S * frame_rate_hz - 0.5),
        .mean = MEAN_S * frame_rate_hz,
        .least_over = ONSET_DELTA * ONSET_SCALE,
    };
    struct picked picked = {0};
    struct intervals intervals = {0};
    size_t last = 0;
    for (size_t t = 0; t < frames; t++) {
        if ((picked.count && t - last <= picker.peak) || !is_top(&picker, t))
            continue;
        const double margin = margin_of(&picker, t);
        picked.weight += weight_of(margin);
        if (margin <= 0.0)
            continue;
        if (picked.count)
            add_interval(&intervals, (double)(t - last));
        if (onsets)
            onsets[picked.count] = (double)t;
        picked.count++;
        last = t;
    }
    picked.unevenness = unevenness_of(&intervals, (double)picker.peak + 1.0);
    return picked;
}
