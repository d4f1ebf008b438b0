// SPDX-License-Identifier: MIT
#include "dsp/tonality/key_evidence.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { CLASSES = PITCH_CLASS_COUNT, PARTIALS = 4, DECONVOLUTION_STEPS = 15 };
// Where the first 8 partials of a note fall, each 0.7 times the one before: the octaves (1, 2, 4, 8), the
// third (5), the fifth (3, 6) and the seventh (7).
static const struct {
    int semitones;
    double share;
} partials[PARTIALS] = {{0, 0.67661}, {4, 0.07644}, {7, 0.20950}, {10, 0.03745}};
// A triad's likeness to a stretch: the cosine between their classes, and the root's share of the bass.
#define ROOT_WEIGHT 0.3
// A triad that is less like a stretch by this much is e times less likely.
#define TRIAD_STEP 0.11
// A bass walks over the notes of a chord: which of them is the root, the last few seconds tell.
#define BASS_LASTS 0.85
// Of how long the tonic's triad stays.
#define STAY_WEIGHT 0.6

static double sum_of(const double classes[CLASSES])
{
    double sum = 0.0;
    for (int i = 0; i < CLASSES; i++)
        sum += classes[i];
    return sum;
}

static double length_of(const double classes[CLASSES])
{
    double squares = 0.0;
    for (int i = 0; i < CLASSES; i++)
        squares += classes[i] * classes[i];
    return sqrt(squares);
}

/// Correlation (direction 1) or convolution (-1) with a note's spread around the circle of classes.
static void turn(const double a[CLASSES], int direction, double out[CLASSES])
{
    double twice[2 * CLASSES];
    memcpy(twice, a, CLASSES * sizeof(*a));
    memcpy(twice + CLASSES, a, CLASSES * sizeof(*a));
    memset(out, 0, CLASSES * sizeof(*out));
    for (int p = 0; p < PARTIALS; p++) {
        const int semitones = partials[p].semitones;
        const double *from = twice + (direction > 0 ? semitones : CLASSES - semitones);
        for (int i = 0; i < CLASSES; i++)
            out[i] += partials[p].share * from[i];
    }
}

/// The notes whose overtones best explain what is heard (Richardson 1972, Lucy 1974).
static void remove_overtones(const double heard[CLASSES], double notes[CLASSES])
{
    double explained[CLASSES], ratio[CLASSES], correction[CLASSES];
    const double sum = sum_of(heard);
    for (int i = 0; i < CLASSES; i++)
        notes[i] = sum / CLASSES;
    for (int step = 0; step < DECONVOLUTION_STEPS; step++) {
        turn(notes, -1, explained);
        for (int i = 0; i < CLASSES; i++)
            ratio[i] = heard[i] / fmax(explained[i], 1e-12 * sum);
        turn(ratio, 1, correction);
        for (int i = 0; i < CLASSES; i++)
            notes[i] *= correction[i];
    }
}

/// How well a stretch goes with each triad, as shares of 1. @return the likeliest: mode * CLASSES + root.
static int compare_triads(double shares[KEY_MODES][CLASSES], const double notes[CLASSES],
                          const double bass[CLASSES])
{
    const double notes_length = sqrt(3.0) * length_of(notes), bass_length = length_of(bass);
    double all = 0.0, most = 0.0;
    int likeliest = 0;
    for (int mode = 0; mode < KEY_MODES; mode++) {
        for (int root = 0; root < CLASSES; root++) {
            const int third = (root + (mode == KEY_MAJOR ? 4 : 3)) % CLASSES;
            const int fifth = (root + 7) % CLASSES;
            const double low = bass_length > 0.0 ? ROOT_WEIGHT * bass[root] / bass_length : 0.0;
            const double likeness = (notes[root] + notes[third] + notes[fifth]) / notes_length;
            const double odds = exp((likeness + low) / TRIAD_STEP);
            shares[mode][root] = odds;
            all += odds;
            if (odds > most) {
                most = odds;
                likeliest = mode * CLASSES + root;
            }
        }
    }
    for (int mode = 0; mode < KEY_MODES; mode++)
        for (int root = 0; root < CLASSES; root++)
            shares[mode][root] /= all;
    return likeliest;
}

/// Note for how many stretches a triad has been the likeliest.
static void note_stay(struct key_evidence *evidence, int likeliest)
{
    evidence->stay = likeliest == evidence->likeliest ? evidence->stay + 1 : 1;
    evidence->likeliest = likeliest;
    uint32_t *longest = &evidence->longest[likeliest / CLASSES][likeliest % CLASSES];
    if (evidence->stay > *longest)
        *longest = evidence->stay;
}

/// Share a stretch out among the triads, by how likely it sounds like each.
static void count_triads(struct key_evidence *evidence, const double notes[CLASSES])
{
    double shares[KEY_MODES][CLASSES];
    const int likeliest = compare_triads(shares, notes, evidence->recent_bass);
    for (int mode = 0; mode < KEY_MODES; mode++)
        for (int root = 0; root < CLASSES; root++)
            evidence->triads[mode][root] += shares[mode][root];
    note_stay(evidence, likeliest);
}

static void add_share(double sums[CLASSES], const double classes[CLASSES])
{
    const double sum = sum_of(classes);
    for (int i = 0; sum > 0.0 && i < CLASSES; i++)
        sums[i] += classes[i] / sum;
}

void key_evidence_add(struct key_evidence *evidence, const double notes[PITCH_CLASS_COUNT],
                      const double bass[PITCH_CLASS_COUNT])
{
    if (!(sum_of(notes) > 0.0))
        return;
    double played[CLASSES];
    remove_overtones(notes, played);
    add_share(evidence->notes, played);
    add_share(evidence->bass, bass);
    const double bass_sum = sum_of(bass);
    for (int i = 0; bass_sum > 0.0 && i < CLASSES; i++)
        evidence->recent_bass[i] =
            BASS_LASTS * evidence->recent_bass[i] + (1.0 - BASS_LASTS) * bass[i] / bass_sum;
    count_triads(evidence, played);
}

/// Weights times the classes, read from `tonic` up, less their mean and as shares of their length.
static double weigh_classes(const double classes[CLASSES], const double weights[CLASSES], int tonic)
{
    const double mean = sum_of(classes) / CLASSES;
    double squares = 0.0, product = 0.0;
    for (int i = 0; i < CLASSES; i++) {
        const double off = classes[(tonic + i) % CLASSES] - mean;
        squares += off * off;
        product += weights[i] * off;
    }
    return squares > 0.0 ? product / sqrt(squares) : 0.0;
}

/// Pearson correlation of the classes, read from `tonic` up, with a profile.
static double correlate(const double classes[CLASSES], const double profile[CLASSES], int tonic)
{
    const double mean = sum_of(profile) / CLASSES;
    double squares = 0.0;
    for (int i = 0; i < CLASSES; i++)
        squares += (profile[i] - mean) * (profile[i] - mean);
    return weigh_classes(classes, profile, tonic) / sqrt(squares);
}

/// Mean weight of the track's triads, by degree from the tonic up.
static double weigh_triads(const struct key_evidence *evidence,
                           const double weights[KEY_MODES][CLASSES], int tonic)
{
    double sum = 0.0, all = 0.0;
    for (int kind = 0; kind < KEY_MODES; kind++) {
        for (int degree = 0; degree < CLASSES; degree++) {
            const double count = evidence->triads[kind][(tonic + degree) % CLASSES];
            sum += weights[kind][degree] * count;
            all += count;
        }
    }
    return all > 0.0 ? sum / all : 0.0;
}

/// How long the tonic's triad stayed at most, as a logarithm: it begins, ends and rests.
static double weigh_stay(const struct key_evidence *evidence, int tonic, int mode)
{
    return log(evidence->longest[mode][tonic] + 1.0);
}

// What speaks for a key, by degree from the tonic up, as logarithms of odds: by multinomial logistic regression on 753
// songs of 60 styles, drawn towards Temperley's profiles and what harmony books call usual. Among them are 36 loops in
// Dorian, Mixolydian and plain minor over drones: a major key has its bVII nearly as often as its V, and a bass rather
// plays V than I. With loops of a kind left out in turn the songs score .918, before .906.
struct weights {
    double notes[CLASSES], bass[CLASSES], triads[KEY_MODES][CLASSES]; // the major triads first
};
static const struct weights weights[KEY_MODES] = {
    [KEY_MAJOR] = {.notes = {2.0, -1.9, -0.3, -1.5, 1.0, 0.7, -2.0, 2.1, -1.1, 1.2, -1.3, 1.1},
                   .bass = {1.4, -1.9, 1.4, -2.1, 1.1, 1.1, -1.8, 3.1, -1.8, 0.8, -1.3, 0},
                   .triads = {{31.3, 0, -1.1, -0.5, -1.5, 20.6, 0, 17.2, -1.0, -2.3, 14.9, -0.9},
                              {-0.3, -0.4, 12.6, 0, 12.8, -2.2, 0, -5.7, -0.6, 13.2, 3.3, 1.0}}},
    [KEY_MINOR] = {.notes = {2.2, -1.3, 1.3, 1.3, -0.6, -0.4, -2.6, 2.7, 1.7, -2.7, 0.5, -2.1},
                   .bass = {1.2, -0.3, 0, 1.0, -0.5, 1.0, -1.0, 1.6, 0.6, -2.0, -0.6, -1.0},
                   .triads = {{5.5, 6.8, 0.4, 7.6, 0, 9.4, 0, 12.3, 15.7, 0, 16.9, 0},
                              {34.5, 1.4, 1.6, -2.2, 1.0, 14.7, 0, 11.5, 1.9, -0.4, 0.7, -0.5}}},
};

static double weigh_key(const struct key_evidence *evidence, int tonic, int mode)
{
    return weigh_classes(evidence->notes, weights[mode].notes, tonic) +
           weigh_classes(evidence->bass, weights[mode].bass, tonic) +
           weigh_triads(evidence, weights[mode].triads, tonic) +
           STAY_WEIGHT * weigh_stay(evidence, tonic, mode);
}

/// How like the notes are to a key's scale.
static double compare_scale(const struct key_evidence *evidence, int tonic, int mode)
{
    // How much each degree is heard, from the tonic up: Temperley 2001 (Kostka-Payne
    // corpus), but the minor's seventh mostly natural, as popular music has it.
    static const double profiles[KEY_MODES][CLASSES] = {
        [KEY_MAJOR] = {0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057,
                       0.400},
        [KEY_MINOR] = {0.740, 0.084, 0.474, 0.618, 0.049, 0.490, 0.105, 0.747, 0.340, 0.067, 0.310,
                       0.200},
    };
    return correlate(evidence->notes, profiles[mode], tonic);
}

void key_evidence_choose(const struct key_evidence *evidence, struct key *out)
{
    double best = -HUGE_VAL;
    out->tonic = -1;
    out->mode = KEY_MODE_UNKNOWN;
    out->strength = 0.0;
    for (int mode = 0; sum_of(evidence->notes) > 0.0 && mode < KEY_MODES; mode++) {
        for (int tonic = 0; tonic < CLASSES; tonic++) {
            const double likeness = compare_scale(evidence, tonic, mode);
            const double odds = weigh_key(evidence, tonic, mode);
            if (likeness > 0.0 && odds > best) {
                best = odds;
                out->strength = fmin(1.0, likeness);
                out->tonic = tonic;
                out->mode = mode;
            }
        }
    }
}
