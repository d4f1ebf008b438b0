// SPDX-License-Identifier: MIT
#include "dsp/rhythm/lags.h"
#include "dsp/cpu.h"
#include "dsp/rhythm/onset_kernel.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_S 6.0
// Onsets are this wide: strengths so far apart still go together.
enum { ONSET_WIDTH = 8 };
// Out of silence everything rises, for as many frames as a window lasts and one more.
enum { BEGINNING_FRAMES = 5 };
enum { BLOCK_FRAMES = 2048, PERIODS = 512 };

/// Makes a curve of a strength, value by value: less its mean over about a second on either side, so
/// that no fade correlates with itself, and smoothed over three frames.
struct curve {
    // --- what it is made of
    const uint16_t *strength;
    size_t frames, reach;
    size_t first; // after the sound has begun
    // --- the mean under way, over [begin, end)
    double sum;
    size_t begin, end;
    // --- values before smoothing: of the frames before and at the next one to be made
    size_t next;
    float before, here;
};

static float flattened(struct curve *c, size_t t)
{
    if (t < c->first || t >= c->frames)
        return 0.0f;
    while (c->end < c->frames && c->end <= t + c->reach)
        c->sum += c->strength[c->end++];
    while (c->begin + c->reach < t)
        c->sum -= c->strength[c->begin++];
    return (float)((c->strength[t] - c->sum / (double)(c->end - c->begin)) / ONSET_SCALE);
}

static void curve_start(struct curve *c, const uint16_t *strength, size_t frames, size_t reach)
{
    *c = (struct curve){.strength = strength, .frames = frames, .reach = reach};
    while (c->first < frames && strength[c->first] == 0)
        c->first++;
    c->first += BEGINNING_FRAMES;
    c->begin = c->end = c->first;
    c->here = flattened(c, 0);
}

static float curve_next(struct curve *c)
{
    const float after = flattened(c, c->next + 1);
    const float value = 0.25f * c->before + 0.5f * c->here + 0.25f * after;
    c->before = c->here;
    c->here = after;
    c->next++;
    return value;
}

/// Correlate a curve with itself, block by block. @param values room for LAGS_MAX + BLOCK_FRAMES.
static void correlate(struct curve *curve, size_t count, float *values, double *out)
{
    const struct onset_impl *kernels = onset_select(cpu_flags());
    memset(out, 0, count * sizeof(*out));
    memset(values, 0, LAGS_MAX * sizeof(*values)); // zeros before the first frame
    while (curve->next < curve->frames) {
        const size_t left = curve->frames - curve->next;
        const size_t block = left < BLOCK_FRAMES ? left : BLOCK_FRAMES;
        float *now = values + LAGS_MAX;
        for (size_t i = 0; i < block; i++)
            now[i] = curve_next(curve);
        memset(now + block, 0, (BLOCK_FRAMES - block) * sizeof(*now));
        for (size_t lag = 0; lag < count; lag++)
            out[lag] += (double)kernels->multiply(now, now - lag, BLOCK_FRAMES);
        memmove(values, values + block, LAGS_MAX * sizeof(*values));
    }
    const double energy = out[0] / (double)curve->frames;
    for (size_t lag = 0; lag < count; lag++)
        out[lag] = energy > 0.0 ? out[lag] / (double)(curve->frames - lag) / energy : 0.0;
}

int lags_measure(struct lags *out, const struct onset *onset, double frame_rate_hz)
{
    assert(frame_rate_hz > 0.0);
    const size_t all = onset_frames(onset);
    const size_t in_parts = all < ONSET_PART_FRAMES ? all : ONSET_PART_FRAMES;
    float *values = malloc((LAGS_MAX + BLOCK_FRAMES) * sizeof(*values));
    if (!values)
        return -ENOMEM;
    out->frames = in_parts;
    out->count = (size_t)fmin(fmin(LONGEST_S * frame_rate_hz + 3.0, LAGS_MAX), (double)in_parts);
    for (int i = 0; i < LAGS_CURVES; i++) {
        const int is_whole = i == LAGS_CURVES - 1;
        struct curve curve;
        curve_start(&curve,
                    is_whole ? onset_strength(onset)
                             : onset_part_strength(onset, (enum onset_part)i),
                    is_whole ? all : in_parts, (size_t)frame_rate_hz);
        correlate(&curve, out->count, values, out->of[i]);
    }
    free(values);
    return 0;
}

/// Value of a correlation between two lags, by the cubic through the four around it.
static double at_lag(const double *curve, size_t count, double lag)
{
    const size_t i = (size_t)lag;
    if (i < 1 || i + 2 >= count)
        return 0.0;
    const double f = lag - (double)i;
    const double a = curve[i - 1], b = curve[i], c = curve[i + 1], d = curve[i + 2];
    return b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)));
}

double lags_recurrence(const struct lags *lags, double lag)
{
    double sum = at_lag(lags->of[LAGS_CURVES - 1], lags->count, lag);
    for (int part = 0; part < LAGS_CURVES - 1; part++)
        sum += 0.5 * at_lag(lags->of[part], lags->count, lag);
    return sum / (1.0 + 0.5 * (LAGS_CURVES - 1));
}

/// Variance of a correlation well below the longest lag where nothing recurs, times the frames (Bartlett 1946).
static double chance_variance(const struct lags *lags)
{
    const double *whole = lags->of[LAGS_CURVES - 1];
    double sum = 1.0;
    for (size_t lag = 1; lag < ONSET_WIDTH && lag < lags->count; lag++)
        sum += 2.0 * whole[lag] * whole[lag];
    return sum;
}

double lags_significance(const struct lags *lags, double frame_rate_hz)
{
    const double variance = chance_variance(lags);
    const double longest = fmin((double)lags->count - 3.0, 0.5 * (double)lags->frames);
    double best = 0.0;
    for (int i = 0; i < PERIODS; i++) {
        const double period = 60.0 * frame_rate_hz / (40.0 * pow(6.0, (double)i / (PERIODS - 1)));
        double sum = 0.0, variances = 0.0;
        for (double lag = period; lag <= longest; lag += period) {
            sum += lags_recurrence(lags, lag);
            variances += variance / ((double)lags->frames - lag);
        }
        if (variances > 0.0)
            best = fmax(best, sum / sqrt(variances));
    }
    return best;
}
