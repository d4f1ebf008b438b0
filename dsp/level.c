// SPDX-License-Identifier: MIT
#include "dsp/level.h"
#include <assert.h>
#include <math.h>

#define PRIOR_BPM     120.0
#define PRIOR_OCTAVES 0.7
// Where every other accent is this share of its neighbours, the beat may be either level; how much
// more or less of it weighs against the prior; and how sure the change must be (natural logarithms).
#define EVEN_SHARE  0.62
#define EVEN_WEIGHT 6.0
#define LEAST_ODDS  0.2
#define SLOWEST_BPM 55.0
#define FASTEST_BPM 215.0

double level_prior(double bpm)
{
    const double octaves = log2(bpm / PRIOR_BPM) / PRIOR_OCTAVES;
    return exp(-0.5 * octaves * octaves);
}

static double accent_at(const uint16_t *strength, size_t frames, double position)
{
    const size_t t = (size_t)fmax(0.0, round(position));
    uint16_t top = 0;
    for (size_t near = t ? t - 1 : 0; near <= t + 1 && near < frames; near++)
        top = strength[near] > top ? strength[near] : top;
    return top;
}

/// Sums of one part's accents: even and odd beats, and halfway after each beat.
struct accents {
    double even, odd, halfway;
};

static struct accents sum_accents(const uint16_t *strength, size_t frames, const double *beats,
                                  uint32_t count)
{
    struct accents sums = {0.0, 0.0, 0.0};
    for (uint32_t i = 0; i + 1 < count && beats[i + 1] < (double)frames; i++) {
        *(i % 2 ? &sums.odd : &sums.even) += accent_at(strength, frames, beats[i]);
        sums.halfway += accent_at(strength, frames, 0.5 * (beats[i] + beats[i + 1]));
    }
    return sums;
}

/// Odds, as a logarithm, of the faster of two levels whose weak accents are `share` of the strong.
static double fast_odds(double share, double slow_bpm)
{
    return EVEN_WEIGHT * (share - EVEN_SHARE) +
           log(level_prior(2.0 * slow_bpm) / level_prior(slow_bpm));
}

enum level level_choose(const struct onset *onset, const double *beats, uint32_t count, double bpm)
{
    assert(bpm > 0.0);
    const size_t all = onset_frames(onset);
    const size_t frames = all < ONSET_PART_FRAMES ? all : ONSET_PART_FRAMES;
    double even = 0.0, odd = 0.0, halfway = 0.0; // logarithms, summed over the parts
    for (int part = 0; part < ONSET_PARTS; part++) {
        const struct accents sums =
            sum_accents(onset_part_strength(onset, (enum onset_part)part), frames, beats, count);
        // A part that is silent throughout is even: it says nothing.
        even += log(sums.even + 1.0) / ONSET_PARTS;
        odd += log(sums.odd + 1.0) / ONSET_PARTS;
        halfway += (log(sums.halfway + 1.0) - log(sums.even + sums.odd + 1.0)) / ONSET_PARTS;
    }
    if (count < 8)
        return LEVEL_SAME;
    const double for_double = fast_odds(exp(halfway), bpm);
    const double for_half = -fast_odds(exp(-fabs(even - odd)), bpm / 2.0);
    if (for_half > LEAST_ODDS && for_half >= for_double && bpm / 2.0 >= SLOWEST_BPM)
        return LEVEL_HALF;
    if (for_double > LEAST_ODDS && bpm * 2.0 <= FASTEST_BPM)
        return LEVEL_DOUBLE;
    return LEVEL_SAME;
}
