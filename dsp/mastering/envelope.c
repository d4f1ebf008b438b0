// SPDX-License-Identifier: MIT
#include "dsp/mastering/envelope.h"
#include "dsp/cpu.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Wanted gains w, window W, three boxes of B (together 3B-2 long):
//   h[n] = min(w[n-W+1..n]);  e[n] = min(h[n], e[n-1] + k (h[n] - e[n-1])) <= h[n];
//   g[n] = mean of e over n-(3B-3)..n with positive weights.
// Each e in that mean is <= w[n-k] if n-k lies in its window, which holds for all of them when
// 3B-3 <= k <= W-1. So W = 3B-2 + hold, and a little more where that makes whole ticks and a frame.
// An envelope rests for seconds, while all of the music goes through the caches. Its code and memory would have left
// them when it wakes, so it works on some frames of one piece in so many all the same: nothing comes of it.
enum { REST_PIECES = 8, REST_FRAMES = 64 };
enum { BOX_LIMIT = 4096 }; // 2^30 * 4096^3 = 2^66 would not fit: see the assert

static const int64_t UNITY = INT64_C(1) << SMOOTH_GAIN_BITS;

int envelope_init(struct envelope *envelope, const struct envelope_config *config)
{
    const uint32_t box = config->box_frames;
    assert(box >= 1 && box <= BOX_LIMIT && (double)box * box * box < 0x1p33);
    memset(envelope, 0, sizeof *envelope);
    envelope->box_frames = box;
    const uint32_t least_window = SMOOTH_BOXES * box - 2 + config->hold_frames;
    const uint32_t ticks = least_window > 1 ? (least_window + SMOOTH_TICK - 2) / SMOOTH_TICK : 1;
    envelope->window = (struct smooth_window){
        .ticks = ticks,
        .suffixes = calloc((size_t)ticks * SMOOTH_TICK, sizeof(float)),
        .lowest = calloc(ticks + 1, sizeof(float)),
    };
    envelope->loops = smooth_select(cpu_flags());
    int error = envelope->window.suffixes && envelope->window.lowest ? 0 : -ENOMEM;
    if (!error)
        error = history_init(&envelope->held, sizeof(float), SMOOTH_GROUP);
    if (!error)
        error =
            history_init(&envelope->released, sizeof(int32_t), SMOOTH_GROUP + SMOOTH_BOXES * box);
    if (error)
        return error;
    envelope_reset(envelope);
    return 0;
}

void envelope_deinit(struct envelope *envelope)
{
    free(envelope->window.suffixes);
    free(envelope->window.lowest);
    envelope->window.suffixes = envelope->window.lowest = NULL;
    history_deinit(&envelope->held);
    history_deinit(&envelope->released);
}

static void reset_window(struct smooth_window *window)
{
    for (uint32_t i = 0; i < window->ticks * SMOOTH_TICK; ++i)
        window->suffixes[i] = 1.0F;
    for (uint32_t i = 0; i <= window->ticks; ++i)
        window->lowest[i] = 1.0F;
    for (uint32_t i = 0; i < SMOOTH_TICK; ++i)
        window->running[i] = 1.0F;
    window->front = 1.0F;
    window->slot = window->phase = 0;
}

void envelope_reset(struct envelope *envelope)
{
    const float unity = 1.0F;
    const int32_t released = (int32_t)UNITY;
    reset_window(&envelope->window);
    history_fill(&envelope->held, &unity);
    history_fill(&envelope->released, &released);
    const int64_t box = envelope->box_frames;
    memset(envelope->sums, 0, sizeof envelope->sums);
    envelope->sums[SMOOTH_BOXES - 1] = UNITY * box * box * box;
    envelope->release = (struct smooth_release){.value = (double)UNITY};
    envelope->settled_frames = UINT32_MAX / 2;
}

uint32_t envelope_lead(const struct envelope *envelope)
{
    return SMOOTH_BOXES * envelope->box_frames - SMOOTH_BOXES;
}

double envelope_release(double time_s, double rate_hz)
{
    return 1.0 - exp(-1.0 / (time_s * rate_hz));
}

/// Whether every gain is unity: the bits of 1.0F survive an "and" only if all have them, and an "or" only
/// if none has more.
static int all_unity(const float *wanted, uint32_t frames)
{
    const float unity = 1.0F;
    uint32_t one, all = UINT32_MAX, any = 0;
    memcpy(&one, &unity, sizeof one);
    for (uint32_t i = 0; i < frames; ++i) {
        uint32_t bits;
        memcpy(&bits, wanted + i, sizeof bits);
        all &= bits;
        any |= bits;
    }
    return all == one && any == one;
}

/// Count how long nothing has been wanted. @return whether this piece leaves the state as it is: all that
/// any window or box still holds is unity, and so would be what it took in. As the gain released is never above the
/// window's least, the window holds nothing else when it has arrived; but for the begin of its oldest tick, which it
/// has left, but would see again when the tick's place moves on.
static int is_settled(struct envelope *envelope, const float *wanted, uint32_t frames)
{
    const uint32_t memory = SMOOTH_TICK + SMOOTH_BOXES * envelope->box_frames;
    if (envelope->release.value < (double)UNITY || !all_unity(wanted, frames)) {
        envelope->settled_frames = 0;
        return 0;
    }
    if (envelope->settled_frames >= memory)
        return 1;
    envelope->settled_frames += frames;
    return 0;
}

/// Let frames of unity pass a settled envelope: only where the ticks and groups begin moves on.
static void skip(struct envelope *envelope, uint32_t frames)
{
    envelope->release.phase = (envelope->release.phase + frames) % SMOOTH_GROUP;
    envelope->window.phase = (envelope->window.phase + frames) % SMOOTH_TICK;
}

/// Hold, release and smooth.
static void work(struct envelope *envelope, double release, const float *wanted, double *gains,
                 uint32_t frames)
{
    float *held = history_grow(&envelope->held, frames);
    int32_t *released = history_grow(&envelope->released, frames);
    envelope->loops->hold(&envelope->window, held, wanted, frames);
    envelope->loops->release(&envelope->release, released, held, release, frames);
    envelope->loops->boxes(envelope->sums, gains, released, envelope->box_frames, frames);
}

/// The frames of a piece that are worked on.
static uint32_t busy_frames(struct envelope *envelope, const float *wanted, uint32_t frames)
{
    if (!is_settled(envelope, wanted, frames))
        return frames;
    if (++envelope->rested % REST_PIECES)
        return 0;
    return frames < REST_FRAMES ? frames : REST_FRAMES;
}

void envelope_process(struct envelope *envelope, double release, const float *wanted, double *gains,
                      uint32_t frames)
{
    assert(frames <= HISTORY_PIECE);
    const uint32_t busy = busy_frames(envelope, wanted, frames);
    if (busy > 0)
        work(envelope, release, wanted, gains, busy);
    if (busy == frames)
        return;
    for (uint32_t i = busy; i < frames; ++i)
        gains[i] = 1.0;
    skip(envelope, frames - busy);
}
