// SPDX-License-Identifier: MIT
#include "dsp/level/level_sums.h"
#include "dsp/cpu.h"
#include "dsp/level/level_kernel.h"
#include <assert.h>
#include <math.h>

static const struct level_block EMPTY_BLOCK = {
    .min_l = INFINITY, .max_l = -INFINITY, .min_r = INFINITY, .max_r = -INFINITY};

// -360 dBFS: of what is fainter the squares have lost their bits, or are 0.
static const double LEAST_POWER = 1e-36;

void level_sums_init(struct level_sums *sums, uint32_t rate_hz)
{
    assert(rate_hz > 0);
    *sums = (struct level_sums){.kernel = level_select(cpu_flags()),
                                .block_frames = rate_hz,
                                .block = EMPTY_BLOCK,
                                .total = EMPTY_BLOCK};
}

static float lower(float a, float b)
{
    return a < b ? a : b;
}

static float higher(float a, float b)
{
    return a > b ? a : b;
}

static void add_block(struct level_block *total, const struct level_block *block)
{
    total->frames += block->frames;
    total->ll += block->ll;
    total->rr += block->rr;
    total->lr += block->lr;
    total->l += block->l;
    total->r += block->r;
    total->min_l = lower(total->min_l, block->min_l);
    total->max_l = higher(total->max_l, block->max_l);
    total->min_r = lower(total->min_r, block->min_r);
    total->max_r = higher(total->max_r, block->max_r);
}

static double block_peak(const struct level_block *b)
{
    return (double)higher(higher(b->max_l, -b->min_l), higher(b->max_r, -b->min_r));
}

static double block_power(const struct level_block *block)
{
    return (block->ll + block->rr) / (2.0 * (double)block->frames);
}

// At least 0: what a constant magnitude's RMS exceeds its peak by is rounding.
static double block_crest_db(const struct level_block *block)
{
    const double power = block_power(block);
    return power > LEAST_POWER ? fmax(0.0, 20.0 * log10(block_peak(block) / sqrt(power))) : 0.0;
}

static void spread_add(struct level_spread *spread, double value)
{
    const double delta = value - spread->mean;
    spread->mean += delta / (double)++spread->count;
    spread->squares += delta * (value - spread->mean);
}

static double spread_deviation(const struct level_spread *spread)
{
    return spread->count ? sqrt(spread->squares / (double)spread->count) : 0.0;
}

static void rate_block(struct level_sums *sums)
{
    spread_add(&sums->peak, block_peak(&sums->block));
    if (block_power(&sums->block) > LEAST_POWER)
        spread_add(&sums->crest, block_crest_db(&sums->block));
}

void level_sums_feed(struct level_sums *sums, const float *left, const float *right,
                     uint32_t frames)
{
    while (frames > 0) {
        const uint64_t room = sums->block_frames - sums->block.frames;
        const uint32_t count = room < frames ? (uint32_t)room : frames;
        sums->kernel->add(&sums->block, left, right, count);
        left += count;
        right += count;
        frames -= count;
        if (sums->block.frames == sums->block_frames) {
            rate_block(sums);
            add_block(&sums->total, &sums->block);
            sums->block = EMPTY_BLOCK;
        }
    }
}

static double width_of(const struct level_block *t)
{
    const double middle = sqrt(fmax(0.0, t->ll + t->rr + 2.0 * t->lr));
    const double side = sqrt(fmax(0.0, t->ll + t->rr - 2.0 * t->lr));
    return side > 0 ? side / (middle + side) : 0.0;
}

static double correlation_of(const struct level_block *t)
{
    const int steady_l = t->min_l == t->max_l, steady_r = t->min_r == t->max_r;
    if (steady_l || steady_r)
        return steady_l && steady_r ? 1.0 : 0.0;
    const double n = (double)t->frames;
    const double variance_l = t->ll - t->l * t->l / n, variance_r = t->rr - t->r * t->r / n;
    const double covariance = t->lr - t->l * t->r / n;
    if (variance_l <= 0 || variance_r <= 0)
        return 0.0;
    return fmin(1.0, fmax(-1.0, covariance / (sqrt(variance_l) * sqrt(variance_r))));
}

void level_sums_finish(struct level_sums *sums, struct level_result *out)
{
    *out = (struct level_result){.peak_consistency = 1.0, .phase_correlation = 1.0};
    if (sums->peak.count == 0 && sums->block.frames > 0)
        rate_block(sums); // a part block counts only where there is no other
    add_block(&sums->total, &sums->block);
    const struct level_block *total = &sums->total;
    if (total->frames == 0 || block_power(total) <= LEAST_POWER)
        return;
    const double variation_db = spread_deviation(&sums->crest);
    out->crest_db = block_crest_db(total);
    out->dynamic_range_variation = variation_db / (variation_db + 6.0);
    if (sums->peak.mean > 0)
        out->peak_consistency = 1.0 / (1.0 + spread_deviation(&sums->peak) / sums->peak.mean);
    out->stereo_width = width_of(total);
    out->phase_correlation = correlation_of(total);
}
