// SPDX-License-Identifier: MIT
#include "dsp/rhythm/accents.h"
#include "dsp/rhythm/onset.h"
#include <assert.h>
#include <math.h>
#include <string.h>

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

/// Sums by place and beat, the beats numbered modulo CYCLE, and of pairs within a beat and the next.
struct sums {
    double at[ACCENT_PLACES][CYCLE];
    double after[ACCENT_PLACES], before[ACCENT_PLACES];
    uint32_t used; // beats that were counted
};

static void add_pairs(struct sums *sums, const double here[ACCENT_PLACES], double next_beat)
{
    static const enum accent_place mirrored[ACCENT_PLACES] = {
        ACCENT_ON,    ACCENT_HALFWAY,        ACCENT_TWO_THIRDS,
        ACCENT_THIRD, ACCENT_THREE_QUARTERS, ACCENT_QUARTER};
    for (int place = 0; place < ACCENT_PLACES; place++) {
        const double beat = here[ACCENT_ON], after = here[place], before = here[mirrored[place]];
        sums->after[place] += after < beat ? after : beat; // fmin() is a call
        sums->before[place] += before < next_beat ? before : next_beat;
    }
}

static void sum_up(const uint16_t *strength, size_t frames, const double *beats, uint32_t count,
                   struct sums *sums)
{
    static const double shares[ACCENT_PLACES] = {0.0,       1.0 / 2.0, 1.0 / 3.0,
                                                 2.0 / 3.0, 1.0 / 4.0, 3.0 / 4.0};
    double here[ACCENT_PLACES], last[ACCENT_PLACES];
    for (uint32_t i = 0; i + 1 < count && beats[i + 1] < (double)frames; i++) {
        const double step = beats[i + 1] - beats[i];
        for (int place = 0; place < ACCENT_PLACES; place++) {
            here[place] = top_near(strength, frames, beats[i] + shares[place] * step);
            sums->at[place][i % CYCLE] += here[place];
        }
        if (i > 0)
            add_pairs(sums, last, here[ACCENT_ON]);
        memcpy(last, here, sizeof(last));
        sums->used++;
    }
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
    struct sums sums = {0};
    sum_up(strength, frames, beats, count, &sums);
    const uint32_t used = sums.used;
    struct accents out = {.mean = mean_of(strength, frames)};
    out.floor = FLOOR_SHARE * out.mean + LEAST_FLOOR;
    for (int place = 0; place < ACCENT_PLACES; place++) {
        out.at[place] = mean_of_every(sums.at[place], used, 0, 1);
        out.pair_after[place] = used > 1 ? sums.after[place] / (used - 1) : 0.0;
        out.pair_before[place] = used > 1 ? sums.before[place] / (used - 1) : 0.0;
        for (uint32_t every = 1; every <= LONGEST_BAR; every++)
            for (uint32_t first = 0; first < every; first++)
                out.strongest[place] =
                    fmax(out.strongest[place], mean_of_every(sums.at[place], used, first, every));
    }
    out.even = mean_of_every(sums.at[ACCENT_ON], used, 0, 2);
    out.odd = mean_of_every(sums.at[ACCENT_ON], used, 1, 2);
    out.weakest = out.at[ACCENT_ON];
    for (uint32_t first = 0; first < LONGEST_BAR; first++)
        out.weakest =
            fmin(out.weakest, mean_of_every(sums.at[ACCENT_ON], used, first, LONGEST_BAR));
    return out;
}

double accents_log_ratio(const struct accents *accents, double above, double below)
{
    assert(accents->floor > 0.0);
    const double ratio = log((above + accents->floor) / (below + accents->floor));
    return fmax(-ACCENTS_LIMIT, fmin(ACCENTS_LIMIT, ratio));
}
