// SPDX-License-Identifier: MIT
#include "dsp/rhythm/accents.h"
#include "dsp/rhythm/onset.h"
#include <assert.h>
#include <math.h>

#define FLOOR_SHARE 0.25
#define LEAST_FLOOR 1e-3
enum { LONGEST_BAR = 4, CYCLE = 12 }; // beats; bars of 1 to 4 fit into a cycle

/// The highest strength within a frame of a place.
static double top_near(const uint16_t *strength, size_t frames, double place)
{
    size_t t = place > 0.0 ? (size_t)place : 0;
    t += place - (double)t >= 0.5; // as round(), which is a call
    uint16_t top = 0;
    for (size_t near = t ? t - 1 : 0; near <= t + 1 && near < frames; near++)
        top = strength[near] > top ? strength[near] : top;
    return (double)top / ONSET_SCALE;
}

static double mean_of(const uint16_t *strength, size_t frames)
{
    uint64_t sum = 0;
    for (size_t t = 0; t < frames; t++)
        sum += strength[t];
    return frames ? (double)sum / (double)frames / ONSET_SCALE : 0.0;
}

/// Sums by place and beat, the beats numbered modulo CYCLE. @return beats that were counted.
static uint32_t sum_up(const uint16_t *strength, size_t frames, const double *beats, uint32_t count,
                       double sums[ACCENT_PLACES][CYCLE])
{
    static const double shares[ACCENT_PLACES] = {0.0,       1.0 / 2.0, 1.0 / 3.0,
                                                 2.0 / 3.0, 1.0 / 4.0, 3.0 / 4.0};
    uint32_t used = 0;
    for (; used + 1 < count && beats[used + 1] < (double)frames; used++) {
        const double step = beats[used + 1] - beats[used];
        for (int place = 0; place < ACCENT_PLACES; place++)
            sums[place][used % CYCLE] +=
                top_near(strength, frames, beats[used] + shares[place] * step);
    }
    return used;
}

/// Mean of every `every`-th beat from beat `first` on.
static double mean_of_every(const double sums[CYCLE], uint32_t used, uint32_t first, uint32_t every)
{
    double sum = 0.0;
    for (uint32_t i = first; i < CYCLE; i += every)
        sum += sums[i];
    return used > first ? sum / (double)((used - first + every - 1) / every) : 0.0;
}

struct accents accents_measure(const uint16_t *strength, size_t frames, const double *beats,
                               uint32_t count)
{
    assert(count >= 2);
    double sums[ACCENT_PLACES][CYCLE] = {{0.0}};
    const uint32_t used = sum_up(strength, frames, beats, count, sums);
    struct accents out = {.mean = mean_of(strength, frames)};
    out.floor = FLOOR_SHARE * out.mean + LEAST_FLOOR;
    for (int place = 0; place < ACCENT_PLACES; place++) {
        out.at[place] = mean_of_every(sums[place], used, 0, 1);
        for (uint32_t every = 1; every <= LONGEST_BAR; every++)
            for (uint32_t first = 0; first < every; first++)
                out.strongest[place] =
                    fmax(out.strongest[place], mean_of_every(sums[place], used, first, every));
    }
    out.even = mean_of_every(sums[ACCENT_ON], used, 0, 2);
    out.odd = mean_of_every(sums[ACCENT_ON], used, 1, 2);
    out.weakest = out.at[ACCENT_ON];
    for (uint32_t first = 0; first < LONGEST_BAR; first++)
        out.weakest = fmin(out.weakest, mean_of_every(sums[ACCENT_ON], used, first, LONGEST_BAR));
    return out;
}

double accents_log_ratio(const struct accents *accents, double above, double below)
{
    assert(accents->floor > 0.0);
    const double ratio = log((above + accents->floor) / (below + accents->floor));
    return fmax(-ACCENTS_LIMIT, fmin(ACCENTS_LIMIT, ratio));
}
