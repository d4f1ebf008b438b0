// SPDX-License-Identifier: MIT
#include "dsp/yin.h"
#include "dsp/cpu.h"
#include "dsp/yin_kernel.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOP = YIN_BLOCK,
    MAX_LAGS = 800, // 50 kHz / 65.4 Hz + 2, in whole lanes
    STEADINESS_BINS = 16384,
};
static const double LOWEST_HZ = 65.4, HIGHEST_HZ = 2093.0, THRESHOLD = 0.1;

struct yin {
    // --- immutable after create
    const struct yin_impl *kernel;
    uint32_t first_lag, last_lag, lags; // lags in whole lanes
    // --- the block under way: HOP samples and what the lags reach beyond them
    float line[HOP + MAX_LAGS];
    uint32_t fill;
    uint64_t samples, blocks;
    double difference[2][MAX_LAGS]; // of the last two blocks
    double normalized[MAX_LAGS];
    // --- results: steps between voiced neighbours, kept as exp(-cents / 100) in 0..1
    double period;
    uint64_t frames, voiced, steps;
    uint32_t steadiness[STEADINESS_BINS];
};

int yin_create(struct yin **out, double rate_hz)
{
    assert(rate_hz > 0 && rate_hz <= 50000);
    *out = calloc(1, sizeof **out);
    if (!*out)
        return -ENOMEM;
    (*out)->first_lag = (uint32_t)fmax(1.0, floor(rate_hz / HIGHEST_HZ));
    (*out)->last_lag = (uint32_t)ceil(rate_hz / LOWEST_HZ);
    (*out)->lags = ((*out)->last_lag / YIN_LAG_LANES + 1) * YIN_LAG_LANES;
    assert((*out)->lags <= MAX_LAGS);
    (*out)->kernel = yin_select(cpu_flags());
    return 0;
}

void yin_destroy(struct yin **yin)
{
    free(*yin);
    *yin = NULL;
}

// Cumulative mean normalised difference; 1 where nothing differs, which is silence.
static void normalize(struct yin *y)
{
    const uint32_t end = y->last_lag + 1;
    const double *restrict earlier = y->difference[0], *restrict later = y->difference[1];
    double *restrict out = y->normalized, sums[MAX_LAGS], sum = 0;
    for (uint32_t lag = 1; lag < end; ++lag)
        sums[lag] = sum += earlier[lag] + later[lag];
    out[0] = 1;
    for (uint32_t lag = 1; lag < end; ++lag) { // apart, so that quotients stand side by side
        const double share = (earlier[lag] + later[lag]) * lag / (sums[lag] > 0 ? sums[lag] : 1.0);
        out[lag] = sums[lag] > 0 ? share : 1.0;
    }
}

// An end of the range counts as a minimum when the curve falls towards it.
static int is_minimum(const struct yin *y, uint32_t lag)
{
    const double *d = y->normalized;
    if (y->first_lag == y->last_lag)
        return 0;
    if (lag == y->first_lag)
        return d[lag] < d[lag + 1];
    return d[lag] < d[lag - 1] && (lag == y->last_lag || d[lag] <= d[lag + 1]);
}

static double refined(const struct yin *y, uint32_t lag)
{
    if (lag == y->first_lag || lag == y->last_lag)
        return lag;
    const double *d = y->normalized;
    const double curve = d[lag + 1] + d[lag - 1] - 2 * d[lag],
                 slope = (d[lag + 1] - d[lag - 1]) / 2;
    return curve > fabs(slope) ? lag - slope / curve : lag;
}

static double period_of(const struct yin *y)
{
    for (uint32_t lag = y->first_lag; lag <= y->last_lag; ++lag)
        if (y->normalized[lag] < THRESHOLD && is_minimum(y, lag))
            return refined(y, lag);
    return 0;
}

static void end_frame(struct yin *y)
{
    normalize(y);
    const double before = y->period;
    y->period = period_of(y);
    ++y->frames;
    if (y->period <= 0)
        return;
    ++y->voiced;
    if (before <= 0)
        return;
    const double cents = 1200.0 * fabs(log2(y->period / before));
    const double place = exp(-cents / 100.0) * (STEADINESS_BINS - 1);
    ++y->steadiness[lround(place)];
    ++y->steps;
}

// A frame's window is two blocks, so each block's sums serve two frames. Block b starts at sample 512 (b - 2): the first two lie before the signal.
static void end_block(struct yin *y)
{
    y->kernel->differences(y->difference[y->blocks % 2], y->line, y->lags);
    if (++y->blocks >= 2)
        end_frame(y);
    memmove(y->line, y->line + HOP, (y->fill - HOP) * sizeof(float));
    y->fill -= HOP;
}

static void take(struct yin *y, const float *mono, uint32_t count)
{
    while (count > 0) {
        const uint32_t room = HOP + MAX_LAGS - y->fill, part = room < count ? room : count;
        if (mono) {
            memcpy(y->line + y->fill, mono, part * sizeof(float));
            mono += part;
        } else {
            memset(y->line + y->fill, 0, part * sizeof(float));
        }
        y->fill += part;
        count -= part;
        if (y->fill == HOP + MAX_LAGS)
            end_block(y);
    }
}

void yin_feed(struct yin *y, const float *mono, uint32_t count)
{
    if (y->samples == 0 && count > 0)
        take(y, NULL, 2 * HOP);
    y->samples += count;
    take(y, mono, count);
}

static double median_steadiness(const struct yin *y)
{
    double middle[2] = {0};
    for (uint64_t i = 0; i < 2; ++i) {
        const uint64_t rank = (y->steps - 1 + i) / 2;
        uint64_t below = 0;
        uint32_t bin = 0;
        while (below + y->steadiness[bin] <= rank)
            below += y->steadiness[bin++];
        middle[i] = (double)bin / (STEADINESS_BINS - 1);
    }
    return sqrt(middle[0] * middle[1]); // the mean of the middle two, in cents
}

double yin_finish(struct yin *y)
{
    const uint64_t due = 1 + y->samples / HOP;
    while (y->frames < due)
        take(y, NULL, HOP);
    return y->steps ? (double)y->voiced / (double)y->frames * median_steadiness(y) : 0.0;
}

double yin_latest_period(const struct yin *y)
{
    return y->period;
}
