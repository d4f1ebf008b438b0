// SPDX-License-Identifier: MIT
#include "dsp/compressor.h"
#include "dsp/chain.h"
#include <assert.h>
#include <math.h>

enum { PERIOD_FRAMES = CHAIN_GRID_FRAMES };

static const double DETECTOR_S = 0.010;
static const double POWER_FLOOR = 1e-20; // -200 dB: log of silence stays finite, no denormals

void compressor_init(struct compressor *compressor, double rate_hz)
{
    const double tick_s = PERIOD_FRAMES / rate_hz;
    *compressor = (struct compressor){
        .tick_s = tick_s,
        .detector = 1.0 - exp(-tick_s / DETECTOR_S),
        .power = POWER_FLOOR,
        .from = 1.0,
        .to = 1.0,
    };
}

double compressor_curve_db(const struct compressor_numbers *numbers, double level_db)
{
    const double over = level_db - numbers->threshold_db;
    const double half = 0.5 * numbers->knee_db;
    if (over <= -half)
        return 0;
    if (over >= half)
        return -numbers->slope * over;
    return -numbers->slope * (over + half) * (over + half) / (4.0 * half);
}

static void tick(struct compressor *c, const struct compressor_numbers *numbers)
{
    c->power += c->detector * (c->sum / PERIOD_FRAMES + POWER_FLOOR - c->power);
    c->sum = 0;
    const double wanted = compressor_curve_db(numbers, 10.0 * log10(c->power));
    const double time_s = wanted < c->gain_db ? numbers->attack_s : numbers->release_s;
    // First order of 1 - exp(-tick/time), exact to 1 % from 16 ticks up; bounded for any input.
    c->gain_db += fmin(1.0, c->tick_s / time_s) * (wanted - c->gain_db);
    if (c->gain_db > -1e-9) // -180 dB from unity: the tail ends before it turns denormal
        c->gain_db = 0;
    c->from = c->to;
    c->to = 1.0 + numbers->mix * (exp(c->gain_db * (M_LN10 / 20.0)) - 1.0);
}

/// Frames of one control period, from `phase` on.
static void run(struct compressor *c, double *stereo, uint32_t frames)
{
    const double step = (c->to - c->from) / PERIOD_FRAMES;
    double sum = c->sum;
    for (uint32_t i = 0; i < frames; ++i) {
        const double l = stereo[2 * i] * stereo[2 * i];
        const double r = stereo[2 * i + 1] * stereo[2 * i + 1];
        sum += l > r ? l : r;
        const double gain = c->from + step * (double)(c->phase + i + 1);
        stereo[2 * i] *= gain;
        stereo[2 * i + 1] *= gain;
    }
    c->sum = sum;
    c->phase += frames;
}

void compressor_process(struct compressor *compressor, const struct compressor_numbers *numbers,
                        double *stereo, uint32_t frames)
{
    assert(compressor->phase < PERIOD_FRAMES);
    while (frames > 0) {
        const uint32_t left = PERIOD_FRAMES - compressor->phase;
        const uint32_t count = frames < left ? frames : left;
        run(compressor, stereo, count);
        stereo += (size_t)2 * count;
        frames -= count;
        if (compressor->phase == PERIOD_FRAMES) {
            compressor->phase = 0;
            tick(compressor, numbers);
        }
    }
}
