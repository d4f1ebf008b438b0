// SPDX-License-Identifier: MIT
#include "engine/blend.h"
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

// Without corners at either end: a straight line's are heard beside a tone.
static float share_done(const struct blend *b)
{
    if (b->left == 0)
        return 1.0f;
    const double t = 1.0 - (double)b->left / b->frames;
    return (float)(t * t * t * (10.0 + t * (6.0 * t - 15.0)));
}

static struct blend_gains gains_now(const struct blend *b)
{
    const float s = share_done(b);
    return (struct blend_gains){b->from.mastered + s * (b->to.mastered - b->from.mastered),
                                b->from.plain + s * (b->to.plain - b->from.plain)};
}

RT_SAFE void blend_go(struct blend *blend, struct blend_gains to, uint32_t frames)
{
    assert(frames > 0 && (to.mastered == 0.0f || to.plain == 0.0f));
    if (is_equal(blend->to, to))
        return;
    *blend = (struct blend){.from = gains_now(blend), .to = to, .frames = frames, .left = frames};
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

static void mix(float *out, const float *mastered, const float *plain, struct blend_gains gains)
{
    for (size_t side = 0; side < 2; side++)
        out[side] = gains.mastered * mastered[side] + gains.plain * plain[side];
}

RT_SAFE void blend_process(struct blend *b, float *out, const float *mastered, const float *plain,
                           uint32_t frames)
{
    size_t i = 0;
    const bool has_both = b->from.plain > 0.0f || b->to.plain > 0.0f;
    for (; i < frames && b->left > 0; i++) {
        b->left--;
        const struct blend_gains gains = gains_now(b);
        mix(out + 2 * i, mastered + 2 * i, has_both ? plain + 2 * i : mastered + 2 * i, gains);
    }
    const uint32_t rest = frames - (uint32_t)i;
    if (b->to.plain == 0.0f)
        scale(out + 2 * i, mastered + 2 * i, b->to.mastered, rest);
    else
        scale(out + 2 * i, plain + 2 * i, b->to.plain, rest);
}
