// SPDX-License-Identifier: MIT
#include "dsp/mastering/chain.h"
#include "dsp/cpu.h"
#include "dsp/history.h"
#include "dsp/mastering/limiter.h"
#include "dsp/mastering/stereo.h"
#include "dsp/mastering/tone.h"
#include "dsp/pcm.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float MAGNITUDE_LIMIT = 1024.0F; // as the decoders: beyond it a sample counts as 0
static const double SILENCE[2] = {0};

enum chain_mode {
    CHAIN_MASTERS,
    CHAIN_DELAYS, // intensity 0: the input's own bits, late by the same delay
};

struct chain {
    // --- immutable after create
    struct limiter *limiter;
    const struct stereo_impl *loops;
    // --- state
    enum chain_mode mode;
    struct tone tone;
    struct history delayed; // float stereo frames, for CHAIN_DELAYS
    double least_gain;      // of the limiter since the reset
    double recent_gain;     // the least since chain_take_dynamics()
};

static const struct limiter_numbers default_limiter = {.ceiling = 0.8912509381337456,
                                                       .release_s = 0.15};

int chain_create(struct chain **out, uint32_t rate_hz)
{
    *out = NULL;
    if (rate_hz < PCM_MIN_RATE_HZ || rate_hz > PCM_MAX_RATE_HZ)
        return -EINVAL;
    struct chain *chain = calloc(1, sizeof *chain);
    if (!chain)
        return -ENOMEM;
    int error = limiter_create(&chain->limiter, rate_hz);
    if (!error)
        error =
            history_init(&chain->delayed, 2 * sizeof(float), limiter_delay_frames(chain->limiter));
    if (error) {
        chain_destroy(&chain);
        return error;
    }
    chain->loops = stereo_select(cpu_flags());
    tone_init(&chain->tone, rate_hz);
    limiter_set(chain->limiter, &default_limiter);
    chain->least_gain = chain->recent_gain = 1.0;
    *out = chain;
    return 0;
}

void chain_destroy(struct chain **chain)
{
    if (!*chain)
        return;
    limiter_destroy(&(*chain)->limiter);
    history_deinit(&(*chain)->delayed);
    free(*chain);
    *chain = NULL;
}

static void set_limiter(struct chain *chain, const struct mastering_targets *targets)
{
    const struct limiter_numbers numbers = {
        .ceiling = pow(10.0, targets->ceiling_dbtp / 20.0),
        .release_s = targets->limiter.release_s,
    };
    limiter_set(chain->limiter, &numbers);
}

uint32_t chain_delay_frames(const struct chain *chain)
{
    return limiter_delay_frames(chain->limiter);
}

/// The sample, or 0 for NaN, infinity and magnitudes over the limit: by its bits, as all of those have
/// larger ones, so that the loop has no branch.
static float finite_or_zero(float x)
{
    uint32_t bits, limit;
    memcpy(&bits, &x, sizeof bits);
    memcpy(&limit, &MAGNITUDE_LIMIT, sizeof limit);
    bits &= (bits & INT32_MAX) <= limit ? UINT32_MAX : 0;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void delay(struct chain *chain, float *stereo, uint32_t frames)
{
    float *newest = history_grow(&chain->delayed, frames);
    for (uint32_t i = 0; i < 2 * frames; ++i)
        newest[i] = finite_or_zero(stereo[i]);
    memcpy(stereo, newest - (size_t)chain_delay_frames(chain) * 2, frames * 2 * sizeof *stereo);
}

static void master(struct chain *chain, float *stereo, uint32_t frames)
{
    double wide[2 * HISTORY_PIECE], gains[HISTORY_PIECE];
    chain->loops->widen(wide, stereo, frames);
    tone_process(&chain->tone, wide, frames);
    const double least = limiter_process(chain->limiter, wide, gains, frames);
    chain->loops->narrow(stereo, wide, frames);
    chain->recent_gain = fmin(chain->recent_gain, least);
    chain->least_gain = fmin(chain->least_gain, least);
}

/// Back to a track's first frame, but for the numbers.
static void forget(struct chain *chain)
{
    limiter_reset(chain->limiter);
    history_fill(&chain->delayed, SILENCE);
    chain->least_gain = chain->recent_gain = 1.0;
}

void chain_reset(struct chain *chain, const struct mastering_targets *targets)
{
    forget(chain);
    chain->mode = targets->bypass ? CHAIN_DELAYS : CHAIN_MASTERS;
    if (chain->mode == CHAIN_MASTERS) {
        // Code and tables come into the caches here, not in the track's first block.
        float silence[2 * HISTORY_PIECE] = {0};
        set_limiter(chain, targets);
        master(chain, silence, HISTORY_PIECE);
        forget(chain);
    }
    tone_reset(&chain->tone, targets);
}

void chain_ramp_to(struct chain *chain, const struct mastering_targets *targets,
                   uint32_t ramp_frames)
{
    // One run has one intensity, so a ramp never crosses from audio as it is to mastered audio.
    assert(chain->mode == (targets->bypass ? CHAIN_DELAYS : CHAIN_MASTERS));
    if (chain->mode == CHAIN_DELAYS)
        return;
    tone_ramp_to(&chain->tone, targets, ramp_frames);
    // The limiter's own smoothing takes a changed ceiling without a step.
    set_limiter(chain, targets);
}

void chain_process(struct chain *chain, float *stereo, uint32_t frames)
{
    while (frames > 0) {
        const uint32_t piece = frames < HISTORY_PIECE ? frames : HISTORY_PIECE;
        if (chain->mode == CHAIN_DELAYS)
            delay(chain, stereo, piece);
        else
            master(chain, stereo, piece);
        stereo += 2 * piece;
        frames -= piece;
    }
}

double chain_reduction_db(const struct chain *chain)
{
    return 20.0 * log10(1.0 / chain->least_gain);
}

void chain_take_dynamics(struct chain *chain, struct chain_dynamics *dynamics)
{
    dynamics->compressor_db = 20.0 * log10(chain->tone.compressor.to);
    dynamics->limiter_db = 20.0 * log10(chain->recent_gain);
    chain->recent_gain = 1.0;
}
