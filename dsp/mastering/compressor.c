// SPDX-License-Identifier: MIT
#include "dsp/mastering/compressor.h"
#include "dsp/cpu.h"
#include "dsp/mastering/chain.h"
#include <assert.h>
#include <math.h>
#include <string.h>

// A piece is taken in passes over its ticks, of which only two go tick by tick: the logarithms and powers of a piece
// do not wait for each other.
enum {
    PERIOD_FRAMES = CHAIN_GRID_FRAMES,
    PIECE_FRAMES = 256,
    MOST_TICKS = PIECE_FRAMES / PERIOD_FRAMES,
};

static const double DETECTOR_S = 0.010;
static const double POWER_FLOOR = 1e-20; // -200 dB: log of silence stays finite, no denormals
static const double DB_PER_OCTAVE = 6.020599913279624; // of amplitude
static const int64_t SQRT_HALF_BITS = 0x3FE6A09E667F3BCD;

void compressor_init(struct compressor *compressor, double rate_hz)
{
    const double tick_s = PERIOD_FRAMES / rate_hz;
    *compressor = (struct compressor){
        .tick_s = tick_s,
        .detector = 1.0 - exp(-tick_s / DETECTOR_S),
        .loops = stereo_select(cpu_flags()),
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

/// Logarithm to base 2 of a normal number > 0, to 1e-10.
static double log2_of(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    // The exponent that leaves a mantissa between sqrt(1/2) and sqrt(2).
    const int64_t exponent = (bits - SQRT_HALF_BITS) >> 52;
    bits -= exponent * (INT64_C(1) << 52);
    double mantissa;
    memcpy(&mantissa, &bits, sizeof mantissa);
    const double t = (mantissa - 1.0) / (mantissa + 1.0), t2 = t * t; // ln m = 2 artanh t
    const double rest = (1.0 / 7 + t2 * (1.0 / 9)) + (t2 * t2) * (1.0 / 11);
    return (double)exponent +
           2.0 * M_LOG2E * t * ((1.0 + t2 * (1.0 / 3)) + t2 * t2 * (1.0 / 5 + t2 * rest));
}

/// 2 to the power of x, -1000 < x <= 0, to 1e-9 of itself.
static double exp2_of(double x)
{
    const int64_t whole = (int64_t)(x - 0.5); // rounds towards 0, so to the nearest
    const double y = M_LN2 * (x - (double)whole), y2 = y * y;
    const double low = (1.0 + y) + y2 * (1.0 / 2 + y * (1.0 / 6));
    const double rest = (1.0 / 720 + y * (1.0 / 5040)) + y2 * (1.0 / 40320);
    const double high = (1.0 / 24 + y * (1.0 / 120)) + y2 * rest;
    const int64_t bits = (whole + 1023) << 52;
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return scale * (low + y2 * y2 * high);
}

/// Shares of its way that the gain goes in one tick.
struct pace {
    double attack, release;
};

/// First order of 1 - exp(-tick/time), exact to 1 % from 16 ticks up; bounded for any input.
static struct pace pace_of(const struct compressor *c, const struct compressor_numbers *numbers)
{
    const double attack = c->tick_s / numbers->attack_s, release = c->tick_s / numbers->release_s;
    return (struct pace){.attack = attack < 1.0 ? attack : 1.0,
                         .release = release < 1.0 ? release : 1.0};
}

/// Frames from `at` to the next tick, or to the end.
static uint32_t stretch_of(const struct compressor *c, uint32_t at, uint32_t frames)
{
    const uint32_t left = PERIOD_FRAMES - (c->phase + at) % PERIOD_FRAMES;
    return frames - at < left ? frames - at : left;
}

/// Follow the audio's power. @return how many ticks the frames make; powers[i] becomes the power at each.
static uint32_t detect(struct compressor *c, double powers[MOST_TICKS], const double *stereo,
                       uint32_t frames)
{
    uint32_t ticks = 0;
    for (uint32_t at = 0, count; at < frames; at += count) {
        count = stretch_of(c, at, frames);
        const uint32_t phase = (c->phase + at) % PERIOD_FRAMES;
        c->loops->add_squares(c->sums, stereo + (size_t)2 * at, phase, count);
        if (phase + count < PERIOD_FRAMES)
            continue;
        const double sum = (c->sums[0] + c->sums[1]) + (c->sums[2] + c->sums[3]);
        memset(c->sums, 0, sizeof c->sums);
        c->power += c->detector * (sum / PERIOD_FRAMES + POWER_FLOOR - c->power);
        powers[ticks++] = c->power;
    }
    return ticks;
}

enum stride {
    STRIDE_SAME = 0, // one set of numbers for all ticks
    STRIDE_EACH = 1,
};

/// Turn powers into the linear gains that each tick moves to.
static void decide(struct compressor *c, const struct compressor_numbers *numbers,
                   enum stride stride, double *values, uint32_t ticks)
{
    const uint32_t step = (uint32_t)stride;
    for (uint32_t i = 0; i < ticks; ++i)
        values[i] = compressor_curve_db(&numbers[i * step], DB_PER_OCTAVE / 2 * log2_of(values[i]));
    struct pace pace = pace_of(c, numbers);
    for (uint32_t i = 0; i < ticks; ++i) {
        if (stride == STRIDE_EACH)
            pace = pace_of(c, &numbers[i]);
        const double share = values[i] < c->gain_db ? pace.attack : pace.release;
        c->gain_db += share * (values[i] - c->gain_db);
        if (c->gain_db > -1e-9) // -180 dB from unity: the tail ends before it turns denormal
            c->gain_db = 0;
        values[i] = c->gain_db;
    }
    for (uint32_t i = 0; i < ticks; ++i)
        values[i] =
            1.0 + numbers[i * step].mix * (exp2_of(values[i] * (1.0 / DB_PER_OCTAVE)) - 1.0);
}

/// Scale the frames by straight lines from gain to gain.
static void apply(struct compressor *c, const double *gains, double *stereo, uint32_t frames)
{
    for (uint32_t at = 0, count; at < frames; at += count) {
        count = stretch_of(c, at, frames);
        const uint32_t phase = (c->phase + at) % PERIOD_FRAMES;
        if (c->from < 1.0 || c->to < 1.0)
            c->loops->ramp(stereo + (size_t)2 * at, c->from, (c->to - c->from) / PERIOD_FRAMES,
                           phase + 1, count);
        if (phase + count < PERIOD_FRAMES)
            continue;
        c->from = c->to;
        c->to = *gains++;
    }
    c->phase = (c->phase + frames) % PERIOD_FRAMES;
}

void compressor_process(struct compressor *compressor, const struct compressor_numbers *numbers,
                        double *stereo, uint32_t frames)
{
    assert(compressor->phase < PERIOD_FRAMES);
    while (frames > 0) {
        double values[MOST_TICKS];
        const uint32_t count = frames < PIECE_FRAMES ? frames : PIECE_FRAMES;
        const uint32_t ticks = detect(compressor, values, stereo, count);
        if (ticks > 0)
            decide(compressor, numbers, STRIDE_SAME, values, ticks);
        apply(compressor, values, stereo, count);
        stereo += (size_t)2 * count;
        frames -= count;
    }
}

static void mix_numbers(struct compressor_numbers *out, const struct compressor_way *way,
                        double share)
{
    const struct compressor_numbers *from = &way->from, *to = &way->to;
    *out = (struct compressor_numbers){
        .threshold_db = from->threshold_db + share * (to->threshold_db - from->threshold_db),
        .slope = from->slope + share * (to->slope - from->slope),
        .knee_db = from->knee_db + share * (to->knee_db - from->knee_db),
        .mix = from->mix + share * (to->mix - from->mix),
        .attack_s = from->attack_s + share * (to->attack_s - from->attack_s),
        .release_s = from->release_s + share * (to->release_s - from->release_s),
    };
}

void compressor_glide(struct compressor *compressor, const struct compressor_way *way,
                      const double *shares, double *stereo, uint32_t frames)
{
    assert(compressor->phase < PERIOD_FRAMES);
    for (uint32_t at = 0, count; at < frames; at += count) {
        double values[MOST_TICKS];
        struct compressor_numbers numbers[MOST_TICKS];
        count = frames - at < PIECE_FRAMES ? frames - at : PIECE_FRAMES;
        double *piece = stereo + (size_t)2 * at;
        const uint32_t first = PERIOD_FRAMES - 1 - compressor->phase; // frame with a tick
        const uint32_t ticks = detect(compressor, values, piece, count);
        for (uint32_t i = 0; i < ticks; ++i)
            mix_numbers(&numbers[i], way, shares[at + first + i * PERIOD_FRAMES]);
        if (ticks > 0)
            decide(compressor, numbers, STRIDE_EACH, values, ticks);
        apply(compressor, values, piece, count);
    }
}
