// SPDX-License-Identifier: MIT
#include "dsp/mastering/limiting_model.h"
#include "dsp/cpu.h"
#include "dsp/history.h"
#include "dsp/mastering/peak.h"
#include "dsp/mastering/stereo.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// The limiter in steps of a millisecond: wanted gain of each, the least of those within look-ahead and hold,
// release, and a bell in place of the boxes. Gain moves little within a step, so the output's power is the
// input's, weighted by its square.
enum { SIDES = 2, STEPS_PER_SECOND = 10, BELL = 5, BLOCKS_MOST = 1 << 20, SECONDS_PER_GROWTH = 30 };

static const double BLOCK_S = 0.001;
static const double bell[BELL] = {0.01, 0.22, 0.54, 0.22, 0.01};
static const double COUNTED_SHARE = 0.999; // of the blocks that are not silence
static const float SILENCE_LEVEL = 1e-3F;  // after makeup
static const float FAR_BELOW = 0.2F;       // of the highest peak so far: never limited
enum { REDUCTION_BINS = 512, BINS_PER_DB = 16 };

struct block {
    float peak; // true peak by the ITU's filter, linear
    float energy;
    float held_peak; // the highest of this and the blocks before that the limiter still minds
};

struct limiting_model {
    // --- immutable after create
    double rate_hz;
    uint32_t block_frames;
    const struct peak_impl *peaks;
    const struct stereo_impl *loops;
    struct peak_reader itu;
    // --- being taken
    struct history sides[SIDES];
    struct block under_way;
    uint32_t in_block;
    float highest;
    struct block *blocks;
    uint32_t block_count, block_capacity;
    // --- finished
    float *powers; // of every 100 ms, as measured
    float *guessed;
    uint32_t step_count;
};

int limiting_model_create(struct limiting_model **out, double rate_hz)
{
    *out = NULL;
    struct limiting_model *model = calloc(1, sizeof *model);
    if (!model)
        return -ENOMEM;
    model->rate_hz = rate_hz;
    model->block_frames = (uint32_t)fmax(1, rint(BLOCK_S * rate_hz));
    model->peaks = peak_select(cpu_flags());
    model->loops = stereo_select(cpu_flags());
    peak_reader_init_itu(&model->itu);
    int error = 0;
    for (int side = 0; side < SIDES && !error; ++side)
        error = history_init(&model->sides[side], sizeof(float), PEAK_REACH);
    if (error)
        limiting_model_destroy(&model);
    *out = model;
    return error;
}

void limiting_model_destroy(struct limiting_model **model)
{
    if (!*model)
        return;
    for (int side = 0; side < SIDES; ++side)
        history_deinit(&(*model)->sides[side]);
    free((*model)->blocks);
    free((*model)->powers);
    free((*model)->guessed);
    free(*model);
    *model = NULL;
}

static int append(struct limiting_model *model)
{
    if (model->block_count == BLOCKS_MOST)
        return -EFBIG;
    if (model->block_count == model->block_capacity) {
        const uint32_t capacity =
            model->block_capacity * 2 + (uint32_t)(SECONDS_PER_GROWTH / BLOCK_S);
        struct block *grown = realloc(model->blocks, capacity * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        model->blocks = grown;
        model->block_capacity = capacity;
    }
    model->blocks[model->block_count++] = model->under_way;
    model->under_way = (struct block){0};
    model->in_block = 0;
    return 0;
}

int limiting_model_feed(struct limiting_model *model, const double *stereo, uint32_t frames)
{
    float peaks[HISTORY_PIECE + PEAK_LANES] = {0};
    assert(!model->powers); // a finished one is of the whole track already
    float *left = history_grow(&model->sides[0], frames);
    float *right = history_grow(&model->sides[1], frames);
    model->loops->split(left, right, stereo, frames);
    model->loops->magnitudes(peaks, left - PEAK_ITU_TAPS / 2, right - PEAK_ITU_TAPS / 2, frames);
    const float floor = FAR_BELOW * model->highest;
    model->peaks->raise(&model->itu, peaks, (const float *const[]){left, right}, frames, floor);
    for (uint32_t i = 0; i < frames; ++i) {
        struct block *block = &model->under_way;
        block->peak = peaks[i] > block->peak ? peaks[i] : block->peak;
        block->energy += left[i] * left[i] + right[i] * right[i];
        if (++model->in_block < model->block_frames)
            continue;
        model->highest = fmaxf(model->highest, block->peak);
        const int error = append(model);
        if (error)
            return error;
    }
    return 0;
}

int limiting_model_finish(struct limiting_model *model, const struct loudness_meter *meter)
{
    const struct loudness_steps steps = loudness_list_steps(loudness_meter_list(meter));
    model->step_count = steps.count;
    model->powers = malloc((steps.count + 1U) * sizeof *model->powers);
    model->guessed = malloc((steps.count + 1U) * sizeof *model->guessed);
    if (!model->powers || !model->guessed)
        return -ENOMEM;
    if (steps.count > 0)
        memcpy(model->powers, steps.powers, steps.count * sizeof *model->powers);
    const double minded_s = limiter_lookahead_s() + limiter_hold_s();
    const uint32_t window = (uint32_t)ceil(minded_s / BLOCK_S) + 1;
    for (uint32_t i = 0; i < model->block_count; ++i)
        for (uint32_t k = 0; k < window && k <= i; ++k)
            model->blocks[i].held_peak =
                fmaxf(model->blocks[i].held_peak, model->blocks[i - k].peak);
    return 0;
}

/// The limiter's state between two blocks.
struct run {
    double threshold; // of the peaks at unity makeup
    double release;   // share of the way to the held gain in one block
    double released;
    double recent[BELL];
};

/// Take the block `index`. @return the gain of the one that lies half a bell before.
static double next_gain(struct run *run, const struct limiting_model *model, uint32_t index)
{
    const double peak = index < model->block_count ? (double)model->blocks[index].held_peak : 0.0;
    const double held = peak > run->threshold ? run->threshold / peak : 1.0;
    run->released = fmin(held, run->released + run->release * (held - run->released));
    memmove(run->recent, run->recent + 1, (BELL - 1) * sizeof *run->recent);
    run->recent[BELL - 1] = run->released;
    double gain = 0;
    for (int i = 0; i < BELL; ++i)
        gain += bell[i] * run->recent[i];
    return gain;
}

/// The reduction that COUNTED_SHARE of the blocks do not exceed.
static double counted_reduction_db(const uint32_t bins[REDUCTION_BINS], uint32_t counted)
{
    uint32_t beyond = (uint32_t)((1.0 - COUNTED_SHARE) * counted);
    for (int bin = REDUCTION_BINS - 1; bin > 0; --bin) {
        if (bins[bin] > beyond)
            return (bin + 0.5) / BINS_PER_DB;
        beyond -= bins[bin];
    }
    return 0;
}

static void count_reduction(uint32_t bins[REDUCTION_BINS], double gain)
{
    const double bin = -20.0 * log10(gain) * BINS_PER_DB;
    ++bins[bin < REDUCTION_BINS - 1 ? (int)bin : REDUCTION_BINS - 1];
}

void limiting_model_guess(struct limiting_model *model, const struct limiter_numbers *numbers,
                          double makeup_db, struct limiting_guess *guess,
                          struct loudness_steps *steps)
{
    const double makeup = pow(10.0, makeup_db / 20.0);
    struct run run = {
        .threshold = numbers->ceiling * pow(10.0, -limiter_margin_db() / 20.0) / makeup,
        .release = 1.0 - exp(-BLOCK_S / numbers->release_s),
        .released = 1.0,
        .recent = {1, 1, 1, 1, 1},
    };
    uint32_t bins[REDUCTION_BINS] = {0}, counted = 0, block = 0;
    for (uint32_t i = 0; i < BELL / 2; ++i)
        next_gain(&run, model, i);
    for (uint32_t step = 0; step < model->step_count; ++step) {
        const double end = (step + 1.0) * model->rate_hz / STEPS_PER_SECOND / model->block_frames;
        double before = 1e-30, after = 1e-30;
        for (; block < model->block_count && block < end; ++block) {
            const struct block *b = &model->blocks[block];
            const double gain = next_gain(&run, model, block + BELL / 2);
            before += (double)b->energy;
            after += (double)b->energy * gain * gain;
            if ((double)b->peak * makeup <= (double)SILENCE_LEVEL)
                continue;
            ++counted;
            if (gain < 0.9999)
                count_reduction(bins, gain);
        }
        model->guessed[step] =
            (float)((double)model->powers[step] * makeup * makeup * after / before);
    }
    guess->reduction_db = counted_reduction_db(bins, counted);
    *steps = (struct loudness_steps){.powers = model->guessed, .count = model->step_count};
}
