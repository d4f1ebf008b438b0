// SPDX-License-Identifier: MIT
#include "dsp/mastering/smooth_body.h"
#include "dsp/mastering/smooth_variants.h"

/// The running tick is complete: keep it in place of the oldest.
static void end_tick(struct smooth_window *w)
{
    float *suffix = w->suffixes + (size_t)w->slot * SMOOTH_TICK, least = 1.0F;
    for (int i = SMOOTH_TICK - 1; i >= 0; --i)
        suffix[i] = least = smooth_lower(least, w->running[i]);
    smooth_next_slot(w, least);
}

static void hold(struct smooth_window *w, float *held, const float *wanted, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        const float rest = w->suffixes[w->slot * SMOOTH_TICK + w->phase];
        float least = smooth_lower(smooth_middle(w), rest);
        w->running[w->phase] = wanted[i];
        for (uint32_t k = 0; k <= w->phase; ++k)
            least = smooth_lower(least, w->running[k]);
        held[i] = least;
        if (++w->phase == SMOOTH_TICK)
            end_tick(w);
    }
}

static void release(struct smooth_release *state, int32_t *out, const float *held, double share,
                    uint32_t frames)
{
    const double keep = 1.0 - share;
    double value = state->value;
    for (uint32_t i = 0; i < frames; ++i) {
        const double limit = (double)held[i] * SMOOTH_UNITY;
        value = fmin(limit, keep * value + share * (limit + SMOOTH_OVERSHOOT));
        out[i] = (int32_t)value;
    }
    state->value = value;
    state->share = share;
}

const struct smooth_impl smooth_impl_c = {"c", 0, hold, release, smooth_boxes};
