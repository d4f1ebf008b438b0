// SPDX-License-Identifier: MIT
#include "dsp/rhythm/phase.h"
#include "dsp/rhythm/accents.h"
#include <assert.h>

// What a place has more of than the pulses, as logarithms: on the average of all beats, and at the
// strongest beat of four, since chords and bass drums mark a bar rather than every beat.
#define HARMONY_WEIGHT           1.1
#define STRONGEST_HARMONY_WEIGHT 2.7
#define WEIGHT_WEIGHT            0.6
#define STRONGEST_WEIGHT_WEIGHT  1.6
#define WHOLE_WEIGHT             0.8
// With fewer beats one accent would decide.
enum { LEAST_BEATS = 6 };
// Pulses halfway or a third between beats are confused with them, those at quarters are not.
enum { PLACES = ACCENT_QUARTER };

// The pulses follow what sets in most: it takes some evidence to leave them.
static const struct {
    double share, least_evidence;
} places[PLACES] = {
    [ACCENT_ON] = {0.0, 0.0},
    [ACCENT_HALFWAY] = {1.0 / 2.0, 0.7},
    [ACCENT_THIRD] = {1.0 / 3.0, 0.5},
    [ACCENT_TWO_THIRDS] = {2.0 / 3.0, 0.5},
};

static void lean(double sums[PLACES], double weight, double strongest_weight,
                 const uint16_t *strength, size_t frames, const double *beats, uint32_t count)
{
    const struct accents accents = accents_measure(strength, frames, beats, count);
    const double on = accents.at[ACCENT_ON], strongest = accents.strongest[ACCENT_ON];
    for (int place = ACCENT_HALFWAY; place < PLACES; place++)
        sums[place] +=
            weight * accents_log_ratio(&accents, accents.at[place], on) +
            strongest_weight * accents_log_ratio(&accents, accents.strongest[place], strongest);
}

double phase_choose(const struct onset *onset, const double *beats, uint32_t count)
{
    assert(beats || count == 0);
    const size_t all = onset_frames(onset);
    const size_t frames = all < ONSET_PART_FRAMES ? all : ONSET_PART_FRAMES;
    if (count < LEAST_BEATS)
        return 0.0;
    double sums[PLACES] = {0.0};
    lean(sums, HARMONY_WEIGHT, STRONGEST_HARMONY_WEIGHT, onset_part_strength(onset, ONSET_HARMONY),
         frames, beats, count);
    lean(sums, WEIGHT_WEIGHT, STRONGEST_WEIGHT_WEIGHT, onset_part_strength(onset, ONSET_WEIGHT),
         frames, beats, count);
    lean(sums, WHOLE_WEIGHT, 0.0, onset_strength(onset), frames, beats, count);
    int best = ACCENT_ON;
    for (int place = ACCENT_HALFWAY; place < PLACES; place++)
        if (sums[place] - places[place].least_evidence > sums[best] - places[best].least_evidence)
            best = place;
    return places[best].share;
}
