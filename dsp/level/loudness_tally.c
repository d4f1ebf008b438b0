// SPDX-License-Identifier: MIT
#include "dsp/level/loudness_tally.h"
#include "dsp/aligned.h"
#include "dsp/level/lufs.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { STEPS_PER_LU = 128, RANGE_LU = 160, STEPS = RANGE_LU * STEPS_PER_LU };

int loudness_tally_init(struct loudness_tally *tally)
{
    tally->steps = aligned_zeroed(STEPS * sizeof *tally->steps);
    return tally->steps ? 0 : -ENOMEM;
}

void loudness_tally_deinit(struct loudness_tally *tally)
{
    free(tally->steps);
    tally->steps = NULL;
}

// In the middle of a step.
static double middle_of(uint32_t step)
{
    return lufs_to_power(LUFS_ABSOLUTE_GATE + (step + 0.5) / STEPS_PER_LU);
}

void loudness_tally_add(struct loudness_tally *tally, double power)
{
    if (power <= lufs_to_power(LUFS_ABSOLUTE_GATE))
        return;
    const double place = (lufs_of_power(power) - LUFS_ABSOLUTE_GATE) * STEPS_PER_LU;
    const uint32_t index = (uint32_t)fmin(STEPS - 1, fmax(0.0, place));
    struct loudness_step *step = &tally->steps[index];
    ++step->count;
    step->excess += (float)(power / middle_of(index) - 1.0);
}

// Mean power of the windows of a step that has some.
static double mean_of(const struct loudness_tally *tally, uint32_t index)
{
    const struct loudness_step *step = &tally->steps[index];
    return middle_of(index) * (1.0 + (double)step->excess / step->count);
}

// The first step with windows that lie over a gate in the mean.
static uint32_t first_over(const struct loudness_tally *tally, double gate)
{
    uint32_t index = 0;
    while (index < STEPS && (tally->steps[index].count == 0 || mean_of(tally, index) <= gate))
        ++index;
    return index;
}

struct loudness_passed loudness_tally_passed(const struct loudness_tally *tally, double gate)
{
    struct loudness_passed passed = {0};
    for (uint32_t index = first_over(tally, gate); index < STEPS; ++index) {
        const uint32_t count = tally->steps[index].count;
        if (count == 0)
            continue;
        passed.sum += count * mean_of(tally, index);
        passed.count += count;
    }
    return passed;
}

double loudness_tally_power_at(const struct loudness_tally *tally, double gate, uint32_t rank)
{
    uint32_t index = first_over(tally, gate);
    for (; index < STEPS && tally->steps[index].count <= rank; ++index)
        rank -= tally->steps[index].count;
    assert(index < STEPS);
    return mean_of(tally, index);
}

struct loudness_spread loudness_tally_spread(const struct loudness_tally *tally, double gate)
{
    struct loudness_spread spread = {0};
    for (uint32_t index = first_over(tally, gate); index < STEPS; ++index) {
        const uint32_t fresh = tally->steps[index].count;
        if (fresh == 0)
            continue;
        const double lufs = lufs_of_power(mean_of(tally, index));
        const double delta = lufs - spread.mean;
        spread.count += fresh;
        spread.mean += delta * fresh / spread.count;
        spread.squares += fresh * delta * (lufs - spread.mean);
    }
    return spread;
}
