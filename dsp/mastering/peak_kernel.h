// SPDX-License-Identifier: MIT
// The one body of every peak variant: each .c that includes it compiles it for its instruction set.
// Lanes are frames, so no sum changes its order and no result its bits.
#pragma once
#include "dsp/mastering/peak_filters.h"

// Frames in groups of PEAK_LANES, beginning so many groups before the newest frames as the taps reach back:
//
//      |  before   | first newest ..           |
//      | 0 | 1 | 2 | 3 |  ..                   | groups of the survey
//              `---' the middle samples of the outputs of group 3
//      `---------------' all samples of these
// Whole groups hold the taps of the first frame.
#define PEAK_BEFORE(taps) (((taps) + PEAK_LANES - 1) / PEAK_LANES * PEAK_LANES)
enum { PEAK_GROUPS = (PEAK_BEFORE(PEAK_MAX_TAPS) + PEAK_PIECE) / PEAK_LANES };
static_assert(PEAK_PIECE / PEAK_LANES < 32, "groups are bits");

enum { PEAK_MOST_SINGLE = 5 };            // frames that are read one by one before a whole group is
static const float PEAK_ORDER = 1.00001F; // more than another order of sums makes of an output

/// What proves that outputs are small: by group, of both sides.
struct peak_survey {
    float samples[PEAK_GROUPS]; // the largest magnitude
    float bends[PEAK_GROUPS];   // the largest second difference with the two samples before
};

static void peak_look(struct peak_survey *survey, const float *const sides[PEAK_SIDES],
                      uint32_t before, uint32_t frames)
{
    for (uint32_t at = 0; at < before + frames; at += PEAK_LANES) {
        peak_lanes samples = {0}, bends = {0};
        for (int part = 0; part < PEAK_LANES; part += LANES)
            for (int c = 0; c < PEAK_SIDES; ++c) {
                const float *x = sides[c] + at - before + part;
                peak_lanes now, last, second;
                peak_load(&now, x);
                peak_load(&last, x - 1);
                peak_load(&second, x - 2);
                second = (now - last) - (last - second);
                peak_magnitude(&now);
                peak_magnitude(&second);
                peak_larger(&samples, &now);
                peak_larger(&bends, &second);
            }
        const uint32_t group = at / PEAK_LANES;
        peak_largest(&survey->samples[group], &survey->bends[group], &samples, &bends);
    }
}

/// What is known of each group's outputs.
struct peak_known {
    float largest[PEAK_PIECE / PEAK_LANES]; // of the samples beside them, or of what was read
    float bends[PEAK_PIECE / PEAK_LANES];   // the largest second difference
};

static inline void peak_higher(float *restrict x, const float *restrict y)
{
    for (uint32_t i = 0; i < PEAK_PIECE / PEAK_LANES; ++i)
        x[i] = y[i] > x[i] ? y[i] : x[i];
}

static inline void peak_gather(struct peak_known *known, const struct peak_survey *survey,
                               uint32_t taps)
{
    const uint32_t before = PEAK_BEFORE(taps);
    const float *middle = survey->samples + (before - taps / 2) / PEAK_LANES;
    memcpy(known->largest, middle, sizeof known->largest);
    peak_higher(known->largest, middle + 1);
    memcpy(known->bends, survey->bends, sizeof known->bends);
    for (uint32_t k = 1; k <= before / PEAK_LANES; ++k)
        peak_higher(known->bends, survey->bends + k);
}

/// @return a bit for each group whose outputs are not proven to be at most `floor`.
static inline uint32_t peak_doubts(const struct peak_bound *bound, const struct peak_known *known,
                                   float floor)
{
    uint32_t doubts = 0;
    for (uint32_t i = 0; i < PEAK_PIECE / PEAK_LANES; ++i) {
        const float most = bound->straight * known->largest[i] + bound->bent * known->bends[i];
        doubts |= (uint32_t) !(most <= floor) << i;
    }
    return doubts;
}

/// Raise out[] by a bank's outputs, in those groups that have a bit.
static inline void peak_raise_groups(uint32_t groups, const struct peak_bank *bank, uint32_t taps,
                                     float *out, const float *const sides[PEAK_SIDES])
{
    for (; groups; groups &= groups - 1) {
        const uint32_t first = (uint32_t)__builtin_ctz(groups) * PEAK_LANES;
        for (uint32_t i = first; i < first + PEAK_LANES; i += LANES) {
            const float *newest[PEAK_SIDES] = {sides[0] + i, sides[1] + i};
            peak_lanes largest;
            memcpy(&largest, out + i, sizeof largest);
            peak_read(&largest, bank, taps, newest);
            memcpy(out + i, &largest, sizeof largest);
        }
    }
}

/// The sum of squares of the second differences of all samples that the sharp outputs of a group are of.
static inline float peak_roughness(const float *newest)
{
    peak_lanes sums = {0};
    for (int k = -PEAK_MAX_TAPS; k < PEAK_LANES; k += LANES) {
        peak_lanes now, last, second;
        memcpy(&now, newest + k, sizeof now);
        memcpy(&last, newest + k - 1, sizeof last);
        memcpy(&second, newest + k - 2, sizeof second);
        second = (now - last) - (last - second);
        sums += second * second;
    }
    return peak_sum(&sums);
}

/// Frames of one side of a group that are doubted.
struct peak_doubt {
    uint32_t group, side, frames;
};

// Nothing branches on what was just read: that would have to be there first. What is in doubt goes on a list for the
// next, dearer proof.
struct peak_list {
    struct peak_doubt all[PEAK_SIDES * (PEAK_PIECE / PEAK_LANES) + 1];
    uint32_t count;
};

static inline void peak_note(struct peak_list *list, uint32_t group, uint32_t side, uint32_t frames)
{
    list->all[list->count] = (struct peak_doubt){group, side, frames};
    list->count += frames != 0;
}

/// The loudest of the samples and quick outputs around each frame.
struct peak_around {
    float side[PEAK_SIDES][PEAK_PIECE];
};

/// @return the frames of a group whose sharp outputs may be over `floor`, being at most so much beyond what is around.
static inline uint32_t peak_doubted(const float *around, float straight, float beyond, float floor)
{
    uint32_t frames = 0;
    for (int i = 0; i < PEAK_LANES; i += LANES) {
        peak_lanes most;
        memcpy(&most, around + i, sizeof most);
        most = straight * most + beyond;
        frames |= peak_lanes_over(&most, floor) << i;
    }
    return frames;
}

/// Raise out[] by the ITU's outputs of a group, and find the quick ones.
static inline void peak_read_quick(struct peak_around *around, uint32_t first,
                                   const struct peak_reader *reader, float *out,
                                   const float *const sides[PEAK_SIDES])
{
    const uint32_t back = PEAK_QUICK_TAPS - 1 + (PEAK_MAX_TAPS - PEAK_QUICK_TAPS) / 2;
    for (uint32_t i = first; i < first + PEAK_LANES; i += LANES) {
        peak_lanes itu, quick[PEAK_SIDES] = {{0}};
        memcpy(&itu, out + i, sizeof itu);
        for (int c = 0; c < PEAK_SIDES; c += SIDES) {
            const float *oldest[SIDES];
            for (int k = 0; k < SIDES; ++k)
                oldest[k] = sides[c + k] + i - back;
            peak_quick_outputs(&itu, quick + c, reader, oldest);
        }
        memcpy(out + i, &itu, sizeof itu);
        for (int c = 0; c < PEAK_SIDES; ++c) {
            peak_raise_to(&quick[c], sides[c] + i - PEAK_MAX_TAPS / 2);
            peak_raise_to(&quick[c], sides[c] + i - PEAK_MAX_TAPS / 2 + 1);
            memcpy(around->side[c] + i, &quick[c], sizeof quick[c]);
        }
    }
}

/// Whether a doubted frame is over `floor`, if so few are read one by one: that takes a fraction of what a whole group
/// does, and most are not.
static inline int peak_has_over(const struct peak_reader *reader, const struct peak_doubt *doubt,
                                const float *side, float floor)
{
    if (__builtin_popcount(doubt->frames) > PEAK_MOST_SINGLE)
        return 1;
    const float *oldest = side + doubt->group * PEAK_LANES - (PEAK_MAX_TAPS - 1);
    int over = 0;
    for (uint32_t left = doubt->frames; left; left &= left - 1)
        over |= !(PEAK_ORDER * peak_read_single(reader, oldest + __builtin_ctz(left)) <= floor);
    return over;
}

/// Raise out[] by the ITU's outputs. @return those of `groups` that have a sharp output not proven to be at most
/// `floor`.
static inline uint32_t peak_keep_doubts(uint32_t groups, const struct peak_reader *reader,
                                        const struct peak_known *known, float *out,
                                        const float *const sides[PEAK_SIDES], float floor)
{
    const struct peak_bound *near = &reader->near;
    struct peak_around around;
    struct peak_list quick, rough;
    quick.count = rough.count = 0;
    for (uint32_t left = groups; left; left &= left - 1) {
        const uint32_t group = (uint32_t)__builtin_ctz(left), first = group * PEAK_LANES;
        peak_read_quick(&around, first, reader, out, sides);
        for (uint32_t c = 0; c < PEAK_SIDES; ++c)
            peak_note(&quick, group, c,
                      peak_doubted(around.side[c] + first, near->straight,
                                   near->bent * known->bends[group], floor));
    }
    for (uint32_t i = 0; i < quick.count; ++i) {
        const struct peak_doubt *doubt = &quick.all[i];
        const uint32_t first = doubt->group * PEAK_LANES;
        const float beyond = near->rough * sqrtf(peak_roughness(sides[doubt->side] + first));
        peak_note(&rough, doubt->group, doubt->side,
                  doubt->frames & peak_doubted(around.side[doubt->side] + first, near->straight,
                                               beyond, floor));
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rough.count; ++i)
        kept |= (uint32_t)peak_has_over(reader, &rough.all[i], sides[rough.all[i].side], floor)
                << rough.all[i].group;
    return kept;
}

static void peak_raise(const struct peak_reader *reader, float *out,
                       const float *const sides[PEAK_SIDES], uint32_t frames, float floor)
{
    struct peak_survey survey;
    struct peak_known known;
    assert(frames <= PEAK_PIECE);
    memset(&survey, 0, sizeof survey);
    peak_look(&survey, sides, PEAK_BEFORE(reader->taps), frames);
    peak_gather(&known, &survey, reader->taps);
    // Behind the last frame there is nothing.
    const uint32_t count = (frames + PEAK_LANES - 1) / PEAK_LANES;
    const uint32_t groups = peak_doubts(&reader->known, &known, floor) & ((1U << count) - 1);
    if (reader->sharp.taps == 0)
        peak_raise_groups(groups, &reader->itu, reader->taps, out, sides);
    else if (groups)
        peak_raise_groups(peak_keep_doubts(groups, reader, &known, out, sides, floor),
                          &reader->sharp, reader->taps, out, sides);
}
