// SPDX-License-Identifier: MIT
#include "dsp/phase.h"
#include "dsp/accents.h"
#include <assert.h>

#define HARMONY_WEIGHT 1.5
#define WEIGHT_WEIGHT  1.25
#define WHOLE_WEIGHT   0.9
// With fewer beats one accent would decide.
enum { LEAST_BEATS = 6 };

/// Logarithm of the accents between the beats against those on them.
static double lean(const uint16_t *strength, size_t frames, const double *beats, uint32_t count)
{
    const struct accents accents = accents_measure(strength, frames, beats, count);
    return accents_log_ratio(&accents, accents.halfway, accents.on);
}

enum phase phase_choose(const struct onset *onset, const double *beats, uint32_t count)
{
    assert(beats || count == 0);
    const size_t all = onset_frames(onset);
    const size_t frames = all < ONSET_PART_FRAMES ? all : ONSET_PART_FRAMES;
    if (count < LEAST_BEATS)
        return PHASE_ON;
    const double between =
        HARMONY_WEIGHT * lean(onset_part_strength(onset, ONSET_HARMONY), frames, beats, count) +
        WEIGHT_WEIGHT * lean(onset_part_strength(onset, ONSET_WEIGHT), frames, beats, count) +
        WHOLE_WEIGHT * lean(onset_strength(onset), frames, beats, count);
    return between > 0.0 ? PHASE_BETWEEN : PHASE_ON;
}
