// SPDX-License-Identifier: MIT
#include "dsp/level/loudness_list.h"
#include "dsp/level/lufs.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_STEPS = 4,              // 400 ms
    SHORT_TERM_STEPS = 30,        // 3 s
    BEGUN = SHORT_TERM_STEPS - 1, // steps whose windows are not whole yet
    LATEST_STEPS = 1024,          // kept of a track of over an hour
    HALVES = 1 << 16,             // values of half of a float
};

void loudness_list_init(struct loudness_list *list)
{
    *list = (struct loudness_list){.stride = 1};
}

void loudness_list_deinit(struct loudness_list *list)
{
    free(list->powers);
    free(list->thinned);
    loudness_tally_deinit(&list->blocks);
    loudness_tally_deinit(&list->short_terms);
    *list = (struct loudness_list){0};
}

static double mean_power(const float *powers, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; ++i)
        sum += (double)powers[i];
    return sum / count;
}

// Over an hour: windows are counted.
static int is_long(const struct loudness_list *list)
{
    return list->counted > 0;
}

// The first of the kept steps that begins a window which is not counted yet.
static uint32_t first_step(const struct loudness_list *list, uint32_t window)
{
    return is_long(list) ? SHORT_TERM_STEPS - window : 0;
}

// Whole windows that are not counted yet.
static uint32_t window_count(const struct loudness_list *list, uint32_t window)
{
    const uint32_t first = first_step(list, window);
    return list->count < first + window ? 0 : list->count - first - window + 1;
}

static double window_power(const struct loudness_list *list, uint32_t window, uint32_t i)
{
    return mean_power(list->powers + first_step(list, window) + i, window);
}

static void thin(struct loudness_list *list)
{
    list->stride *= 2;
    list->thinned_count = (list->thinned_count + 1) / 2;
    for (uint32_t i = 0; i < list->thinned_count; ++i)
        list->thinned[i] = list->thinned[(size_t)2 * i];
}

static void count_short_term(struct loudness_list *list, double power)
{
    loudness_tally_add(&list->short_terms, power);
    if (list->counted % list->stride == 0 && list->thinned_count == LOUDNESS_LIST_STEPS)
        thin(list);
    if (list->counted++ % list->stride == 0)
        list->thinned[list->thinned_count++] = (float)power;
}

// Count the windows of the kept steps, and go on with those steps that begin windows still to come.
static void count_windows(struct loudness_list *list)
{
    const uint32_t blocks = window_count(list, BLOCK_STEPS);
    const uint32_t short_terms = window_count(list, SHORT_TERM_STEPS);
    for (uint32_t i = 0; i < blocks; ++i)
        loudness_tally_add(&list->blocks, window_power(list, BLOCK_STEPS, i));
    for (uint32_t i = 0; i < short_terms; ++i)
        count_short_term(list, window_power(list, SHORT_TERM_STEPS, i));
    memmove(list->powers, list->powers + list->count - BEGUN, BEGUN * sizeof *list->powers);
    list->count = BEGUN;
}

// An hour is full: fewer steps will do from here on.
static int become_long(struct loudness_list *list)
{
    list->thinned = malloc(LOUDNESS_LIST_STEPS * sizeof *list->thinned);
    if (!list->thinned || loudness_tally_init(&list->blocks) ||
        loudness_tally_init(&list->short_terms))
        return -ENOMEM;
    count_windows(list);
    float *fewer = realloc(list->powers, LATEST_STEPS * sizeof *fewer);
    if (!fewer)
        return -ENOMEM;
    list->powers = fewer;
    list->capacity = LATEST_STEPS;
    return 0;
}

// Room for one more: all that is ever kept at once. A short track touches little of it.
static int make_room(struct loudness_list *list)
{
    if (list->count < list->capacity)
        return 0;
    if (is_long(list)) {
        count_windows(list);
        return 0;
    }
    if (list->capacity > 0)
        return become_long(list);
    list->powers = malloc(LOUDNESS_LIST_STEPS * sizeof *list->powers);
    if (!list->powers)
        return -ENOMEM;
    list->capacity = LOUDNESS_LIST_STEPS;
    return 0;
}

int loudness_list_add(struct loudness_list *list, double power)
{
    if (make_room(list))
        return -ENOMEM;
    list->powers[list->count++] = (float)power;
    return 0;
}

struct loudness_steps loudness_list_steps(const struct loudness_list *list)
{
    if (!is_long(list))
        return (struct loudness_steps){.powers = list->powers, .count = list->count};
    const uint32_t first = first_step(list, BLOCK_STEPS);
    return (struct loudness_steps){
        .earlier = &list->blocks,
        .powers = list->powers + first,
        .count = list->count - first,
    };
}

static void pass(struct loudness_passed *passed, double power, double gate)
{
    if (power > gate) {
        passed->sum += power;
        ++passed->count;
    }
}

enum { REACH = BLOCK_STEPS - 1 }; // steps before its last that a block covers

// Steps around a join: too few on either side for a block of its own.
struct seam {
    float powers[2 * REACH];
    uint32_t before;
};

// Add the blocks over a gate that begin in what came before and end in a track, and go on to the track's end.
static void pass_seam(struct loudness_passed *passed, struct seam *seam,
                      const struct loudness_steps *track, double gate)
{
    if (track->earlier) // its first steps are not kept
        seam->before = 0;
    const uint32_t after = track->count < REACH ? track->count : REACH;
    const uint32_t count = seam->before + after;
    if (after > 0)
        memcpy(seam->powers + seam->before, track->powers, after * sizeof *seam->powers);
    for (uint32_t i = 0; i + BLOCK_STEPS <= count; ++i)
        pass(passed, mean_power(seam->powers + i, BLOCK_STEPS), gate);
    seam->before = count < REACH ? count : REACH;
    const float *latest = track->count < REACH ? seam->powers + count - seam->before
                                               : track->powers + track->count - REACH;
    memmove(seam->powers, latest, seam->before * sizeof *seam->powers);
}

// Add the blocks of a track by itself over a gate.
static void pass_blocks(struct loudness_passed *passed, const struct loudness_steps *steps,
                        double gate)
{
    if (steps->earlier) {
        const struct loudness_passed earlier = loudness_tally_passed(steps->earlier, gate);
        passed->sum += earlier.sum;
        passed->count += earlier.count;
    }
    for (uint32_t i = 0; i + BLOCK_STEPS <= steps->count; ++i)
        pass(passed, mean_power(steps->powers + i, BLOCK_STEPS), gate);
}

double loudness_steps_integrated_lufs(const struct loudness_steps *tracks, uint32_t count)
{
    const double absolute = lufs_to_power(LUFS_ABSOLUTE_GATE);
    double gate = absolute, mean = 0;
    for (int stage = 0; stage < 2; ++stage) {
        struct loudness_passed passed = {0};
        struct seam seam = {.before = 0};
        for (uint32_t i = 0; i < count; ++i) {
            pass_seam(&passed, &seam, &tracks[i], gate);
            pass_blocks(&passed, &tracks[i], gate);
        }
        mean = passed.count ? passed.sum / passed.count : 0.0;
        gate = fmax(absolute, mean * 0.1);
    }
    return mean > 0 ? lufs_of_power(mean) : LUFS_ABSOLUTE_GATE;
}

static struct loudness_passed short_terms_passed(const struct loudness_list *list, double gate)
{
    struct loudness_passed passed = {0};
    if (is_long(list))
        passed = loudness_tally_passed(&list->short_terms, gate);
    for (uint32_t i = 0; i < window_count(list, SHORT_TERM_STEPS); ++i)
        pass(&passed, window_power(list, SHORT_TERM_STEPS, i), gate);
    return passed;
}

// The power that a short-term value has to exceed to count: -70 LUFS, and 20 LU under the mean.
static double short_term_gate(const struct loudness_list *list)
{
    const double absolute = lufs_to_power(LUFS_ABSOLUTE_GATE);
    const struct loudness_passed passed = short_terms_passed(list, absolute);
    return passed.count ? fmax(absolute, 0.01 * (passed.sum / passed.count)) : absolute;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// The short-term power over the gate with `rank` others under it. Positive floats order as their bits:
// one pass over the windows finds the upper half of those, another the lower half, without a list.
static double power_at(const struct loudness_list *list, double gate, uint32_t rank,
                       uint32_t counts[HALVES])
{
    uint32_t found = 0;
    for (uint32_t half_index = 0; half_index < 2; ++half_index) {
        const uint32_t shift = half_index ? 0 : 16;
        memset(counts, 0, HALVES * sizeof *counts);
        for (uint32_t i = 0; i < window_count(list, SHORT_TERM_STEPS); ++i) {
            const double power = window_power(list, SHORT_TERM_STEPS, i);
            const uint32_t bits = bits_of((float)power);
            if (power > gate && (shift || bits >> 16 == found >> 16))
                ++counts[bits >> shift & (HALVES - 1)];
        }
        uint32_t half = 0;
        while (counts[half] <= rank)
            rank -= counts[half++];
        found |= half << shift;
    }
    float power;
    memcpy(&power, &found, sizeof power);
    return (double)power;
}

// Powers of the two short-term values between which the range lies, by nearest rank.
struct ends {
    uint32_t low_rank, high_rank;
    double low, high;
};

static int find_ends(const struct loudness_list *list, double gate, struct ends *ends)
{
    uint32_t *counts = malloc(HALVES * sizeof *counts);
    if (!counts)
        return -ENOMEM;
    ends->low = power_at(list, gate, ends->low_rank, counts);
    ends->high = power_at(list, gate, ends->high_rank, counts);
    free(counts);
    return 0;
}

static int find_ends_of_long(const struct loudness_list *list, double gate, struct ends *ends)
{
    struct loudness_tally all;
    if (loudness_tally_copy(&all, &list->short_terms))
        return -ENOMEM;
    for (uint32_t i = 0; i < window_count(list, SHORT_TERM_STEPS); ++i)
        loudness_tally_add(&all, window_power(list, SHORT_TERM_STEPS, i));
    ends->low = loudness_tally_power_at(&all, gate, ends->low_rank);
    ends->high = loudness_tally_power_at(&all, gate, ends->high_rank);
    loudness_tally_deinit(&all);
    return 0;
}

int loudness_list_range_lu(const struct loudness_list *list, double *range_lu)
{
    *range_lu = 0;
    const double gate = short_term_gate(list);
    const uint32_t passed = short_terms_passed(list, gate).count;
    if (passed == 0)
        return 0;
    struct ends ends = {.low_rank = (uint32_t)floor((passed - 1) * 0.10 + 0.5),
                        .high_rank = (uint32_t)floor((passed - 1) * 0.95 + 0.5)};
    if (is_long(list) ? find_ends_of_long(list, gate, &ends) : find_ends(list, gate, &ends))
        return -ENOMEM;
    *range_lu = 10.0 * log10(ends.high / ends.low);
    return 0;
}

double loudness_list_variation_lu(const struct loudness_list *list)
{
    const double gate = short_term_gate(list);
    struct loudness_spread spread = {0}; // Welford's update: no cancellation
    if (is_long(list))
        spread = loudness_tally_spread(&list->short_terms, gate);
    for (uint32_t i = 0; i < window_count(list, SHORT_TERM_STEPS); ++i) {
        const double power = window_power(list, SHORT_TERM_STEPS, i);
        if (power <= gate)
            continue;
        const double lufs = lufs_of_power(power), delta = lufs - spread.mean;
        spread.mean += delta / ++spread.count;
        spread.squares += delta * (lufs - spread.mean);
    }
    return spread.count > 1 ? sqrt(spread.squares / spread.count) : 0.0;
}

// One window in so many is listed.
static uint32_t stride_of(const struct loudness_list *list)
{
    const uint32_t windows = list->counted + window_count(list, SHORT_TERM_STEPS);
    uint32_t stride = 1;
    while ((windows + stride - 1) / stride > LOUDNESS_LIST_STEPS)
        stride *= 2;
    return stride;
}

uint32_t loudness_list_short_term_count(const struct loudness_list *list)
{
    const uint32_t windows = list->counted + window_count(list, SHORT_TERM_STEPS);
    return (windows + stride_of(list) - 1) / stride_of(list);
}

static float listed(double power)
{
    return power > 0 ? (float)lufs_of_power(power) : -HUGE_VALF;
}

void loudness_list_short_term_fill(const struct loudness_list *list, float *out_lufs)
{
    const uint32_t stride = stride_of(list);
    for (uint32_t i = 0; i < list->thinned_count; i += stride / list->stride)
        *out_lufs++ = listed((double)list->thinned[i]);
    for (uint32_t i = 0; i < window_count(list, SHORT_TERM_STEPS); ++i)
        if ((list->counted + i) % stride == 0)
            *out_lufs++ = listed(window_power(list, SHORT_TERM_STEPS, i));
}
