// SPDX-License-Identifier: MIT
#include "dsp/level/loudness_tally.h"
#include "dsp/level/lufs.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_PER_LU = 128, RANGE_LU = 160, STEPS = RANGE_LU * STEPS_PER_LU };

int loudness_tally_init(struct loudness_tally *tally)
{
    tally->counts = calloc(STEPS, sizeof *tally->counts);
    return tally->counts ? 0 : -ENOMEM;
}

void loudness_tally_deinit(struct loudness_tally *tally)
{
    free(tally->counts);
    tally->counts = NULL;
}

int loudness_tally_copy(struct loudness_tally *out, const struct loudness_tally *tally)
{
    if (loudness_tally_init(out))
        return -ENOMEM;
    memcpy(out->counts, tally->counts, STEPS * sizeof *out->counts);
    return 0;
}

void loudness_tally_add(struct loudness_tally *tally, double power)
{
    if (power <= lufs_to_power(LUFS_ABSOLUTE_GATE))
        return;
    const double place = (lufs_of_power(power) - LUFS_ABSOLUTE_GATE) * STEPS_PER_LU;
    ++tally->counts[(uint32_t)fmin(STEPS - 1, fmax(0.0, place))];
}

static double lufs_of_step(uint32_t step)
{
    return LUFS_ABSOLUTE_GATE + (step + 0.5) / STEPS_PER_LU;
}

// The first step whose middle lies over a gate.
static uint32_t first_over(double gate)
{
    uint32_t step = 0;
    while (step < STEPS && lufs_to_power(lufs_of_step(step)) <= gate)
        ++step;
    return step;
}

struct loudness_passed loudness_tally_passed(const struct loudness_tally *tally, double gate)
{
    struct loudness_passed passed = {0};
    for (uint32_t step = first_over(gate); step < STEPS; ++step) {
        if (tally->counts[step] == 0)
            continue;
        passed.sum += tally->counts[step] * lufs_to_power(lufs_of_step(step));
        passed.count += tally->counts[step];
    }
    return passed;
}

double loudness_tally_power_at(const struct loudness_tally *tally, double gate, uint32_t rank)
{
    uint32_t step = first_over(gate);
    for (; step < STEPS && tally->counts[step] <= rank; ++step)
        rank -= tally->counts[step];
    assert(step < STEPS);
    return lufs_to_power(lufs_of_step(step));
}

struct loudness_spread loudness_tally_spread(const struct loudness_tally *tally, double gate)
{
    struct loudness_spread spread = {0};
    for (uint32_t step = first_over(gate); step < STEPS; ++step) {
        const uint32_t fresh = tally->counts[step];
        if (fresh == 0)
            continue;
        const double delta = lufs_of_step(step) - spread.mean;
        spread.count += fresh;
        spread.mean += delta * fresh / spread.count;
        spread.squares += fresh * delta * (lufs_of_step(step) - spread.mean);
    }
    return spread;
}
