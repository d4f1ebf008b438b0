// SPDX-License-Identifier: MIT
#include "dsp/mastering/tone.h"
#include "dsp/cpu.h"
#include <assert.h>
#include <math.h>
#include <string.h>

// A ramp's spectrum falls with its length: 50 ms keep even large steps of a tone under -100 dB
// outside 200 Hz around it.
static const double RAMP_MIN_S = 0.050;

enum { RAMP_PIECE = 256 };
enum { NUMBER_COUNT = sizeof(struct tone_numbers) / sizeof(double) };
static_assert(sizeof(struct tone_numbers) == NUMBER_COUNT * sizeof(double),
              "every member of tone_numbers is a double, so that a ramp can mix them alike");

static const struct tone_numbers unity = {
    .eq = {1.0},
    .compressor = {.knee_db = 6.0, .attack_s = 0.02, .release_s = 0.2},
    .side_gain = 1.0,
    .makeup = 1.0,
};

static void numbers_of(struct tone_numbers *out, const struct mastering_targets *targets,
                       double rate_hz)
{
    if (targets->bypass) {
        *out = unity;
        return;
    }
    eq_numbers(out->eq, targets->eq_db, rate_hz);
    out->compressor = (struct compressor_numbers){
        .threshold_db = targets->compressor.threshold_db,
        .slope = 1.0 - 1.0 / targets->compressor.ratio,
        .knee_db = targets->compressor.knee_db,
        .mix = targets->compressor.mix,
        .attack_s = targets->compressor.attack_s,
        .release_s = targets->compressor.release_s,
    };
    out->side_gain = targets->width;
    out->makeup = pow(10.0, targets->makeup_db / 20.0);
}

static void forget(struct tone *tone)
{
    memset(&tone->eq, 0, sizeof tone->eq);
    memset(&tone->width, 0, sizeof tone->width);
    compressor_init(&tone->compressor, tone->rate_hz);
    tone->ramp_done = tone->ramp_frames = 0;
}

void tone_init(struct tone *tone, double rate_hz)
{
    assert(rate_hz > 0);
    tone->rate_hz = rate_hz;
    tone->width_coefficient = width_coefficient(rate_hz);
    tone->eq_impl = eq_select(cpu_flags());
    tone->width_impl = width_select(cpu_flags());
    tone->now = unity;
    forget(tone);
}

void tone_reset(struct tone *tone, const struct mastering_targets *targets)
{
    numbers_of(&tone->now, targets, tone->rate_hz);
    forget(tone);
}

void tone_ramp_to(struct tone *tone, const struct mastering_targets *targets, uint32_t ramp_frames)
{
    const uint32_t least = (uint32_t)ceil(RAMP_MIN_S * tone->rate_hz);
    tone->from = tone->now;
    numbers_of(&tone->to, targets, tone->rate_hz);
    tone->ramp_done = 0;
    tone->ramp_frames = ramp_frames > least ? ramp_frames : least;
}

/// What lies `share` of the way.
static struct tone_numbers numbers_at(const struct tone *tone, double share)
{
    double at[NUMBER_COUNT], from[NUMBER_COUNT], to[NUMBER_COUNT];
    memcpy(from, &tone->from, sizeof from);
    memcpy(to, &tone->to, sizeof to);
    for (int i = 0; i < NUMBER_COUNT; ++i)
        at[i] = from[i] + share * (to[i] - from[i]);
    struct tone_numbers numbers;
    memcpy(&numbers, at, sizeof numbers);
    return numbers;
}

/// How far the next frames are on the ramp. A straight line would have corners that are heard (its spectrum falls by
/// 12 dB an octave); this curve has two continuous derivatives.
static void advance(struct tone *tone, double *shares, uint32_t frames)
{
    const double step = 1.0 / tone->ramp_frames;
    for (uint32_t i = 0; i < frames; ++i) {
        const double t = step * (double)(int32_t)(tone->ramp_done + 1 + i);
        shares[i] = t * t * t * (10.0 + t * (6.0 * t - 15.0));
    }
    tone->ramp_done += frames;
}

static struct width_numbers width_of(const struct tone *tone, const struct tone_numbers *numbers)
{
    return (struct width_numbers){.coefficient = tone->width_coefficient,
                                  .side_gain = numbers->side_gain,
                                  .gain = numbers->makeup};
}

static void run(struct tone *tone, double *stereo, uint32_t frames)
{
    const struct width_numbers width = width_of(tone, &tone->now);
    tone->eq_impl->process(&tone->eq, tone->now.eq, stereo, frames);
    compressor_process(&tone->compressor, &tone->now.compressor, stereo, frames);
    tone->width_impl->process(&tone->width, &width, stereo, frames);
}

/// The same on the ramp, `frames` > 0.
static void glide(struct tone *tone, double *stereo, uint32_t frames)
{
    double shares[RAMP_PIECE] = {0};
    struct eq_way eq;
    const struct compressor_way compressor = {tone->from.compressor, tone->to.compressor};
    const struct width_way width = {width_of(tone, &tone->from), width_of(tone, &tone->to)};
    memcpy(eq.from, tone->from.eq, sizeof eq.from);
    memcpy(eq.to, tone->to.eq, sizeof eq.to);
    assert(frames > 0 && frames <= RAMP_PIECE);
    advance(tone, shares, frames);
    tone->eq_impl->glide(&tone->eq, &eq, shares, stereo, frames);
    compressor_glide(&tone->compressor, &compressor, shares, stereo, frames);
    tone->width_impl->glide(&tone->width, &width, shares, stereo, frames);
    tone->now =
        tone->ramp_done < tone->ramp_frames ? numbers_at(tone, shares[frames - 1]) : tone->to;
}

void tone_process(struct tone *tone, double *stereo, uint32_t frames)
{
    while (frames > 0 && tone->ramp_done < tone->ramp_frames) {
        const uint32_t most = frames < RAMP_PIECE ? frames : RAMP_PIECE;
        const uint32_t left = tone->ramp_frames - tone->ramp_done;
        const uint32_t count = left < most ? left : most;
        glide(tone, stereo, count);
        stereo += (size_t)2 * count;
        frames -= count;
    }
    if (frames > 0)
        run(tone, stereo, frames);
}
