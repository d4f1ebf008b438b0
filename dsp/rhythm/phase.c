// SPDX-License-Identifier: MIT
#include "dsp/rhythm/phase.h"
#include "dsp/rhythm/accents.h"
#include <assert.h>
#include <math.h>

// What a place has more of than the pulses, as logarithms: on the average of all beats, and at the
// strongest beat of four, since chords and bass drums mark a bar rather than every beat.
#define HARMONY_WEIGHT           1.1
#define STRONGEST_HARMONY_WEIGHT 2.7
#define WEIGHT_WEIGHT            0.6
#define STRONGEST_WEIGHT_WEIGHT  1.6
#define WHOLE_WEIGHT             0.8
// Of two heavy strokes close together the first leads to the second (Povel and Essens 1985): where a bass drum plays
// between the beats as loudly as on them, pairs tell which is which.
#define PAIRS_WEIGHT 3.5
// With fewer beats one accent would decide.
enum { LEAST_BEATS = 6 };
// Pulses halfway or a third between beats are confused with them, those at quarters are by pairs only.
enum { PLACES = ACCENT_THREE_QUARTERS };

// The pulses follow what sets in most: it takes some evidence to leave them. Pairs count the less, the more clearly
// higher sounds contradict them, down to nothing: a drum break may double a beat. No place is a third before a beat
// that is a third after another.
static const struct {
    double share, least_evidence, most_contrary;
} places[PLACES] = {
    [ACCENT_ON] = {0.0, 0.0, 0.0},
    [ACCENT_HALFWAY] = {1.0 / 2.0, 0.7, 1.3},
    [ACCENT_THIRD] = {1.0 / 3.0, 0.5, 0.0},
    [ACCENT_TWO_THIRDS] = {2.0 / 3.0, 0.5, 0.0},
    [ACCENT_QUARTER] = {1.0 / 4.0, 4.0, 3.0},
};

/// Accents of what tells a beat from another place.
struct view {
    struct accents harmony, weight, middle, high, whole;
};

static double lean(const struct accents *accents, int place)
{
    return accents_log_ratio(accents, accents->at[place], accents->at[ACCENT_ON]);
}

static double lean_of_strongest(const struct accents *accents, int place)
{
    return accents_log_ratio(accents, accents->strongest[place], accents->strongest[ACCENT_ON]);
}

/// Pairs of heavy strokes that lead to a place against those that lead to the beat.
static double weigh_pairs(const struct view *view, int place)
{
    if (places[place].most_contrary <= 0.0)
        return 0.0;
    const struct accents *weight = &view->weight;
    const double pairs =
        accents_log_ratio(weight, weight->pair_after[place], weight->pair_before[place]);
    const double higher = lean(&view->middle, place) + lean(&view->high, place);
    const double contrary = fmax(0.0, pairs > 0.0 ? -higher : higher);
    return PAIRS_WEIGHT * pairs * fmax(0.0, 1.0 - contrary / places[place].most_contrary);
}

/// What speaks for beats at a place, less what it takes.
static double weigh(const struct view *view, int place)
{
    const double accents = HARMONY_WEIGHT * lean(&view->harmony, place) +
                           STRONGEST_HARMONY_WEIGHT * lean_of_strongest(&view->harmony, place) +
                           WEIGHT_WEIGHT * lean(&view->weight, place) +
                           STRONGEST_WEIGHT_WEIGHT * lean_of_strongest(&view->weight, place) +
                           WHOLE_WEIGHT * lean(&view->whole, place);
    return (place == ACCENT_QUARTER ? fmin(0.0, accents) : accents) + weigh_pairs(view, place) -
           places[place].least_evidence;
}

static struct accents measure(const struct onset *onset, enum onset_part part, size_t frames,
                              const double *beats, uint32_t count)
{
    return accents_measure(onset_part_strength(onset, part), frames, beats, count);
}

double phase_choose(const struct onset *onset, const double *beats, uint32_t count)
{
    assert(beats || count == 0);
    const size_t all = onset_frames(onset);
    const size_t frames = all < ONSET_PART_FRAMES ? all : ONSET_PART_FRAMES;
    if (count < LEAST_BEATS)
        return 0.0;
    const struct view view = {
        .harmony = measure(onset, ONSET_HARMONY, frames, beats, count),
        .weight = measure(onset, ONSET_WEIGHT, frames, beats, count),
        .middle = measure(onset, ONSET_MIDDLE, frames, beats, count),
        .high = measure(onset, ONSET_HIGH, frames, beats, count),
        .whole = accents_measure(onset_strength(onset), frames, beats, count),
    };
    int best = ACCENT_ON;
    double most = 0.0;
    for (int place = ACCENT_HALFWAY; place < PLACES; place++) {
        const double here = weigh(&view, place);
        if (here > most) {
            best = place;
            most = here;
        }
    }
    return places[best].share;
}
