// SPDX-License-Identifier: MIT
#include "dsp/key.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { BINS = 1025, FINE = 10, CLASSES = PITCH_CLASS_COUNT * FINE };
#define LOWEST_HZ  95.0 // below, neighbouring notes share a bin
#define HIGHEST_HZ 2100.0
#define C0_HZ      16.351597831287414 // at A4 = 440 Hz
#define PEAK_SHARE 1e-4f              // of the frame's strongest bin: weaker peaks are side lobes

struct key_tracker {
    double bin_hz;
    uint32_t first_bin, end_bin;
    double classes[CLASSES]; // summed magnitude of spectral peaks, by tenths of a semitone
};

int key_tracker_create(struct key_tracker **out, double rate_hz)
{
    *out = NULL;
    if (!(rate_hz >= 1000.0 && rate_hz <= 50000.0))
        return -EINVAL;
    struct key_tracker *tracker = calloc(1, sizeof(*tracker));
    if (!tracker)
        return -ENOMEM;
    tracker->bin_hz = rate_hz / (2.0 * (BINS - 1));
    tracker->first_bin = (uint32_t)fmax(2.0, ceil(LOWEST_HZ / tracker->bin_hz));
    tracker->end_bin = (uint32_t)fmin(BINS - 2, floor(HIGHEST_HZ / tracker->bin_hz));
    *out = tracker;
    return 0;
}

void key_tracker_destroy(struct key_tracker **tracker)
{
    free(*tracker);
    *tracker = NULL;
}

/// Add one peak, shared between the two fine classes it lies between.
static void add_peak(struct key_tracker *tracker, double hz, double magnitude)
{
    double place = fmod(log2(hz / C0_HZ) * CLASSES, CLASSES);
    if (place < 0.0)
        place += CLASSES;
    const int below = (int)place % CLASSES;
    const double share = place - floor(place);
    tracker->classes[below] += (1.0 - share) * magnitude;
    tracker->classes[(below + 1) % CLASSES] += share * magnitude;
}

void key_tracker_push(struct key_tracker *tracker, const float power[1025])
{
    assert(power);
    float loudest = 0.0f;
    for (uint32_t k = tracker->first_bin; k < tracker->end_bin; k++)
        loudest = power[k] > loudest ? power[k] : loudest;
    for (uint32_t k = tracker->first_bin; k < tracker->end_bin; k++) {
        const float here = power[k];
        if (here <= loudest * PEAK_SHARE || here <= power[k - 1] || here < power[k + 1])
            continue;
        if (power[k - 1] <= 0.0f || power[k + 1] <= 0.0f)
            continue;
        // Parabola through the logarithms: nearly exact for a sinusoid under a Hann window.
        const double left = log(power[k - 1]), middle = log(here), right = log(power[k + 1]);
        const double curve = left - 2.0 * middle + right;
        if (curve >= 0.0)
            continue;
        const double bin = k + 0.5 * (left - right) / curve;
        add_peak(tracker, bin * tracker->bin_hz, sqrt((double)here));
    }
}

/// How far the track's notes lie from A4 = 440 Hz, in fine classes, within half a semitone.
static double find_tuning(const struct key_tracker *tracker)
{
    double x = 0.0, y = 0.0;
    for (int i = 0; i < CLASSES; i++) {
        x += tracker->classes[i] * cos(2.0 * M_PI * i / FINE);
        y += tracker->classes[i] * sin(2.0 * M_PI * i / FINE);
    }
    return x * x + y * y > 0.0 ? atan2(y, x) * FINE / (2.0 * M_PI) : 0.0;
}

static void fold(const struct key_tracker *tracker, double classes[PITCH_CLASS_COUNT])
{
    const double tuning = find_tuning(tracker);
    for (int pitch = 0; pitch < PITCH_CLASS_COUNT; pitch++) {
        classes[pitch] = 0.0;
        for (int i = 0; i < CLASSES; i++) {
            const double away = remainder(i - pitch * FINE - tuning, CLASSES) / FINE;
            classes[pitch] += tracker->classes[i] * exp(-0.5 * away * away / (0.2 * 0.2));
        }
    }
}

/// Pearson correlation of the classes, read from `tonic` up, with a profile.
static double correlate(const double classes[PITCH_CLASS_COUNT], const double *profile, int tonic)
{
    double x_mean = 0.0, y_mean = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
    for (int i = 0; i < PITCH_CLASS_COUNT; i++) {
        x_mean += classes[i] / PITCH_CLASS_COUNT;
        y_mean += profile[i] / PITCH_CLASS_COUNT;
    }
    for (int i = 0; i < PITCH_CLASS_COUNT; i++) {
        const double x = classes[(tonic + i) % PITCH_CLASS_COUNT] - x_mean, y = profile[i] - y_mean;
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    return xx > 0.0 ? xy / sqrt(xx * yy) : 0.0;
}

void key_tracker_finish(const struct key_tracker *tracker, struct key *out)
{
    // How much each degree is heard, from the tonic up: Temperley 2001 (Kostka-Payne
    // corpus), but the minor's seventh mostly natural, as popular music has it.
    static const double profiles[2][PITCH_CLASS_COUNT] = {
        [KEY_MAJOR] = {0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057,
                       0.400},
        [KEY_MINOR] = {0.740, 0.084, 0.474, 0.618, 0.049, 0.490, 0.105, 0.747, 0.340, 0.067, 0.310,
                       0.200},
    };
    double classes[PITCH_CLASS_COUNT];
    fold(tracker, classes);
    out->tonic = -1;
    out->mode = KEY_MODE_UNKNOWN;
    out->strength = 0.0;
    for (int mode = KEY_MAJOR; mode <= KEY_MINOR; mode++) {
        for (int tonic = 0; tonic < PITCH_CLASS_COUNT; tonic++) {
            const double likeness = correlate(classes, profiles[mode], tonic);
            if (likeness > out->strength) {
                out->strength = fmin(1.0, likeness);
                out->tonic = tonic;
                out->mode = mode;
            }
        }
    }
}
