// SPDX-License-Identifier: MIT
#include "dsp/rhythm/meter.h"
#include "dsp/rhythm/certainty.h"
#include "dsp/rhythm/lags.h"
#include "dsp/rhythm/level.h"
#include "dsp/rhythm/plain.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOWEST_BPM 40.0
#define FASTEST_BPM 240.0
#define PRIOR_BPM   120.0 // what is slower may as well be doubled, what is faster halved
// A level may lie this much off the simple ratio to another: the periods are known to a percent.
#define OFF_RATIO 0.02
enum { CANDIDATES = 512, TUNING_STEPS = 40, LEVELS = 11 };

struct pulse {
    double period;   // 0: nothing recurs
    double softness; // as level_softness() has it
};

/// How well beats of this period explain what recurs. Both a beat and a bar of 2, 3 or 4 must recur:
/// three halves of a waltz's beat fill its bars but are no beat.
static double salience(const struct lags *lags, double period, double bpm)
{
    if (period < METER_LEAST_FRAMES)
        return 0.0;
    const double once = fmax(0.0, lags_recurrence(lags, period));
    const double twice = lags_recurrence(lags, 2.0 * period);
    double bars = 0.0;
    for (double bar = 2.0; bar <= 4.0; bar += 1.0)
        bars = fmax(bars, 0.5 * lags_recurrence(lags, bar * period) +
                              0.25 * lags_recurrence(lags, 2.0 * bar * period) + 0.25 * twice);
    const double clarity = 0.5 * sqrt(once * fmax(0.0, bars)) + 0.25 * (once + bars);
    return fmax(0.0, clarity) * level_prior(bpm);
}

static double salience_of(const struct lags *lags, double period, double frame_rate_hz)
{
    return fmin(1.0, salience(lags, period, 60.0 * frame_rate_hz / period));
}

/// The most salient period; 0 where nothing recurs.
static double find_period(const struct lags *lags, double frame_rate_hz)
{
    double best = 0.0, most = 0.0;
    for (int i = 0; i < CANDIDATES; i++) {
        const double bpm =
            SLOWEST_BPM * pow(FASTEST_BPM / SLOWEST_BPM, (double)i / (CANDIDATES - 1));
        const double period = 60.0 * frame_rate_hz / bpm, here = salience(lags, period, bpm);
        if (here > most) {
            most = here;
            best = period;
        }
    }
    return best;
}

/// The clearest pulse, be it the beat or a simple ratio away from it. @return 0; -ENOMEM.
static int choose_pulse(const struct onset *onset, const struct lags *lags, double frame_rate_hz,
                        struct pulse *out)
{
    double rise = 0.0;
    *out = (struct pulse){.period = find_period(lags, frame_rate_hz)};
    if (out->period > 0.0 && level_measure_rise(onset, out->period, &rise))
        return -ENOMEM;
    out->softness = level_softness(rise);
    return 0;
}

/// Where the recurrence near a period is highest.
static double tune_period(const struct lags *lags, double period)
{
    double best_period = period, best = -HUGE_VAL;
    for (int i = 0; i <= TUNING_STEPS; i++) {
        const double here = period * (1.0 + OFF_RATIO * (2.0 * i / TUNING_STEPS - 1.0));
        const double sum = lags_recurrence(lags, here) + 0.5 * lags_recurrence(lags, 2.0 * here);
        if (sum > best) {
            best = sum;
            best_period = here;
        }
    }
    return best_period;
}

/// Weigh up the levels that a pulse may be a simple ratio away from. *count: those in range.
static int weigh_levels(const struct onset *onset, const struct lags *lags, double frame_rate_hz,
                        const struct pulse *pulse, struct level_reading readings[LEVELS],
                        size_t *count)
{
    static const double ratios[LEVELS] = {0.25,      1.0 / 3.0, 0.5, 2.0 / 3.0, 0.75, 1.0,
                                          4.0 / 3.0, 1.5,       2.0, 3.0,       4.0};
    *count = 0;
    for (size_t i = 0; i < LEVELS; i++) {
        const double period = tune_period(lags, pulse->period * ratios[i]);
        const double bpm = 60.0 * frame_rate_hz / period;
        if (period < METER_LEAST_FRAMES || bpm < SLOWEST_BPM || bpm > FASTEST_BPM)
            continue;
        struct level_reading *reading = &readings[(*count)++];
        reading->period_frames = period;
        if (level_measure(onset, lags, period, frame_rate_hz, pulse->softness, reading->evidence))
            return -ENOMEM;
        reading->odds = level_weigh(reading->evidence);
    }
    return 0;
}

/// Keep the two likeliest levels.
static int choose_level(const struct onset *onset, const struct lags *lags, double frame_rate_hz,
                        const struct pulse *pulse, struct meter *out)
{
    struct level_reading readings[LEVELS];
    size_t count, best = 0, second = 0;
    if (weigh_levels(onset, lags, frame_rate_hz, pulse, readings, &count))
        return -ENOMEM;
    for (size_t i = 1; i < count; i++) {
        if (readings[i].odds > readings[best].odds) {
            second = best;
            best = i;
        } else if (second == best || readings[i].odds > readings[second].odds)
            second = i;
    }
    if (count == 0)
        return 0;
    out->period_frames = readings[best].period_frames;
    out->alternative_frames = second != best ? readings[second].period_frames : 0.0;
    out->certainty = certainty_of(readings, count, best, second);
    return 0;
}

/// The level of the beats among those of the clearest pulse; without any metre the strokes are the beats.
static int choose_beats(const struct onset *onset, const struct lags *lags, double frame_rate_hz,
                        struct meter *out)
{
    struct pulse pulse = {0};
    int error = plain_find(onset, frame_rate_hz, &out->period_frames);
    if (out->period_frames > 0.0) {
        const int is_slow = out->period_frames * PRIOR_BPM > 60.0 * frame_rate_hz;
        out->alternative_frames = out->period_frames * (is_slow ? 0.5 : 2.0);
        out->certainty = 1.0;
        return 0;
    }
    if (!error)
        error = choose_pulse(onset, lags, frame_rate_hz, &pulse);
    if (!error && pulse.period > 0.0)
        error = choose_level(onset, lags, frame_rate_hz, &pulse, out);
    return error;
}

int meter_find(const struct onset *onset, double frame_rate_hz, struct meter *out)
{
    memset(out, 0, sizeof(*out));
    if (onset_frames(onset) < 2)
        return 0;
    struct lags *lags = calloc(1, sizeof(*lags));
    if (!lags)
        return -ENOMEM;
    int error = lags_measure(lags, onset, frame_rate_hz);
    if (!error)
        out->significance = lags_significance(lags, frame_rate_hz);
    if (!error)
        error = choose_beats(onset, lags, frame_rate_hz, out);
    if (!error && out->period_frames > 0.0)
        out->salience = salience_of(lags, out->period_frames, frame_rate_hz);
    if (!error && out->alternative_frames > 0.0)
        out->alternative_salience =
            fmin(out->salience, salience_of(lags, out->alternative_frames, frame_rate_hz));
    free(lags);
    return error;
}
