// SPDX-License-Identifier: MIT
#include "dsp/accents.h"
#include "dsp/onset.h"
#include <assert.h>
#include <math.h>

#define FLOOR_SHARE 0.25
#define LEAST_FLOOR 1e-3

/// The highest strength within a frame of a place.
static double top_near(const uint16_t *strength, size_t frames, double place)
{
    const size_t t = (size_t)fmax(0.0, round(place));
    uint16_t top = 0;
    for (size_t near = t ? t - 1 : 0; near <= t + 1 && near < frames; near++)
        top = strength[near] > top ? strength[near] : top;
    return (double)top / ONSET_SCALE;
}

static double mean_of(const uint16_t *strength, size_t frames)
{
    double sum = 0.0;
    for (size_t t = 0; t < frames; t++)
        sum += strength[t];
    return frames ? sum / (double)frames / ONSET_SCALE : 0.0;
}

struct accents accents_measure(const uint16_t *strength, size_t frames, const double *beats,
                               uint32_t count)
{
    assert(count >= 2);
    struct accents sums = {.mean = mean_of(strength, frames)};
    sums.floor = FLOOR_SHARE * sums.mean + LEAST_FLOOR;
    uint32_t used = 0;
    for (; used + 1 < count && beats[used + 1] < (double)frames; used++) {
        *(used % 2 ? &sums.odd : &sums.even) += top_near(strength, frames, beats[used]);
        const double step = (beats[used + 1] - beats[used]) / 6.0;
        sums.halfway += top_near(strength, frames, beats[used] + 3.0 * step);
        sums.third += top_near(strength, frames, beats[used] + 2.0 * step);
        sums.two_thirds += top_near(strength, frames, beats[used] + 4.0 * step);
    }
    const double n = fmax(1.0, used);
    sums.on = (sums.even + sums.odd) / n;
    sums.halfway /= n;
    sums.third /= n;
    sums.two_thirds /= n;
    sums.even *= 2.0 / n;
    sums.odd *= 2.0 / n;
    return sums;
}

double accents_log_ratio(const struct accents *accents, double above, double below)
{
    assert(accents->floor > 0.0);
    const double ratio = log((above + accents->floor) / (below + accents->floor));
    return fmax(-ACCENTS_LIMIT, fmin(ACCENTS_LIMIT, ratio));
}
