// SPDX-License-Identifier: MIT
// The width stage in three passes, so that only what has to go frame by frame does. Each .c that includes it compiles
// it for its instruction set.
#pragma once
#include "dsp/mastering/width.h"
#include <string.h>

enum { WIDTH_PIECE = 256 };

static const double WIDTH_DENORMAL_GUARD = 1e-20; // -400 dB: keeps the tails off the denormals

typedef double width_lanes __attribute__((vector_size(32)));

static inline void width_take_sides(double *sides, const double *stereo, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i)
        sides[i] = stereo[(size_t)2 * i] - stereo[(size_t)2 * i + 1];
}

/// sides[i] becomes the part of the side signal that is above the bass.
static inline void width_split(struct width *width, double coefficient, double *sides,
                               uint32_t frames)
{
    double low = width->low[0], lower = width->low[1];
    const double keep = 1.0 - coefficient;
    for (uint32_t i = 0; i < frames; ++i) {
        low = keep * low + (coefficient * sides[i] + WIDTH_DENORMAL_GUARD);
        const double high = sides[i] - low;
        lower = keep * lower + coefficient * high;
        sides[i] = high - lower;
    }
    width->low[0] = low;
    width->low[1] = lower;
}

/// Add half of what the side signal gains to one channel, take it off the other, and scale both.
static inline void width_apply(double *stereo, const double *sides,
                               const struct width_numbers *numbers, uint32_t frames)
{
    const double extra = 0.5 * (numbers->side_gain - 1.0), gain = numbers->gain;
    const width_lanes signs = {extra, -extra, extra, -extra};
    uint32_t i = 0;
    for (; i + 2 <= frames; i += 2) {
        width_lanes both, added = {sides[i], sides[i], sides[i + 1], sides[i + 1]};
        memcpy(&both, stereo + (size_t)2 * i, sizeof both);
        both = (both + added * signs) * gain;
        memcpy(stereo + (size_t)2 * i, &both, sizeof both);
    }
    if (i < frames) {
        stereo[(size_t)2 * i] = (stereo[(size_t)2 * i] + sides[i] * extra) * gain;
        stereo[(size_t)2 * i + 1] = (stereo[(size_t)2 * i + 1] - sides[i] * extra) * gain;
    }
}

/// The same with gains on their way.
static inline void width_apply_gliding(double *restrict stereo, const double *restrict sides,
                                       const struct width_way *way, const double *restrict shares,
                                       uint32_t frames)
{
    const double side = way->from.side_gain - 1.0,
                 side_more = way->to.side_gain - way->from.side_gain;
    const double gain = way->from.gain, gain_more = way->to.gain - gain;
    for (uint32_t i = 0; i < frames; ++i) {
        const double added = sides[i] * (0.5 * (side + shares[i] * side_more));
        const double scale = gain + shares[i] * gain_more;
        stereo[(size_t)2 * i] = (stereo[(size_t)2 * i] + added) * scale;
        stereo[(size_t)2 * i + 1] = (stereo[(size_t)2 * i + 1] - added) * scale;
    }
}

static inline void width_glide_all(struct width *width, const struct width_way *way,
                                   const double *shares, double *stereo, uint32_t frames)
{
    double sides[WIDTH_PIECE];
    for (uint32_t at = 0, count; at < frames; at += count) {
        count = frames - at < WIDTH_PIECE ? frames - at : WIDTH_PIECE;
        double *piece = stereo + (size_t)2 * at;
        width_take_sides(sides, piece, count);
        width_split(width, way->from.coefficient, sides, count);
        width_apply_gliding(piece, sides, way, shares + at, count);
    }
}

static inline void width_process_all(struct width *width, const struct width_numbers *numbers,
                                     double *stereo, uint32_t frames)
{
    double sides[WIDTH_PIECE];
    while (frames > 0) {
        const uint32_t count = frames < WIDTH_PIECE ? frames : WIDTH_PIECE;
        width_take_sides(sides, stereo, count);
        width_split(width, numbers->coefficient, sides, count);
        width_apply(stereo, sides, numbers, count);
        stereo += (size_t)2 * count;
        frames -= count;
    }
}
