// SPDX-License-Identifier: MIT
#include "dsp/level/loudness_list.h"
#include "dsp/aligned.h"
#include "dsp/level/lufs.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_STEPS = 4,                          // 400 ms
    REACH = BLOCK_STEPS - 1,                  // steps before its last that a block covers
    SHORT_TERM_STEPS = LOUDNESS_WINDOW_STEPS, // 3 s
    DIGIT_BITS = 11,                          // of the bits of a float, a third
    DIGIT_VALUES = 1 << DIGIT_BITS,
};

void loudness_list_init(struct loudness_list *list)
{
    *list = (struct loudness_list){.stride = 1};
}

void loudness_list_deinit(struct loudness_list *list)
{
    free(list->powers);
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

// Whole windows of the steps of a track of up to an hour.
static uint32_t window_count(const struct loudness_list *list, uint32_t window)
{
    return is_long(list) || list->count < window ? 0 : list->count - window + 1;
}

static double window_power(const struct loudness_list *list, uint32_t window, uint32_t i)
{
    return mean_power(list->powers + i, window);
}

// Half as many windows of a longer track.
static void thin(struct loudness_list *list)
{
    list->stride *= 2;
    list->count = (list->count + 1) / 2;
    for (uint32_t i = 0; i < list->count; ++i)
        list->powers[i] = list->powers[(size_t)2 * i];
}

static void count_short_term(struct loudness_list *list, double power)
{
    loudness_tally_add(&list->short_terms, power);
    if (list->counted % list->stride == 0 && list->count == LOUDNESS_LIST_STEPS)
        thin(list);
    if (list->counted++ % list->stride == 0)
        list->powers[list->count++] = (float)power;
}

static int make_tallies(struct loudness_list *list)
{
    int error = list->blocks.steps ? 0 : loudness_tally_init(&list->blocks);
    if (!error && !list->short_terms.steps)
        error = loudness_tally_init(&list->short_terms);
    return error;
}

// An hour is full: its windows take the place of its steps, of which the last go on.
static int become_long(struct loudness_list *list)
{
    if (make_tallies(list))
        return -ENOMEM;
    const uint32_t blocks = window_count(list, BLOCK_STEPS);
    const uint32_t short_terms = window_count(list, SHORT_TERM_STEPS);
    for (uint32_t i = 0; i < blocks; ++i)
        loudness_tally_add(&list->blocks, window_power(list, BLOCK_STEPS, i));
    const float *last = list->powers + list->count - LOUDNESS_LATEST_STEPS;
    memcpy(list->latest, last, sizeof list->latest);
    list->count = 0;
    for (uint32_t i = 0; i < short_terms; ++i) // each is written where none to come begins
        count_short_term(list, window_power(list, SHORT_TERM_STEPS, i));
    return 0;
}

// Count the windows that end with a step.
static void count_step(struct loudness_list *list, float power)
{
    float steps[SHORT_TERM_STEPS];
    memcpy(steps, list->latest, sizeof list->latest);
    steps[SHORT_TERM_STEPS - 1] = power;
    loudness_tally_add(&list->blocks,
                       mean_power(steps + SHORT_TERM_STEPS - BLOCK_STEPS, BLOCK_STEPS));
    count_short_term(list, mean_power(steps, SHORT_TERM_STEPS));
    memcpy(list->latest, steps + 1, sizeof list->latest);
}

static int make_room(struct loudness_list *list)
{
    if (!list->powers) // a short track touches little of it
        list->powers = malloc(LOUDNESS_LIST_STEPS * sizeof *list->powers);
    return list->powers ? 0 : -ENOMEM;
}

int loudness_list_reserve(struct loudness_list *list)
{
    list->powers = aligned_zeroed(LOUDNESS_LIST_STEPS * sizeof *list->powers);
    return list->powers ? make_tallies(list) : -ENOMEM;
}

int loudness_list_add(struct loudness_list *list, double power)
{
    if (make_room(list))
        return -ENOMEM;
    if (!is_long(list) && list->count < LOUDNESS_LIST_STEPS) {
        list->powers[list->count++] = (float)power;
        return 0;
    }
    if (!is_long(list) && become_long(list))
        return -ENOMEM;
    count_step(list, (float)power);
    return 0;
}

struct loudness_steps loudness_list_steps(const struct loudness_list *list)
{
    if (!is_long(list))
        return (struct loudness_steps){.powers = list->powers, .count = list->count};
    return (struct loudness_steps){
        .earlier = &list->blocks,
        .powers = list->latest + LOUDNESS_LATEST_STEPS - REACH,
        .count = REACH,
    };
}

static void pass(struct loudness_passed *passed, double power, double gate)
{
    if (power > gate) {
        passed->sum += power;
        ++passed->count;
    }
}

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

// The short-term power over the gate with `rank` others under it. Positive floats order as their bits: a pass over the
// windows finds a digit of those, without a list.
static double power_at(const struct loudness_list *list, double gate, uint32_t rank)
{
    uint64_t found = 0;
    for (int shift = 2 * DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS) {
        uint32_t counts[DIGIT_VALUES] = {0}, digit = 0;
        for (uint32_t i = 0; i < window_count(list, SHORT_TERM_STEPS); ++i) {
            const double power = window_power(list, SHORT_TERM_STEPS, i);
            const uint64_t bits = bits_of((float)power);
            if (power > gate && bits >> (shift + DIGIT_BITS) == found >> (shift + DIGIT_BITS))
                ++counts[bits >> shift & (DIGIT_VALUES - 1)];
        }
        while (counts[digit] <= rank)
            rank -= counts[digit++];
        found |= (uint64_t)digit << shift;
    }
    const uint32_t bits = (uint32_t)found;
    float power;
    memcpy(&power, &bits, sizeof power);
    return (double)power;
}

// The same of a track of any length.
static double short_term_at(const struct loudness_list *list, double gate, uint32_t rank)
{
    return is_long(list) ? loudness_tally_power_at(&list->short_terms, gate, rank)
                         : power_at(list, gate, rank);
}

double loudness_list_range_lu(const struct loudness_list *list)
{
    const double gate = short_term_gate(list);
    const uint32_t passed = short_terms_passed(list, gate).count;
    if (passed == 0)
        return 0;
    const double low = short_term_at(list, gate, (uint32_t)floor((passed - 1) * 0.10 + 0.5));
    const double high = short_term_at(list, gate, (uint32_t)floor((passed - 1) * 0.95 + 0.5));
    return 10.0 * log10(high / low);
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

uint32_t loudness_list_short_term_count(const struct loudness_list *list)
{
    return is_long(list) ? list->count : window_count(list, SHORT_TERM_STEPS);
}

static float listed(double power)
{
    return power > 0 ? (float)lufs_of_power(power) : -HUGE_VALF;
}

void loudness_list_short_term_fill(const struct loudness_list *list, float *out_lufs)
{
    const uint32_t count = loudness_list_short_term_count(list);
    for (uint32_t i = 0; i < count; ++i)
        out_lufs[i] = listed(is_long(list) ? (double)list->powers[i]
                                           : window_power(list, SHORT_TERM_STEPS, i));
}
