// SPDX-License-Identifier: MIT
#include "dsp/rhythm/drift.h"
#include "dsp/rhythm/onset.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// A pace is judged by what recurs within this long, and may change this often.
#define WINDOW_S 12.0
#define STEP_S   4.0
// Ratios reach this far either side of 1: less than 4/3, after which other beats of a bar recur.
#define WIDEST_OCTAVES 0.36
// What it costs, in recurrence, to be off the steady pace, to change by one pace, and to change at all.
#define UNSTEADY_COST    0.15
#define CHANGE_COST      0.10
#define MOST_CHANGE_COST 0.60
enum { LAGS_MAX = 512, WINDOW_MAX = 1200 }; // 12 s at 50 kHz

double drift_ratio(int pace)
{
    return exp2(WIDEST_OCTAVES * (pace - DRIFT_STEADY) / DRIFT_STEADY);
}

/// Sum of products, in lanes that a compiler can lay side by side.
static double multiply(const float *a, const float *b, size_t count)
{
    enum { LANES = 16 };
    float sums[LANES] = {0.0f};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += a[i + lane] * b[i + lane];
    double sum = 0.0;
    for (; i < count; i++)
        sum += (double)(a[i] * b[i]);
    for (size_t lane = 0; lane < LANES; lane++)
        sum += (double)sums[lane];
    return sum;
}

/// Autocorrelation of `count` frames around their mean, as shares of that at lag 0, from lag `first` on; all 0
/// where nothing changes.
static void correlate(const uint16_t *strength, size_t count, size_t first, size_t lags,
                      double *out)
{
    float values[WINDOW_MAX];
    double mean = 0.0;
    for (size_t t = 0; t < count; t++)
        mean += strength[t] / (double)count;
    for (size_t t = 0; t < count; t++)
        values[t] = (float)(strength[t] - mean) / ONSET_SCALE;
    const double energy = multiply(values, values, count) / (double)count;
    memset(out, 0, lags * sizeof(*out));
    for (size_t lag = first; energy > 0.0 && lag < lags && lag < count; lag++)
        out[lag] = multiply(values + lag, values, count - lag) / (double)(count - lag) / energy;
}

/// The largest of three lags around one that lies between two: strokes are a little off.
static double recurrence(const double *curve, size_t lags, double lag)
{
    const size_t near = (size_t)round(lag);
    if (near < 1 || near + 1 >= lags)
        return 0.0;
    return fmax(curve[near], 0.5 * fmax(curve[near - 1], curve[near + 1]));
}

struct tracking {
    const uint16_t *strength;
    size_t frames, window, step, lags;
    double period; // frames
};

/// How much each pace explains of what recurs around frame `t`.
static void judge_paces(const struct tracking *tracking, size_t t, double gains[DRIFT_PACES])
{
    double curve[LAGS_MAX];
    const size_t half = tracking->window / 2, begin = t > half ? t - half : 0;
    const size_t end = t + half < tracking->frames ? t + half : tracking->frames;
    const size_t first = (size_t)(tracking->period * drift_ratio(0)) - 1;
    correlate(tracking->strength + begin, end - begin, first, tracking->lags, curve);
    for (int pace = 0; pace < DRIFT_PACES; pace++) {
        const double period = tracking->period * drift_ratio(pace);
        gains[pace] = recurrence(curve, tracking->lags, period) +
                      recurrence(curve, tracking->lags, 2.0 * period) -
                      (pace == DRIFT_STEADY ? 0.0 : UNSTEADY_COST);
    }
}

/// One step of the search for the best sequence: totals so far, and where each came from.
static void advance(double totals[DRIFT_PACES], const double gains[DRIFT_PACES],
                    uint8_t from[DRIFT_PACES])
{
    double before[DRIFT_PACES];
    memcpy(before, totals, sizeof(before));
    for (int pace = 0; pace < DRIFT_PACES; pace++) {
        double best = -HUGE_VAL;
        for (int old = 0; old < DRIFT_PACES; old++) {
            const double cost = fmin(CHANGE_COST * abs(pace - old), MOST_CHANGE_COST);
            if (before[old] - cost > best) {
                best = before[old] - cost;
                from[pace] = (uint8_t)old;
            }
        }
        totals[pace] = best + gains[pace];
    }
}

/// Read the best sequence from its end. @return whether it ever leaves the steady pace.
static int trace(const double totals[DRIFT_PACES], uint8_t (*from)[DRIFT_PACES], uint32_t count,
                 uint8_t *paces)
{
    int pace = DRIFT_STEADY, moves = 0;
    for (int i = 0; i < DRIFT_PACES; i++)
        if (totals[i] > totals[pace])
            pace = i;
    for (uint32_t i = count; i-- > 0;) {
        paces[i] = (uint8_t)pace;
        moves |= pace != DRIFT_STEADY;
        pace = from[i][pace];
    }
    return moves;
}

int drift_find(const uint16_t *strength, size_t frames, double frame_rate_hz, double period_frames,
               struct drift *out)
{
    assert(frame_rate_hz > 0.0 && WINDOW_S * frame_rate_hz < WINDOW_MAX && period_frames >= 2.0);
    *out = (struct drift){.step_frames = (size_t)fmax(1.0, STEP_S * frame_rate_hz)};
    const struct tracking tracking = {
        .strength = strength,
        .frames = frames,
        .window = (size_t)(WINDOW_S * frame_rate_hz),
        .step = out->step_frames,
        .lags = (size_t)fmin(2.0 * drift_ratio(DRIFT_PACES - 1) * period_frames + 3.0, LAGS_MAX),
        .period = period_frames,
    };
    const uint32_t count = (uint32_t)(frames / tracking.step);
    if (frames < 2 * tracking.window)
        return 0;
    uint8_t(*from)[DRIFT_PACES] = malloc(count * sizeof(*from));
    out->paces = malloc(count);
    if (!from || !out->paces) {
        free(from);
        drift_deinit(out);
        return -ENOMEM;
    }
    double totals[DRIFT_PACES] = {0.0}, gains[DRIFT_PACES];
    for (uint32_t i = 0; i < count; i++) {
        judge_paces(&tracking, i * tracking.step + tracking.step / 2, gains);
        advance(totals, gains, from[i]);
    }
    out->count = count;
    if (!trace(totals, from, count, out->paces))
        drift_deinit(out);
    free(from);
    return 0;
}

int drift_at(const struct drift *drift, size_t frame)
{
    if (drift->count == 0)
        return DRIFT_STEADY;
    const size_t i = frame / drift->step_frames;
    return drift->paces[i < drift->count ? i : drift->count - 1];
}

void drift_deinit(struct drift *drift)
{
    free(drift->paces);
    *drift = (struct drift){0};
}
