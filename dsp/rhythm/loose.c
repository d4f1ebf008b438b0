// SPDX-License-Identifier: MIT
// Dynamic programming over beats and the intervals before them: an interval costs by how much it differs from the one
// before.
#include "dsp/rhythm/loose.h"
#include "dsp/cpu.h"
#include "dsp/rhythm/beats.h"
#include "dsp/rhythm/onset.h"
#include "dsp/rhythm/onset_kernel.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

// Intervals reach from SHORTEST to LONGEST periods: a tempo that swings by a quarter, and a hand that is off.
#define SHORTEST 0.6
#define LONGEST  1.6
// What it costs per squared logarithm, in strengths of unit deviation, to change from one interval to the next and to
// be off the period. Of 6 to 30 and 1 to 10 these come closest to the stability of 112 songs whose tempo swings by 5 to
// 25 % within 4 to 30 s, or runs, or whose beats stray by up to 60 ms.
#define CHANGE_COST 8.0f
#define OFF_COST    2.0f
// In periods, how far from a line the beats of a track that is not steady lie: at such costs a syncope of a steady one
// is as good as a beat. Of 1,476 songs of steady tempo 1,396 are within.
#define LEAST_SPREAD 0.05
// In frames; notes that rise more slowly begin at no one of them, and chance would choose.
#define SLOWEST_RISE 2.0
// What the beats meet grows by this at least: by up to 55 % where the tempo moves.
#define LEAST_GAIN 1.03
// The mean interval is within this of the period, or another pulse was followed: 4/3 and 3/2 are other beats of a bar.
#define MOST_RATIO 1.28
#define UNREACHED  (-1e9f)
enum {
    LEAST_BEATS = 8,
    LEAST_CELLS = 16,            // of a period: a cell is one frame, of slow pulses a few
    INTERVALS = ONSET_INTERVALS, // from the shortest on
    RING = 64,   // cells: a power of two over the longest interval, 1.6 times 2 LEAST_CELLS
    START = 255, // no beat before
};
static_assert(5 * RING > 8 * 2 * LEAST_CELLS, "the beat before is still there");

struct search {
    const struct onset_impl *kernels;
    const uint16_t *strength;
    size_t frames;
    // --- cells of frames, as long as intervals are counted in
    size_t frames_per_cell, cells;
    size_t shortest, intervals;
    float change[INTERVALS][INTERVALS]; // cost by the interval before and the one after
    float off[INTERVALS];
    float *highest; // of a cell, less the mean, of unit deviation; owned
    // --- what leads to a beat by the interval before it: the interval before that; owned
    uint8_t (*from)[INTERVALS];
    // --- of the last RING cells: the best total for each interval that begins there, and the interval before
    float total[RING][INTERVALS];
    uint8_t before[RING][INTERVALS];
};

/// Strength around a frame: a beat between two frames shares its own among them.
static float strength_near(const uint16_t *strength, size_t frames, size_t t)
{
    const float left = t > 0 ? strength[t - 1] : 0.0f;
    const float right = t + 1 < frames ? strength[t + 1] : 0.0f;
    return 0.5f * strength[t] + 0.25f * (left + right);
}

static void fill_cells(struct search *s)
{
    double sum = 0.0, squares = 0.0;
    for (size_t t = 0; t < s->frames; t++) {
        const float here = strength_near(s->strength, s->frames, t);
        float *cell = &s->highest[t / s->frames_per_cell];
        *cell = here > *cell ? here : *cell;
        sum += here;
        squares += (double)here * here;
    }
    const double mean = sum / (double)s->frames;
    const double deviation = sqrt(fmax(1.0, squares / (double)s->frames - mean * mean));
    for (size_t i = 0; i < s->cells; i++)
        s->highest[i] = (float)((s->highest[i] - mean) / deviation);
}

static void set_costs(struct search *s, double period_cells)
{
    float logs[INTERVALS];
    for (size_t i = 0; i < INTERVALS; i++)
        logs[i] = (float)log((double)(s->shortest + i) / period_cells);
    for (size_t i = 0; i < INTERVALS; i++) {
        s->off[i] = OFF_COST * logs[i] * logs[i];
        for (size_t j = 0; j < INTERVALS; j++)
            s->change[i][j] = CHANGE_COST * (logs[i] - logs[j]) * (logs[i] - logs[j]);
    }
}

static int open_search(struct search *s, double period)
{
    s->frames_per_cell = (size_t)fmax(1.0, floor(period / LEAST_CELLS));
    s->cells = (s->frames - 1) / s->frames_per_cell + 1;
    const double period_cells = period / (double)s->frames_per_cell;
    s->shortest = (size_t)fmax(1.0, round(SHORTEST * period_cells));
    const size_t longest = (size_t)round(LONGEST * period_cells);
    s->intervals = longest - s->shortest + 1 < INTERVALS ? longest - s->shortest + 1 : INTERVALS;
    assert(s->shortest + s->intervals <= RING);
    set_costs(s, period_cells);
    s->highest = calloc(s->cells, sizeof(*s->highest));
    s->from = malloc(s->cells * sizeof(*s->from));
    if (!s->highest || !s->from)
        return -ENOMEM;
    fill_cells(s);
    return 0;
}

static void close_search(struct search *s)
{
    free(s->highest);
    free(s->from);
    free(s);
}

/// Totals of a beat in cell t, by the interval before it. @return the first of the highest
static size_t end_intervals(struct search *s, size_t t, float totals[INTERVALS])
{
    size_t best = 0;
    for (size_t i = 0; i < INTERVALS; i++)
        totals[i] = UNREACHED;
    for (size_t i = 0; i < s->intervals; i++) {
        const size_t interval = s->shortest + i, begin = (t - interval) % RING;
        const int goes_on = t >= interval && s->total[begin][i] > 0.0f;
        s->from[t][i] = goes_on ? s->before[begin][i] : START;
        totals[i] = (goes_on ? s->total[begin][i] : 0.0f) - s->off[i] + s->highest[t];
        best = totals[i] > totals[best] ? i : best;
    }
    return best;
}

/// Go on from a beat in cell t, by the interval before it, to the best for each interval after it.
static void begin_intervals(struct search *s, size_t t, const float totals[INTERVALS])
{
    s->kernels->best_changes(s->total[t % RING], s->before[t % RING], totals, s->change,
                             (uint32_t)s->intervals);
}

struct path_end {
    size_t cell, interval;
};

static struct path_end find_path(struct search *s)
{
    struct path_end end = {0};
    float highest = 0.0f;
    for (size_t t = 0; t < s->cells; t++) {
        float totals[INTERVALS];
        const size_t best = end_intervals(s, t, totals);
        if (totals[best] > highest) {
            highest = totals[best];
            end = (struct path_end){t, best};
        }
        begin_intervals(s, t, totals);
    }
    return end;
}

/// The frame of a cell where the strength is highest.
static double place_of(const struct search *s, size_t cell)
{
    size_t best = cell * s->frames_per_cell;
    const size_t end = best + s->frames_per_cell;
    for (size_t t = best + 1; t < end && t < s->frames; t++)
        if (strength_near(s->strength, s->frames, t) > strength_near(s->strength, s->frames, best))
            best = t;
    return (double)best;
}

/// Cells of the path from its end to its beginning, as frames in ascending order before `beats_end`, which may be
/// NULL. @return how many
static uint32_t trace(const struct search *s, struct path_end at, double *beats_end)
{
    uint32_t count = 0;
    for (;;) {
        count++;
        if (beats_end)
            *(beats_end - count) = place_of(s, at.cell);
        const uint8_t before = s->from[at.cell][at.interval];
        if (before == START)
            return count;
        at.cell -= s->shortest + at.interval;
        at.interval = before;
    }
}

static double mean_strength(const struct search *s, const double *beats, uint32_t count)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        const size_t t = (size_t)fmax(0.0, round(beats[i]));
        sum += strength_near(s->strength, s->frames, t < s->frames ? t : s->frames - 1);
    }
    return sum / count;
}

/// Does another path meet more, at the same level?
static int is_better(const struct search *s, double period, const double *beats, uint32_t count,
                     const double *others, uint32_t other_count)
{
    if (other_count < LEAST_BEATS)
        return 0;
    const double ratio = (others[other_count - 1] - others[0]) / (other_count - 1) / period;
    return ratio < MOST_RATIO && ratio > 1.0 / MOST_RATIO &&
           mean_strength(s, others, other_count) > LEAST_GAIN * mean_strength(s, beats, count);
}

/// Is a path other than that of the beats so far worth looking for?
static int may_be_loose(const struct search *s, const double *beats, uint32_t count, double period,
                        int *answer)
{
    *answer = 0;
    if (s->frames > ONSET_PART_FRAMES || count < LEAST_BEATS)
        return 0;
    struct beat_line line;
    const int error = beats_fit(beats, count, period, &line);
    *answer = !error && line.spread >= LEAST_SPREAD &&
              beats_rise(s->strength, s->frames, beats, count) <= SLOWEST_RISE;
    return error;
}

/// The other path, in *out, which the caller free()s.
static int find_others(struct search *s, double period, double **out, uint32_t *count)
{
    if (open_search(s, period))
        return -ENOMEM;
    const struct path_end end = find_path(s);
    *count = trace(s, end, NULL);
    *out = malloc(*count * sizeof(**out));
    if (!*out)
        return -ENOMEM;
    trace(s, end, *out + *count);
    return 0;
}

int loose_follow(const uint16_t *strength, size_t frames, double period_frames, double **beats,
                 uint32_t *count, int *is_loose)
{
    assert(period_frames >= 2.0);
    *is_loose = 0;
    struct search *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->kernels = onset_select(cpu_flags());
    s->strength = strength;
    s->frames = frames;
    double *others = NULL;
    uint32_t other_count = 0;
    int is_worth;
    int error = may_be_loose(s, *beats, *count, period_frames, &is_worth);
    if (!error && is_worth)
        error = find_others(s, period_frames, &others, &other_count);
    if (!error && others && is_better(s, period_frames, *beats, *count, others, other_count)) {
        double *const old = *beats;
        beats_refine(strength, frames, others, other_count);
        *beats = others;
        *count = other_count;
        *is_loose = 1;
        others = old;
    }
    free(others);
    close_search(s);
    return error;
}
