// SPDX-License-Identifier: MIT
#include "dsp/spectrum/yin.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/spectrum/fft.h"
#include "dsp/spectrum/spectrum_kernel.h"
#include "dsp/spectrum/yin_kernel.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOP = YIN_BLOCK,
    BLOCKS = 4,     // that two neighbouring frames reach into
    MAX_LAGS = 800, // 50 kHz / 65.4 Hz + 2, in whole lanes
    LINE = 3 * HOP + MAX_LAGS,
    SIZE = 2 * HOP, // of the transform: no lag up to HOP wraps around
    STEADINESS_BINS = 16384,
};
static_assert(SPECTRUM_HALF == SIZE / 2 + 1, "the kernels are for transforms of this size");
static_assert(LINE >= BLOCKS * HOP, "the line holds all that two frames reach into");
static const double LOWEST_HZ = 65.4, HIGHEST_HZ = 2093.0, THRESHOLD = 0.1;
// The transform's rounding, some 1e-7 of the energy it carries, counts for little where the differences
// are more than this share of it; where lags are short and differences grow with them, more than this.
static const double LEAST_DIFFERENCE = 1e-3, LEAST_SHORT_DIFFERENCE = 1e-4;

struct pitch_block {
    struct spectrum_half transform; // with as many zeros behind it
    double squares[HOP + 1]; // sums over the first so many samples, up to the lags and of all
};

struct yin {
    // --- immutable after create
    const struct yin_impl *kernel;
    const struct spectrum_impl *spectra;
    uint32_t first_lag, last_lag, lags; // lags in whole lanes
    struct fft *forth, *back;           // NULL where lags are longer than a block
    // --- the two frames under way, t and t + 1: blocks t to t + 3 and what the lags reach beyond
    alignas(ALIGNED_BYTES) float line[LINE];
    uint32_t fill;
    uint64_t samples;
    alignas(ALIGNED_BYTES) struct pitch_block rooms[BLOCKS];
    struct pitch_block *blocks[BLOCKS]; // places of the rooms
    alignas(ALIGNED_BYTES) struct spectrum_half products[3];
    // the products of the blocks with themselves and what follows
    struct spectrum_half *followed[3];
    alignas(ALIGNED_BYTES) double difference[2][MAX_LAGS];
    alignas(ALIGNED_BYTES) double sums[2][MAX_LAGS]; // of the differences at lags 1 to this one
    // --- results: steps between voiced neighbours, kept as exp(-cents / 100) in 0..1
    double period;
    uint64_t frames, voiced, steps;
    uint32_t steadiness[STEADINESS_BINS];
};

int yin_create(struct yin **out, double rate_hz)
{
    assert(rate_hz > 0 && rate_hz <= 50000);
    struct yin *y = *out = aligned_zeroed(sizeof *y);
    if (!y)
        return -ENOMEM;
    y->first_lag = (uint32_t)fmax(1.0, floor(rate_hz / HIGHEST_HZ));
    y->last_lag = (uint32_t)ceil(rate_hz / LOWEST_HZ);
    y->lags = (y->last_lag / YIN_LAG_LANES + 1) * YIN_LAG_LANES;
    assert(y->lags <= MAX_LAGS);
    y->kernel = yin_select(cpu_flags());
    y->spectra = spectrum_select(cpu_flags());
    for (int b = 0; b < BLOCKS; ++b)
        y->blocks[b] = &y->rooms[b];
    for (int i = 0; i < 3; ++i)
        y->followed[i] = &y->products[i];
    if (y->lags <= HOP && (fft_create(&y->forth, SIZE) || fft_create(&y->back, SIZE))) {
        yin_destroy(out);
        return -ENOMEM;
    }
    return 0;
}

void yin_destroy(struct yin **yin)
{
    if (!*yin)
        return;
    fft_destroy(&(*yin)->forth);
    fft_destroy(&(*yin)->back);
    free(*yin);
    *yin = NULL;
}

// Transforms of the newest two blocks, in one.
static void transform_blocks(struct yin *y)
{
    float *restrict in = fft_input(y->forth); // zeros in its second half
    const float *restrict first = y->line + 2 * HOP, *restrict second = y->line + 3 * HOP;
    for (uint32_t i = 0; i < HOP; ++i) {
        in[2 * i] = first[i];
        in[2 * i + 1] = second[i];
    }
    y->spectra->split_pair(&y->blocks[2]->transform, &y->blocks[3]->transform,
                           fft_forward(y->forth));
    y->kernel->sum_squares(y->blocks[2]->squares, first, y->lags);
    y->kernel->sum_squares(y->blocks[3]->squares, second, y->lags);
}

// The sum of (a - b)^2 is that of a^2 and b^2 less twice that of a b, which one transform gives for both frames.
static void differ_by_transform(struct yin *y)
{
    transform_blocks(y);
    for (int i = 1; i < 3; ++i) // the first is the last of the frames before
        y->spectra->follow(y->followed[i], &y->blocks[i]->transform, &y->blocks[i + 1]->transform);
    y->spectra->join_pairs(fft_input(y->back), (const struct spectrum_half *const *)y->followed);
    struct yin_energies energies[2];
    for (uint32_t f = 0; f < 2; ++f)
        energies[f] = (struct yin_energies){
            .both = 2.0 * (y->blocks[f]->squares[HOP] + y->blocks[f + 1]->squares[HOP]),
            .left = y->blocks[f]->squares,
            .entered = y->blocks[f + 2]->squares,
        };
    double *const out[2] = {y->difference[0], y->difference[1]};
    y->kernel->expand(out, energies, fft_forward(y->back), 2.0 / SIZE, y->lags);
}

// Whether nothing that the frames under way reach differs from anything else: a constant, which rounding would blur.
static int is_constant(const struct yin *y)
{
    const float *line = y->line;
    return memcmp(line, line + 1, (LINE - 1) * sizeof *line) == 0;
}

static void differ_directly(struct yin *y)
{
    if (is_constant(y)) {
        memset(y->difference, 0, sizeof y->difference);
        return;
    }
    double block[3][MAX_LAGS];
    for (uint32_t i = 0; i < 3; ++i)
        y->kernel->differences(block[i], y->line + (size_t)i * HOP, y->lags);
    for (uint32_t f = 0; f < 2; ++f)
        for (uint32_t lag = 0; lag < y->lags; ++lag)
            y->difference[f][lag] = block[f][lag] + block[f + 1][lag];
}

static void sum_differences(struct yin *y)
{
    for (uint32_t f = 0; f < 2; ++f) {
        y->difference[f][0] = 0;
        y->kernel->accumulate(y->sums[f], y->difference[f], y->lags);
    }
}

// Whether the mean difference of either frame up to a lag is less than a share of an energy.
static int differs_less(const struct yin *y, uint32_t lag, double energy)
{
    return fmin(y->sums[0][lag], y->sums[1][lag]) < energy * lag;
}

// Whether rounding may be felt in the differences of either frame: they are small against what was transformed, at
// the shortest lags where a frame is quiet and loud sound follows it.
static int is_rough(const struct yin *y)
{
    double energy = 0;
    for (int b = 0; b < BLOCKS; ++b)
        energy += y->blocks[b]->squares[HOP];
    return differs_less(y, y->last_lag, LEAST_DIFFERENCE * energy) ||
           differs_less(y, y->first_lag, LEAST_SHORT_DIFFERENCE * energy);
}

// Cumulative mean normalised difference; 1 where nothing differs, which is silence.
static double normalized(const struct yin *y, uint32_t frame, uint32_t lag)
{
    const double sum = y->sums[frame][lag];
    return sum > 0 ? y->difference[frame][lag] * lag / sum : 1.0;
}

// An end of the range counts as a minimum when the curve falls towards it. Periods are refined by the parabola
// through three points, 0: none.
static double period_at(const struct yin *y, uint32_t frame, uint32_t lag)
{
    const double here = normalized(y, frame, lag);
    if (here >= THRESHOLD || y->first_lag == y->last_lag)
        return 0;
    if (lag == y->first_lag)
        return here < normalized(y, frame, lag + 1) ? lag : 0;
    const double before = normalized(y, frame, lag - 1);
    if (lag == y->last_lag)
        return here < before ? lag : 0;
    const double after = normalized(y, frame, lag + 1);
    if (here >= before || here > after)
        return 0;
    const double curve = after + before - 2 * here, slope = (after - before) / 2;
    return curve > fabs(slope) ? lag - slope / curve : lag;
}

static double period_of(const struct yin *y, uint32_t frame)
{
    const double *difference = y->difference[frame], *sums = y->sums[frame];
    const uint32_t end = y->last_lag + 1;
    if (sums[y->last_lag] <= 0) // nothing differs: each lag would be looked at
        return 0;
    // No quotient where it would clearly be over the threshold.
    const double share = 1.001 * THRESHOLD;
    uint32_t lag = y->first_lag;
    while ((lag = y->kernel->first_under(difference, sums, lag, end, share)) < end) {
        const double period = period_at(y, frame, lag++);
        if (period > 0)
            return period;
    }
    return 0;
}

static void end_frame(struct yin *y, uint32_t frame)
{
    const double before = y->period;
    y->period = period_of(y, frame);
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

// Frames by twos, of which `count` exist. Block b starts at sample 512 (b - 2): the first two lie before the signal.
static void end_frames(struct yin *y, uint32_t count)
{
    if (y->forth) {
        differ_by_transform(y);
        sum_differences(y);
    }
    if (!y->forth || is_rough(y)) {
        differ_directly(y);
        sum_differences(y);
    }
    for (uint32_t f = 0; f < count; ++f)
        end_frame(y, f);
    for (int b = 0; b < 2; ++b) {
        struct pitch_block *older = y->blocks[b];
        y->blocks[b] = y->blocks[b + 2];
        y->blocks[b + 2] = older;
    }
    struct spectrum_half *first = y->followed[0];
    y->followed[0] = y->followed[2];
    y->followed[2] = first;
    memmove(y->line, y->line + 2 * HOP, (LINE - 2 * HOP) * sizeof(float));
    y->fill -= 2 * HOP;
}

static void take(struct yin *y, const float *mono, uint32_t count)
{
    while (count > 0) {
        const uint32_t room = LINE - y->fill, part = room < count ? room : count;
        if (mono) {
            memcpy(y->line + y->fill, mono, part * sizeof(float));
            mono += part;
        } else {
            memset(y->line + y->fill, 0, part * sizeof(float));
        }
        y->fill += part;
        count -= part;
        if (y->fill == LINE)
            end_frames(y, 2);
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
    while (y->frames < due) {
        memset(y->line + y->fill, 0, (LINE - y->fill) * sizeof(float));
        y->fill = LINE;
        end_frames(y, due - y->frames > 1 ? 2 : 1);
    }
    return y->steps ? (double)y->voiced / (double)y->frames * median_steadiness(y) : 0.0;
}

double yin_latest_period(const struct yin *y)
{
    return y->period;
}
