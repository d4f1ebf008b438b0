// SPDX-License-Identifier: MIT
#include "engine/audio/blend.h"
#include <assert.h>
#include <string.h>

static bool is_equal(struct blend_gains a, struct blend_gains b)
{
    return a.mastered == b.mastered && a.plain == b.plain;
}

RT_SAFE void blend_jump(struct blend *blend, struct blend_gains to)
{
    assert(to.mastered == 0.0f || to.plain == 0.0f);
    *blend = (struct blend){.from = to, .to = to};
}

/// Gains with `left` of `frames` frames to go. Without corners at either end: a straight line's are heard beside a
/// tone.
static struct blend_gains gains_at(const struct blend *b, uint32_t left, double per_frame)
{
    const double t = 1.0 - left * per_frame;
    const float s = (float)(t * t * t * (10.0 + t * (6.0 * t - 15.0)));
    return (struct blend_gains){b->from.mastered + s * (b->to.mastered - b->from.mastered),
                                b->from.plain + s * (b->to.plain - b->from.plain)};
}

RT_SAFE void blend_go(struct blend *blend, struct blend_gains to, uint32_t frames)
{
    assert(frames > 0 && (to.mastered == 0.0f || to.plain == 0.0f));
    if (is_equal(blend->to, to))
        return;
    const struct blend_gains now =
        blend->left ? gains_at(blend, blend->left, 1.0 / blend->frames) : blend->to;
    *blend = (struct blend){.from = now, .to = to, .frames = frames, .left = frames};
}

static void scale(float *out, const float *in, float gain, uint32_t frames)
{
    if (gain == 1.0f) {
        memcpy(out, in, 2 * (size_t)frames * sizeof(float));
        return;
    }
    for (size_t i = 0; i < 2 * (size_t)frames; i++)
        out[i] = gain * in[i];
}

static void mix(const struct blend *b, float *out, const float *mastered, const float *plain,
                uint32_t frames)
{
    const double per_frame = 1.0 / b->frames;
    for (uint32_t i = 0; i < frames; i++) {
        const struct blend_gains gains = gains_at(b, b->left - 1 - i, per_frame);
        for (size_t k = 2 * (size_t)i; k < 2 * (size_t)i + 2; k++)
            out[k] = gains.mastered * mastered[k] + gains.plain * plain[k];
    }
}

RT_SAFE void blend_process(struct blend *b, float *out, const float *mastered, const float *plain,
                           uint32_t frames)
{
    const bool has_both = b->from.plain > 0.0f || b->to.plain > 0.0f;
    const uint32_t n = frames < b->left ? frames : b->left;
    const size_t at = 2 * (size_t)n;
    if (n > 0)
        mix(b, out, mastered, has_both ? plain : mastered, n);
    b->left -= n;
    if (b->to.plain == 0.0f)
        scale(out + at, mastered + at, b->to.mastered, frames - n);
    else
        scale(out + at, plain + at, b->to.plain, frames - n);
}
