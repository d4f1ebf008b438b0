// SPDX-License-Identifier: MIT
#include "dsp/rhythm/plain.h"
#include "dsp/rhythm/accents.h"
#include "dsp/rhythm/picker.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

// The range of tempos, and what a mean of whole frames may be off.
#define SLOWEST_BPM (0.99 * 40.0)
#define FASTEST_BPM (1.01 * 240.0)
// Of the intervals, this share is even; of the strength, this one is at the strokes.
#define LEAST_EVEN     0.95
#define LEAST_STRENGTH 0.95
// An interval is even that is like the median, or like the one before and no farther off than a tempo swings or runs.
#define LIKE      0.25
#define OFF_USUAL 0.5
// The logarithm by which strokes differ at most, from one beat of a bar to another.
#define MOST_ACCENT 0.5
// A stroke's strength spreads over as many frames before and after its top.
enum { LEAST_STROKES = 8, STROKE_REACH = 2 };

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int is_within(double share, double interval, double other)
{
    return fabs(interval - other) <= share * other;
}

/// Mean of the even intervals; 0 where too few are. `list` has room for them all.
static double even_interval(const double *strokes, uint32_t count, double *list)
{
    const uint32_t intervals = count - 1;
    for (uint32_t i = 0; i < intervals; i++)
        list[i] = strokes[i + 1] - strokes[i];
    qsort(list, intervals, sizeof(*list), compare);
    const double median = list[intervals / 2];
    double sum = 0.0, before = median;
    uint32_t even = 0;
    for (uint32_t i = 0; i < intervals; i++) {
        const double interval = strokes[i + 1] - strokes[i];
        if (is_within(LIKE, interval, median) ||
            (is_within(LIKE, interval, before) && is_within(OFF_USUAL, interval, median))) {
            sum += interval;
            even++;
        }
        before = interval;
    }
    return even >= LEAST_EVEN * intervals ? sum / even : 0.0;
}

/// Is there silence between the strokes?
static int are_alone(const uint16_t *strength, size_t frames, const double *strokes, uint32_t count)
{
    double whole = 0.0, at_strokes = 0.0;
    for (size_t t = 0; t < frames; t++)
        whole += strength[t];
    size_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        const size_t t = (size_t)strokes[i], end = t + STROKE_REACH + 1;
        for (next = t < next + STROKE_REACH ? next : t - STROKE_REACH; next < end && next < frames;
             next++)
            at_strokes += strength[next];
    }
    return at_strokes >= LEAST_STRENGTH * whole;
}

static int are_alike(const uint16_t *strength, size_t frames, const double *strokes, uint32_t count)
{
    const struct accents accents = accents_measure(strength, frames, strokes, count);
    return accents_log_ratio(&accents, accents.strongest[ACCENT_ON], accents.weakest) <=
           MOST_ACCENT;
}

static int are_plain(const struct onset *onset, size_t frames, const double *strokes,
                     uint32_t count)
{
    int plain = are_alone(onset_strength(onset), frames, strokes, count);
    // The first is louder than all before it, and its strength is of no other kind than theirs.
    for (int part = ONSET_LOW; plain && part <= ONSET_HIGH; part++)
        plain = are_alike(onset_part_strength(onset, (enum onset_part)part), frames, strokes + 1,
                          count - 1);
    return plain;
}

int plain_find(const struct onset *onset, double frame_rate_hz, double *period_frames)
{
    assert(frame_rate_hz > 0.0);
    const size_t all = onset_frames(onset);
    const size_t frames = all < ONSET_PART_FRAMES ? all : ONSET_PART_FRAMES;
    const uint16_t *strength = onset_strength(onset);
    *period_frames = 0.0;
    const uint32_t count = picker_pick(strength, frames, frame_rate_hz, NULL).count;
    if (count < LEAST_STROKES)
        return 0;
    double *strokes = malloc(2 * count * sizeof(*strokes));
    if (!strokes)
        return -ENOMEM;
    picker_pick(strength, frames, frame_rate_hz, strokes);
    const double interval = even_interval(strokes, count, strokes + count);
    const double bpm = interval > 0.0 ? 60.0 * frame_rate_hz / interval : 0.0;
    if (bpm >= SLOWEST_BPM && bpm <= FASTEST_BPM && are_plain(onset, frames, strokes, count))
        *period_frames = interval;
    free(strokes);
    return 0;
}
