// SPDX-License-Identifier: MIT
#include "dsp/meter.h"
#include "dsp/lags.h"
#include "dsp/level.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOWEST_BPM 40.0
#define FASTEST_BPM 240.0
// A level may lie this much off the simple ratio to another: the periods are known to a percent.
#define OFF_RATIO 0.02
enum { CANDIDATES = 512, TUNING_STEPS = 40 };

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

/// The period that scores best of all. @return 0: nothing recurs.
static double find_pulse(const struct lags *lags, double frame_rate_hz)
{
    double best_period = 0.0, best = 0.0;
    for (int i = 0; i < CANDIDATES; i++) {
        const double bpm =
            SLOWEST_BPM * pow(FASTEST_BPM / SLOWEST_BPM, (double)i / (CANDIDATES - 1));
        const double here = salience(lags, 60.0 * frame_rate_hz / bpm, bpm);
        if (here > best) {
            best = here;
            best_period = 60.0 * frame_rate_hz / bpm;
        }
    }
    return best_period;
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

/// Weigh up the levels that a pulse may be a simple ratio away from, and keep the two likeliest.
static int choose_level(const struct onset *onset, const struct lags *lags, double frame_rate_hz,
                        double pulse, struct meter *out)
{
    static const double ratios[] = {0.25,      1.0 / 3.0, 0.5, 2.0 / 3.0, 0.75, 1.0,
                                    4.0 / 3.0, 1.5,       2.0, 3.0,       4.0};
    double best = -HUGE_VAL, second = -HUGE_VAL;
    for (size_t i = 0; i < sizeof(ratios) / sizeof(*ratios); i++) {
        const double period = tune_period(lags, pulse * ratios[i]);
        const double bpm = 60.0 * frame_rate_hz / period;
        double evidence[LEVEL_EVIDENCE];
        if (period < METER_LEAST_FRAMES || bpm < SLOWEST_BPM || bpm > FASTEST_BPM)
            continue;
        if (level_measure(onset, lags, period, frame_rate_hz, evidence))
            return -ENOMEM;
        const double odds = level_weigh(evidence);
        if (odds > best) {
            second = best;
            out->alternative_frames = out->period_frames;
            best = odds;
            out->period_frames = period;
        } else if (odds > second) {
            second = odds;
            out->alternative_frames = period;
        }
    }
    return 0;
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
    const double pulse = error ? 0.0 : find_pulse(lags, frame_rate_hz);
    if (pulse > 0.0)
        error = choose_level(onset, lags, frame_rate_hz, pulse, out);
    if (!error && out->period_frames > 0.0)
        out->salience = salience_of(lags, out->period_frames, frame_rate_hz);
    if (!error && out->alternative_frames > 0.0)
        out->alternative_salience =
            fmin(out->salience, salience_of(lags, out->alternative_frames, frame_rate_hz));
    free(lags);
    return error;
}
