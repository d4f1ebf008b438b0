// SPDX-License-Identifier: MIT
#include "dsp/meter.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOWEST_BPM 40.0
#define FASTEST_BPM 240.0
enum { CANDIDATES = 512, LAGS_MAX = 2048, CURVES = ONSET_PARTS + 1 };
// Preferred tempo when the evidence is even, and its spread in octaves.
#define PRIOR_BPM      120.0
#define PRIOR_OCTAVES  0.7
#define HALFWAY_WEIGHT 0.2

/// Autocorrelations by lag in frames, each 1 at lag 0: of every part and, last, of the whole.
struct lags {
    size_t count;
    double of[CURVES][LAGS_MAX];
};

/// Strength less its mean over about a second on either side, so that no fade correlates with itself.
static void flatten(const uint16_t *strength, size_t frames, size_t reach, float *out)
{
    double sum = 0.0;
    size_t begin = 0, end = 0;
    for (size_t t = 0; t < frames; t++) {
        while (end < frames && end <= t + reach)
            sum += strength[end++];
        while (begin + reach < t)
            sum -= strength[begin++];
        out[t] = (float)((strength[t] - sum / (double)(end - begin)) / ONSET_SCALE);
    }
}

static void smooth(float *curve, size_t frames)
{
    float before = 0.0f;
    for (size_t t = 0; t < frames; t++) {
        const float here = curve[t], after = t + 1 < frames ? curve[t + 1] : 0.0f;
        curve[t] = 0.25f * before + 0.5f * here + 0.25f * after;
        before = here;
    }
}

static void correlate(const float *curve, size_t frames, size_t count, double *out)
{
    for (size_t lag = 0; lag < count; lag++) {
        double sum = 0.0;
        for (size_t t = lag; t < frames; t++)
            sum += (double)curve[t] * curve[t - lag];
        out[lag] = frames > lag ? sum / (double)(frames - lag) : 0.0;
    }
    const double energy = out[0];
    for (size_t lag = 0; lag < count; lag++)
        out[lag] = energy > 0.0 ? out[lag] / energy : 0.0;
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

static int measure_lags(const struct onset *onset, double frame_rate_hz, struct lags *lags)
{
    const size_t frames = onset_frames(onset);
    float *curve = malloc(frames * sizeof(*curve));
    if (!curve)
        return -ENOMEM;
    for (int i = 0; i < CURVES; i++) {
        const size_t n = i < ONSET_PARTS && frames > ONSET_PART_FRAMES ? ONSET_PART_FRAMES : frames;
        const uint16_t *strength = i < ONSET_PARTS ? onset_part_strength(onset, (enum onset_part)i)
                                                   : onset_strength(onset);
        flatten(strength, n, (size_t)frame_rate_hz, curve);
        smooth(curve, n);
        correlate(curve, n, lags->count, lags->of[i]);
    }
    free(curve);
    return 0;
}

/// How well beats of this period, in bars of `bar` beats, explain a correlation. What recurs halfway
/// between the beats as well as on them speaks for a faster pulse.
static double comb(const double *curve, size_t count, double period, double bar)
{
    const double once = at_lag(curve, count, period);
    const double multiples = 0.5 * at_lag(curve, count, bar * period) +
                             0.25 * at_lag(curve, count, 2.0 * bar * period) +
                             0.25 * at_lag(curve, count, 2.0 * period);
    const double halfway =
        0.5 * (at_lag(curve, count, 0.5 * period) + at_lag(curve, count, 1.5 * period));
    return 0.5 * once + 0.5 * multiples - HALFWAY_WEIGHT * fmax(0.0, halfway);
}

static double score(const struct lags *lags, double period, double bpm)
{
    static const double bars[] = {2.0, 3.0, 4.0};
    double best = 0.0;
    for (size_t b = 0; b < sizeof(bars) / sizeof(*bars); b++) {
        double sum = comb(lags->of[ONSET_PARTS], lags->count, period, bars[b]);
        for (int part = 0; part < ONSET_PARTS; part++)
            sum += 0.5 * comb(lags->of[part], lags->count, period, bars[b]);
        best = fmax(best, sum / 3.0);
    }
    const double octaves = log2(bpm / PRIOR_BPM) / PRIOR_OCTAVES;
    return best * exp(-0.5 * octaves * octaves);
}

static void choose(const struct lags *lags, double frame_rate_hz, struct meter *out)
{
    double scores[CANDIDATES], periods[CANDIDATES];
    int best = 0, second = -1;
    for (int i = 0; i < CANDIDATES; i++) {
        const double bpm =
            SLOWEST_BPM * pow(FASTEST_BPM / SLOWEST_BPM, (double)i / (CANDIDATES - 1));
        periods[i] = 60.0 * frame_rate_hz / bpm;
        scores[i] = score(lags, periods[i], bpm);
        if (scores[i] > scores[best])
            best = i;
    }
    if (scores[best] <= 0.0)
        return;
    out->period_frames = periods[best];
    out->salience = fmin(1.0, scores[best]);
    for (int i = 1; i + 1 < CANDIDATES; i++)
        if (scores[i] > 0.0 && scores[i] >= scores[i - 1] && scores[i] >= scores[i + 1] &&
            fabs(log(periods[i] / periods[best])) > 0.08 &&
            (second < 0 || scores[i] > scores[second]))
            second = i;
    if (second >= 0) {
        out->alternative_frames = periods[second];
        out->alternative_salience = fmin(1.0, scores[second]);
    }
}

int meter_find(const struct onset *onset, double frame_rate_hz, struct meter *out)
{
    memset(out, 0, sizeof(*out));
    if (onset_frames(onset) < 2)
        return 0;
    struct lags *lags = calloc(1, sizeof(*lags));
    if (!lags)
        return -ENOMEM;
    const double longest = 4.0 * 60.0 / SLOWEST_BPM * frame_rate_hz + 3.0;
    lags->count = (size_t)fmin(fmin(longest, LAGS_MAX), (double)onset_frames(onset));
    const int error = measure_lags(onset, frame_rate_hz, lags);
    if (!error)
        choose(lags, frame_rate_hz, out);
    free(lags);
    return error;
}
