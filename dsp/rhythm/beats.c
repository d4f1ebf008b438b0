// SPDX-License-Identifier: MIT
#include "dsp/rhythm/beats.h"
#include "dsp/cpu.h"
#include "dsp/rhythm/onset_kernel.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// How much an interval away from the period costs, against strengths of unit deviation (Ellis 2007).
#define TIGHTNESS 100.0
// Two fifths of the intervals are a tempo of their own where they range over this much of what most do, and all lie in
// this much of the track: where a tempo swings, those of its slow or fast turns are as much alike.
#define CLUSTER_SHARE 0.35
#define STRETCH_SHARE 0.75
// Paths to any two late frames have met long before BACK_FRAMES / 2 frames earlier, a minute or more.
// A rise is followed back this far, and told in these steps.
enum { RISE_MAX = 6, RISE_STEPS = 16 };
enum {
    RING_FRAMES = 1024,
    LANES = ONSET_LANES,
    SMOOTH_REACH = 4,
    BACK_FRAMES = 1 << 14,
    FIRST_BEATS = 256
};

struct search {
    const uint16_t *strength;
    size_t frames;
    double period;
    double scale; // of one stored unit, so that the strengths have deviation 1
    double kernel[SMOOTH_REACH + 1];
    const struct drift *drift;
};

static double deviation(const uint16_t *strength, size_t frames)
{
    double sum = 0.0, squares = 0.0;
    for (size_t t = 0; t < frames; t++) {
        sum += strength[t];
        squares += (double)strength[t] * strength[t];
    }
    const double mean = sum / (double)frames;
    return sqrt(fmax(0.0, squares / (double)frames - mean * mean));
}

/// Strength under a Gaussian 1/32 of a period wide, so that a beat may be a little off.
static double smoothed(const struct search *s, size_t t)
{
    const uint16_t *here = s->strength + t;
    const int is_inside = t >= SMOOTH_REACH && t + SMOOTH_REACH < s->frames;
    double sum = s->kernel[0] * *here;
    for (size_t k = 1; k <= SMOOTH_REACH; k++) {
        if (is_inside || t >= k)
            sum += s->kernel[k] * *(here - k);
        if (is_inside || t + k < s->frames)
            sum += s->kernel[k] * here[k];
    }
    return sum * s->scale;
}

/// Top of the strength curve near a beat, by a parabola through three frames.
static double refine(const uint16_t *strength, size_t frames, size_t t)
{
    size_t top = t;
    for (size_t near = t ? t - 1 : 0; near <= t + 1 && near < frames; near++)
        if (strength[near] > strength[top])
            top = near;
    if (top == 0 || top + 1 >= frames)
        return (double)top;
    const double left = strength[top - 1], right = strength[top + 1];
    const double curve = left - 2.0 * strength[top] + right;
    if (curve >= 0.0 || left > strength[top] || right > strength[top])
        return (double)t;
    return (double)top + 0.5 * (left - right) / curve;
}

/// The best paths, kept for the last BACK_FRAMES frames, and the beats that are settled.
struct chain {
    // --- distance from frame t to the beat before it (0: none), at t modulo BACK_FRAMES
    uint16_t *back;
    // --- beats before frame `settled`
    size_t settled;
    uint32_t count, capacity;
    double *beats;
};

static int make_room(struct chain *chain, uint32_t count)
{
    if (count <= chain->capacity)
        return 0;
    const uint32_t capacity = count + chain->capacity / 8 + FIRST_BEATS;
    double *longer = realloc(chain->beats, capacity * sizeof(*longer));
    if (!longer)
        return -ENOMEM;
    chain->beats = longer;
    chain->capacity = capacity;
    return 0;
}

/// Take over the beats before frame `limit` of the path that ends at `last`.
static int settle(struct chain *chain, const struct search *s, size_t last, size_t limit)
{
    size_t t = last;
    while (t >= limit && chain->back[t % BACK_FRAMES])
        t -= chain->back[t % BACK_FRAMES];
    const size_t newest = t;
    uint32_t fresh = 0;
    while (t < limit && t >= chain->settled) {
        fresh++;
        if (chain->back[t % BACK_FRAMES] == 0)
            break;
        t -= chain->back[t % BACK_FRAMES];
    }
    chain->settled = limit;
    if (make_room(chain, chain->count + fresh))
        return -ENOMEM;
    chain->count += fresh;
    t = newest;
    for (uint32_t i = 1; i <= fresh; i++) {
        chain->beats[chain->count - i] = refine(s->strength, s->frames, t);
        t -= chain->back[t % BACK_FRAMES];
    }
    return 0;
}

/// The frame among the last `far` up to t where the best path ends; the later, the better.
static size_t best_end(const double *total, size_t t, size_t far)
{
    size_t best = t;
    for (size_t d = 1; d < far && d <= t; d++)
        if (total[(t - d) % RING_FRAMES] > total[best % RING_FRAMES])
            best = t - d;
    return best;
}

/// Totals of the last RING_FRAMES frames, each kept twice so that any window of them is one run, and what
/// an interval costs at each pace. Both run from the farthest beat before a frame to the nearest.
struct window {
    size_t near, far, length; // intervals; whole lanes
    const struct onset_impl *kernels;
    double total[2 * RING_FRAMES + LANES];
    double *penalties; // `length` for each pace; owned
};

static void set_penalties(const struct window *w, double period, double *penalties)
{
    for (size_t i = 0; i < w->length; i++) {
        const double interval = (double)w->far - (double)i;
        const int is_in = interval >= (double)w->near;
        penalties[i] = is_in ? TIGHTNESS * pow(log(interval / period), 2.0) : HUGE_VAL;
    }
}

static int open_window(struct window *w, double period, int is_steady)
{
    const double widest = is_steady ? 1.0 : drift_ratio(DRIFT_PACES - 1);
    const int paces = is_steady ? 1 : DRIFT_PACES;
    w->kernels = onset_select(cpu_flags());
    w->near = (size_t)fmax(1.0, round(period / 2.0 / widest));
    w->far = (size_t)round(period * 2.0 * widest);
    assert(w->far < RING_FRAMES);
    w->length = (w->far - w->near + 1 + LANES - 1) / LANES * LANES;
    for (size_t i = 0; i < 2 * RING_FRAMES + LANES; i++)
        w->total[i] = -HUGE_VAL; // no beat before the first frame
    w->penalties = malloc((size_t)paces * w->length * sizeof(*w->penalties));
    if (!w->penalties)
        return -ENOMEM;
    for (int pace = 0; pace < paces; pace++)
        set_penalties(w, is_steady ? period : period * drift_ratio(pace),
                      w->penalties + (size_t)pace * w->length);
    return 0;
}

/// The best way to a frame: the total there, and the interval to the beat before (0: it starts here).
static double step_back(const struct window *w, size_t t, const double *penalty, uint16_t *back)
{
    const double *total = w->total + (t + RING_FRAMES - w->far) % RING_FRAMES;
    uint32_t nearest; // of equally good ones
    const double best = w->kernels->best_step(total, penalty, (uint32_t)w->length, &nearest);
    *back = best > 0.0 ? (uint16_t)(w->far - nearest) : 0;
    return best;
}

/// Find the path of most strength and least deviation from the period, settling beats on the way.
static int link_beats(const struct search *s, struct window *w, struct chain *chain)
{
    for (size_t t = 0; t < s->frames; t++) {
        const size_t pace = s->drift->count ? (size_t)drift_at(s->drift, t) : 0;
        const double best =
            step_back(w, t, w->penalties + pace * w->length, &chain->back[t % BACK_FRAMES]);
        const size_t here = t % RING_FRAMES;
        w->total[here] = w->total[here + RING_FRAMES] = best + smoothed(s, t);
        const size_t done = t + 1;
        if (done >= BACK_FRAMES && done % (BACK_FRAMES / 2) == 0 &&
            settle(chain, s, best_end(w->total, t, w->far), done - BACK_FRAMES / 2))
            return -ENOMEM;
    }
    return settle(chain, s, best_end(w->total, s->frames - 1, w->far), s->frames);
}

static int search_beats(const struct search *s, struct chain *chain)
{
    struct window w;
    int error = open_window(&w, s->period, s->drift->count == 0);
    chain->back = malloc(BACK_FRAMES * sizeof(*chain->back));
    if (!error)
        error = chain->back ? link_beats(s, &w, chain) : -ENOMEM;
    free(chain->back);
    free(w.penalties);
    return error;
}

/// Drop the beats before the first and after the last that has something under it.
static void trim(const struct search *s, double *beats, uint32_t *count)
{
    double squares = 0.0;
    for (uint32_t i = 0; i < *count; i++)
        squares += pow(smoothed(s, (size_t)round(beats[i])), 2.0);
    const double least = 0.25 * sqrt(squares / *count);
    uint32_t begin = 0, end = *count;
    while (begin < end && smoothed(s, (size_t)round(beats[begin])) < least)
        begin++;
    while (end > begin && smoothed(s, (size_t)round(beats[end - 1])) < least)
        end--;
    for (uint32_t i = begin; i < end; i++)
        beats[i - begin] = beats[i];
    *count = end - begin;
}

int beats_find(const uint16_t *strength, size_t frames, double period_frames,
               const struct drift *drift, double **out, uint32_t *count)
{
    assert(period_frames >= 2.0 && 2.0 * period_frames < RING_FRAMES - 1);
    *out = NULL;
    *count = 0;
    const double unit = frames ? deviation(strength, frames) : 0.0;
    if (unit <= 0.0)
        return 0;
    const struct drift steady = {0};
    struct search s = {strength, frames, period_frames, 1.0 / unit, {1.0}, drift ? drift : &steady};
    for (int k = 1; k <= SMOOTH_REACH; k++)
        s.kernel[k] = exp(-0.5 * pow(k * 32.0 / period_frames, 2.0));
    struct chain chain = {0};
    const int error = search_beats(&s, &chain);
    if (error) {
        free(chain.beats);
        return error;
    }
    trim(&s, chain.beats, &chain.count);
    *out = chain.beats;
    *count = chain.count;
    return 0;
}

void beats_refine(const uint16_t *strength, size_t frames, double *beats, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        beats[i] = refine(strength, frames, (size_t)beats[i]);
}

void beats_shift(const uint16_t *strength, size_t frames, double share, double *beats,
                 uint32_t *count)
{
    assert(*count >= 2 && share > 0.0 && share < 1.0);
    uint32_t kept = 0;
    double before = 2.0 * beats[0] - beats[1];
    for (uint32_t i = 0; i < *count; i++) {
        const double place = round(before + share * (beats[i] - before));
        before = beats[i];
        if (place < 0.0)
            continue;
        const double moved = refine(strength, frames, (size_t)place);
        if (kept == 0 || moved > beats[kept - 1])
            beats[kept++] = moved;
    }
    *count = kept;
}

/// Frames from where the strength passes half of its height at t, on the way up, to t.
static double rise_before(const uint16_t *strength, size_t t)
{
    const double half = 0.5 * strength[t];
    size_t below = t;
    while (below > 0 && t - below < RISE_MAX && strength[below] > half)
        below--;
    const double step = (double)strength[below + 1] - strength[below];
    const double share = step > 0.0 ? (half - strength[below]) / step : 0.0;
    return (double)(t - below) - fmin(1.0, fmax(0.0, share));
}

double beats_rise(const uint16_t *strength, size_t frames, const double *beats, uint32_t count)
{
    assert(count > 0);
    uint32_t histogram[RISE_MAX * RISE_STEPS + 1] = {0}, used = 0;
    for (uint32_t i = 0; i < count; i++) {
        const size_t t = (size_t)fmax(0.0, round(beats[i]));
        if (t == 0 || t >= frames)
            continue;
        used++;
        histogram[(size_t)(fmin(RISE_MAX, rise_before(strength, t)) * RISE_STEPS)]++;
    }
    uint32_t below = 0, step = 0;
    while (step < RISE_MAX * RISE_STEPS && 2 * (below + histogram[step]) < used)
        below += histogram[step++];
    return (step + 0.5) / RISE_STEPS;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/// Put the value of a rank at its place, no higher one before it and no lower one behind it (Hoare 1961).
static void select_rank(double *list, ptrdiff_t count, ptrdiff_t rank)
{
    ptrdiff_t first = 0, last = count - 1;
    while (first < last) {
        const double pivot = list[rank];
        ptrdiff_t low = first, high = last;
        while (low <= high) {
            while (list[low] < pivot)
                low++;
            while (list[high] > pivot)
                high--;
            if (low > high)
                break;
            const double kept = list[low];
            list[low++] = list[high];
            list[high--] = kept;
        }
        first = high < rank ? low : first;
        last = low > rank ? high : last;
    }
}

/// Median; the list is put into another order.
static double median(double *list, uint32_t count)
{
    assert(count > 0);
    select_rank(list, count, count / 2);
    if (count % 2)
        return list[count / 2];
    double below = list[0];
    for (uint32_t i = 1; i < count / 2; i++)
        below = list[i] > below ? list[i] : below;
    return 0.5 * (below + list[count / 2]);
}

/// One least-squares pass over the beats within `reach` periods of the line so far.
static void improve_line(const double *beats, uint32_t count, double reach, struct beat_line *line)
{
    double number = 0.0, n = 0.0, sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0;
    const struct beat_line old = *line;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) // numbered from beat to beat, so that a drifting tempo does not slip
            number += fmax(1.0, round((beats[i] - beats[i - 1]) / old.period_frames));
        const double off = beats[i] - (old.first_frame + number * old.period_frames);
        if (fabs(off) > reach * old.period_frames)
            continue;
        const double y = beats[i] - beats[0];
        n += 1.0;
        sx += number;
        sy += y;
        sxx += number * number;
        sxy += number * y;
    }
    const double spread = n * sxx - sx * sx;
    if (n < 2.0 || spread <= 0.0)
        return;
    line->period_frames = (n * sxy - sx * sy) / spread;
    line->first_frame = beats[0] + (sy - line->period_frames * sx) / n;
}

static double residual_spread(const double *beats, double *list, uint32_t count,
                              const struct beat_line *line)
{
    for (uint32_t i = 0; i < count; i++) {
        const double place = (beats[i] - line->first_frame) / line->period_frames;
        list[i] = fabs(place - round(place));
    }
    return 1.4826 * median(list, count);
}

int beats_fit(const double *beats, uint32_t count, double period_frames, struct beat_line *out)
{
    assert(count >= 2);
    double *list = malloc(count * sizeof(*list));
    if (!list)
        return -ENOMEM;
    *out = (struct beat_line){beats[0], period_frames, 0.0};
    improve_line(beats, count, HUGE_VAL, out);
    for (int pass = 0; pass < 2; pass++) {
        out->spread = residual_spread(beats, list, count, out);
        improve_line(beats, count, fmax(3.0 * out->spread, 0.01), out);
    }
    out->spread = residual_spread(beats, list, count, out);
    free(list);
    return 0;
}

int beats_stability(const double *beats, uint32_t count, double *stability)
{
    *stability = 0.0;
    if (count < 3)
        return 0;
    const uint32_t intervals = count - 1;
    double *list = malloc(intervals * sizeof(*list));
    if (!list)
        return -ENOMEM;
    for (uint32_t i = 0; i < intervals; i++)
        list[i] = beats[i + 1] - beats[i];
    const double middle = median(list, intervals);
    for (uint32_t i = 0; i < intervals; i++)
        list[i] = fabs(list[i] - middle);
    *stability = 1.0 / (1.0 + 1.4826 * median(list, intervals) / middle);
    free(list);
    return 0;
}

/// How many intervals there are from the first to the last that is from `least` to `most` long.
static uint32_t stretch_of(const double *beats, uint32_t count, double least, double most)
{
    uint32_t first = count, last = 0;
    for (uint32_t i = 0; i + 1 < count; i++) {
        const double interval = beats[i + 1] - beats[i];
        if (interval < least || interval > most)
            continue;
        first = first < i ? first : i;
        last = i;
    }
    return last + 1 - first;
}

int beats_usual_interval(const double *beats, uint32_t count, double *interval)
{
    assert(count >= 2);
    const uint32_t intervals = count - 1, some = 2 * intervals / 5 + 1;
    double *list = malloc(intervals * sizeof(*list));
    if (!list)
        return -ENOMEM;
    for (uint32_t i = 0; i < intervals; i++)
        list[i] = beats[i + 1] - beats[i];
    qsort(list, intervals, sizeof(*list), compare);
    uint32_t first = 0;
    for (uint32_t i = 0; i + some <= intervals; i++)
        if (list[i + some - 1] - list[i] < list[first + some - 1] - list[first])
            first = i;
    const double alike = list[first + some - 1] - list[first];
    const double most = list[intervals - 1 - intervals / 10] - list[intervals / 10];
    const uint32_t stretch = stretch_of(beats, count, list[first], list[first + some - 1]);
    const int is_tempo = alike < CLUSTER_SHARE * most && stretch <= STRETCH_SHARE * intervals;
    *interval = is_tempo ? median(list + first, some) : median(list, intervals);
    free(list);
    return 0;
}
