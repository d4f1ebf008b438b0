// SPDX-License-Identifier: MIT
#include "dsp/mastering/limiter.h"
#include "dsp/cpu.h"
#include "dsp/history.h"
#include "dsp/mastering/envelope.h"
#include "dsp/mastering/peak.h"
#include "dsp/mastering/stereo.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Two stages alike: find the peak around each frame, want the gain that brings it under the ceiling,
// smooth the wanted gains, apply them to the delayed audio. The first looks ahead far and uses the
// ITU's interpolator. Its product is x[n] g[n], and as g moves a little inside an interpolator's
// reach, a few hundredths of a dB may be left over: the second stage measures that product at 8x
// and takes the rest off within a millisecond.

static const double LOOKAHEAD_S = 0.0045; // of the first stage's boxes
static const double HOLD_S = 0.010; // half a period of 50 Hz: gain stays put between its crests
static const double GUARD_S = 0.001;
static const double GUARD_RELEASE_S = 0.005;

// What stays below the ceiling. An 8x grid misses up to 0.17 dB of a tone at the Nyquist frequency.
static const double FIRST_MARGIN_DB =
    0.14; // more than the others, so that the guard rests on most music
static const double GUARD_MARGIN_DB = 0.02;
static const double SHARP_MARGIN_DB = 0.12;

// Interpolators that no music asked for would have left the caches when some does, as with envelopes: one piece in so
// many is read for nothing.
enum { IDLE_PIECES = 32 };

enum { CHANNELS = 2 };

struct stage {
    struct history sides[CHANNELS]; // float, what is measured
    struct history audio;           // double, interleaved
    struct envelope envelope;
    double release; // share of the way in a frame
    uint32_t delay_frames;
    uint32_t pieces; // taken
};

struct limiter {
    // --- immutable after create
    const struct peak_impl *peaks;
    const struct stereo_impl *loops;
    struct peak_reader itu, sharp; // the sharp peaks are scaled from their margin to the guard's
    double rate_hz;
    // --- state
    struct stage first, guard;
    struct history first_gains; // double, to line them up with the guard's
    float first_ceiling, guard_ceiling;
};

static int stage_init(struct stage *stage, double smooth_s, double hold_s, double rate_hz,
                      uint32_t reach_frames)
{
    const struct envelope_config config = {
        .box_frames = (uint32_t)fmax(2.0, ceil(smooth_s * rate_hz / SMOOTH_BOXES)),
        .hold_frames = reach_frames + (uint32_t)ceil(hold_s * rate_hz),
    };
    int error = envelope_init(&stage->envelope, &config);
    if (error)
        return error;
    // A gain has to respect every neighbourhood that its frame is part of: the last of them is
    // complete reach-1 frames after the frame itself.
    stage->delay_frames = envelope_lead(&stage->envelope) + reach_frames - 1;
    for (int c = 0; c < CHANNELS && !error; ++c)
        error = history_init(&stage->sides[c], sizeof(float), PEAK_REACH);
    if (!error)
        error = history_init(&stage->audio, CHANNELS * sizeof(double), stage->delay_frames);
    return error;
}

static void stage_deinit(struct stage *stage)
{
    envelope_deinit(&stage->envelope);
    for (int c = 0; c < CHANNELS; ++c)
        history_deinit(&stage->sides[c]);
    history_deinit(&stage->audio);
}

static void stage_reset(struct stage *stage)
{
    static const double silence[CHANNELS] = {0};
    for (int c = 0; c < CHANNELS; ++c)
        history_fill(&stage->sides[c], silence);
    history_fill(&stage->audio, silence);
    envelope_reset(&stage->envelope);
}

int limiter_create(struct limiter **out, double rate_hz)
{
    *out = NULL;
    struct limiter *limiter = calloc(1, sizeof *limiter);
    if (!limiter)
        return -ENOMEM;
    limiter->peaks = peak_select(cpu_flags());
    limiter->loops = stereo_select(cpu_flags());
    peak_reader_init_itu(&limiter->itu);
    peak_reader_init_sharp(&limiter->sharp, pow(10.0, (SHARP_MARGIN_DB - GUARD_MARGIN_DB) / 20.0));
    limiter->rate_hz = rate_hz;
    int error = stage_init(&limiter->first, LOOKAHEAD_S, HOLD_S, rate_hz, limiter->itu.taps);
    if (!error)
        error = stage_init(&limiter->guard, GUARD_S, 0.0, rate_hz, limiter->sharp.taps);
    if (!error)
        error = history_init(&limiter->first_gains, sizeof(double), limiter->guard.delay_frames);
    if (error) {
        limiter_destroy(&limiter);
        return error;
    }
    limiter->guard.release = envelope_release(GUARD_RELEASE_S, rate_hz);
    limiter_reset(limiter);
    *out = limiter;
    return 0;
}

void limiter_destroy(struct limiter **limiter)
{
    if (!*limiter)
        return;
    stage_deinit(&(*limiter)->first);
    stage_deinit(&(*limiter)->guard);
    history_deinit(&(*limiter)->first_gains);
    free(*limiter);
    *limiter = NULL;
}

void limiter_reset(struct limiter *limiter)
{
    const double unity = 1.0;
    stage_reset(&limiter->first);
    stage_reset(&limiter->guard);
    history_fill(&limiter->first_gains, &unity);
}

void limiter_set(struct limiter *limiter, const struct limiter_numbers *numbers)
{
    assert(numbers->ceiling > 0 && numbers->release_s > 0);
    limiter->first_ceiling = (float)(numbers->ceiling * pow(10.0, -FIRST_MARGIN_DB / 20.0));
    limiter->guard_ceiling = (float)(numbers->ceiling * pow(10.0, -GUARD_MARGIN_DB / 20.0));
    limiter->first.release = envelope_release(numbers->release_s, limiter->rate_hz);
}

uint32_t limiter_delay_frames(const struct limiter *limiter)
{
    return limiter->first.delay_frames + limiter->guard.delay_frames;
}

double limiter_lookahead_s(void)
{
    return LOOKAHEAD_S;
}

double limiter_hold_s(void)
{
    return HOLD_S;
}

double limiter_margin_db(void)
{
    return FIRST_MARGIN_DB;
}

/// Split the frames into the measured sides. @return the newest of each.
static void take_sides(const struct stereo_impl *loops, struct stage *stage, const double *stereo,
                       const float *sides[CHANNELS], uint32_t frames)
{
    float *left = history_grow(&stage->sides[0], frames);
    float *right = history_grow(&stage->sides[1], frames);
    loops->split(left, right, stereo, frames);
    sides[0] = left;
    sides[1] = right;
}

/// Smooth the wanted gains and give the delayed audio, scaled; `newest` lies in the stage's line.
static void apply(const struct stereo_impl *loops, struct stage *stage, const float *wanted,
                  const double *newest, double *out, double *gains, uint32_t frames)
{
    envelope_process(&stage->envelope, stage->release, wanted, gains, frames);
    loops->scale(out, newest - (size_t)stage->delay_frames * CHANNELS, gains, frames);
}

/// Read a few frames with every bank, whatever they hold, and forget what they gave.
static void read_idly(const struct limiter *limiter, const struct peak_reader *reader,
                      const float *const sides[CHANNELS], uint32_t frames)
{
    float peaks[2 * PEAK_LANES] = {0};
    limiter->peaks->raise(reader, peaks, sides, frames < PEAK_LANES ? frames : PEAK_LANES, 0);
}

/// Let a stage want, smooth and apply gains that keep what `reader` reads at the ceiling or below.
static void run(struct limiter *limiter, struct stage *stage, const struct peak_reader *reader,
                float ceiling, const double *newest, double *out, double *gains, uint32_t frames)
{
    float peaks[HISTORY_PIECE + PEAK_LANES] = {0};
    const float *sides[CHANNELS];
    take_sides(limiter->loops, stage, newest, sides, frames);
    const uint32_t middle = reader->taps / 2;
    limiter->loops->magnitudes(peaks, sides[0] - middle, sides[1] - middle, frames);
    limiter->peaks->raise(reader, peaks, sides, frames, ceiling);
    if (stage->pieces++ % IDLE_PIECES == 0)
        read_idly(limiter, reader, sides, frames);
    limiter->loops->want_gains(peaks, ceiling, frames);
    apply(limiter->loops, stage, peaks, newest, out, gains, frames);
}

double limiter_process(struct limiter *limiter, double *stereo, double *gains, uint32_t frames)
{
    assert(frames <= HISTORY_PIECE);
    double *first_gains = history_grow(&limiter->first_gains, frames);
    double *newest = history_grow(&limiter->first.audio, frames);
    double *product = history_grow(&limiter->guard.audio, frames);
    memcpy(newest, stereo, frames * CHANNELS * sizeof *newest);
    run(limiter, &limiter->first, &limiter->itu, limiter->first_ceiling, newest, product,
        first_gains, frames);
    run(limiter, &limiter->guard, &limiter->sharp, limiter->guard_ceiling, product, stereo, gains,
        frames);
    const double *earlier = first_gains - limiter->guard.delay_frames;
    return limiter->loops->multiply(gains, earlier, 1.0, frames);
}
