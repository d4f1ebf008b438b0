// SPDX-License-Identifier: MIT
#include "dsp/mastering/envelope.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

// Wanted gains w, window W, three boxes of B (together 3B-2 long):
//   h[n] = min(w[n-W+1..n]);  e[n] = min(h[n], e[n-1] + k (h[n] - e[n-1])) <= h[n];
//   g[n] = mean of e over n-(3B-3)..n with positive weights.
// Each e in that mean is <= w[n-k] if n-k lies in its window, which holds for all of them when
// 3B-3 <= k <= W-1. So W = 3B-2 + hold.
enum { GAIN_BITS = 30, BOX_LIMIT = 4096 }; // 2^30 * 4096^3 = 2^66 would not fit: see the assert

static const int64_t UNITY = INT64_C(1) << GAIN_BITS;

/// m[n] = min(a[n], a[n-lag]), the step that doubles a window.
static void combine(float *restrict out, const float *newest, uint32_t lag, uint32_t frames)
{
    const float *older = newest - lag;
    for (uint32_t i = 0; i < frames; ++i)
        out[i] = newest[i] < older[i] ? newest[i] : older[i];
}

static uint32_t levels_for(uint32_t window_frames)
{
    uint32_t levels = 1;
    while (UINT32_C(2) << (levels - 1) <= window_frames)
        ++levels;
    return levels;
}

int envelope_init(struct envelope *envelope, const struct envelope_config *config)
{
    const uint32_t box = config->box_frames;
    assert(box >= 1 && box <= BOX_LIMIT && (double)box * box * box < 0x1p33);
    memset(envelope, 0, sizeof *envelope);
    envelope->box_frames = box;
    envelope->window_frames = ENVELOPE_BOXES * box - 2 + config->hold_frames;
    envelope->levels = levels_for(envelope->window_frames);
    assert(envelope->levels <= ENVELOPE_MAX_LEVELS);
    envelope->full = ldexp((double)box * box * box, GAIN_BITS);
    int error = 0;
    for (uint32_t j = 0; j < envelope->levels && !error; ++j)
        error = history_init(&envelope->minima[j], sizeof(float), UINT32_C(1) << j);
    for (int j = 0; j < ENVELOPE_BOXES && !error; ++j)
        error = history_init(&envelope->boxes[j], sizeof(int64_t), box);
    if (error)
        return error;
    envelope_reset(envelope);
    return 0;
}

void envelope_deinit(struct envelope *envelope)
{
    for (int j = 0; j < ENVELOPE_MAX_LEVELS; ++j)
        history_deinit(&envelope->minima[j]);
    for (int j = 0; j < ENVELOPE_BOXES; ++j)
        history_deinit(&envelope->boxes[j]);
}

void envelope_reset(struct envelope *envelope)
{
    const float unity = 1.0F;
    for (uint32_t j = 0; j < envelope->levels; ++j)
        history_fill(&envelope->minima[j], &unity);
    int64_t held = UNITY;
    for (int j = 0; j < ENVELOPE_BOXES; ++j) {
        history_fill(&envelope->boxes[j], &held);
        held *= envelope->box_frames;
        envelope->sums[j] = held;
    }
    envelope->released = UNITY;
    envelope->settled_frames = UINT32_MAX / 2;
}

uint32_t envelope_lead(const struct envelope *envelope)
{
    return ENVELOPE_BOXES * envelope->box_frames - ENVELOPE_BOXES;
}

int64_t envelope_release(double time_s, double rate_hz)
{
    const double share = 1.0 - exp(-1.0 / (time_s * rate_hz));
    return (int64_t)(share * (double)UNITY) + 1;
}

/// Minima over the window: doublings up to the largest power of two in it, then two that overlap.
static const float *slide_minimum(struct envelope *envelope, const float *wanted, float *scratch,
                                  uint32_t frames)
{
    float *level = history_grow(&envelope->minima[0], frames);
    memcpy(level, wanted, frames * sizeof *level);
    uint32_t covered = 1;
    for (uint32_t j = 1; j < envelope->levels; ++j, covered *= 2) {
        float *next = history_grow(&envelope->minima[j], frames);
        combine(next, level, covered, frames);
        level = next;
    }
    combine(scratch, level, envelope->window_frames - covered, frames);
    return scratch;
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
/// any window or box still holds is unity, and so would be what it took in.
static int is_settled(struct envelope *envelope, const float *wanted, uint32_t frames)
{
    const uint32_t memory = 2 * envelope->window_frames + ENVELOPE_BOXES * envelope->box_frames;
    if (!all_unity(wanted, frames) || envelope->released != UNITY) {
        envelope->settled_frames = 0;
        return 0;
    }
    if (envelope->settled_frames >= memory)
        return 1;
    envelope->settled_frames += frames;
    return 0;
}

void envelope_process(struct envelope *envelope, int64_t release, const float *wanted,
                      double *gains, uint32_t frames)
{
    assert(frames <= HISTORY_PIECE);
    if (is_settled(envelope, wanted, frames)) {
        for (uint32_t i = 0; i < frames; ++i)
            gains[i] = 1.0;
        return;
    }
    float scratch[HISTORY_PIECE];
    const float *held = slide_minimum(envelope, wanted, scratch, frames);
    int64_t *b0 = history_grow(&envelope->boxes[0], frames);
    int64_t *b1 = history_grow(&envelope->boxes[1], frames);
    int64_t *b2 = history_grow(&envelope->boxes[2], frames);
    const uint32_t box = envelope->box_frames;
    int64_t s0 = envelope->sums[0], s1 = envelope->sums[1], s2 = envelope->sums[2];
    int64_t released = envelope->released;
    const int64_t keep = UNITY - release;
    for (uint32_t i = 0; i < frames; ++i) {
        const int64_t hold = (int64_t)(held[i] * (float)UNITY);
        // Rounded up, so that the release arrives instead of stalling a little below. Each share apart, as only
        // one of the products has to wait for the frame before.
        const int64_t risen = (released * keep + (hold * release + UNITY - 1)) >> GAIN_BITS;
        released = risen < hold ? risen : hold;
        b0[i] = released;
        s0 += released - *(b0 + i - box);
        b1[i] = s0;
        s1 += s0 - *(b1 + i - box);
        b2[i] = s1;
        s2 += s1 - *(b2 + i - box);
        gains[i] = (double)s2;
    }
    envelope->sums[0] = s0;
    envelope->sums[1] = s1;
    envelope->sums[2] = s2;
    envelope->released = released;
    // As a distance from unity, so that unity comes out exactly.
    const double full = envelope->full, inverse = 1.0 / full;
    for (uint32_t i = 0; i < frames; ++i)
        gains[i] = 1.0 - (full - gains[i]) * inverse;
}
